package parley.provider.simulator;

/** What all connections of one simulator share. */
record House(SimulatorSettings settings, Speech speech, SimulatorCounters counters, Crowd crowd, Archive archive) {}
