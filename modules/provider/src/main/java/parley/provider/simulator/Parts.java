package parley.provider.simulator;

/** What the parts of one conversation share. */
record Parts(
        LiveSession session,
        Conversation conversation,
        Events events,
        Timers timers,
        Speech speech,
        Switches switches,
        SimulatorSettings settings,
        Diary diary,
        SimulatorCounters counters) {}
