package parley.provider.simulator;

import java.time.Instant;

/** The time of one conversation, and the one thread that it runs on. */
interface Timers {

    /** Something that has not happened yet. */
    @FunctionalInterface
    interface Timer {
        /** Prevents it; without effect when it has happened. */
        void cancel();
    }

    /** Milliseconds of a clock that never goes back; only differences mean anything. */
    long millis();

    /** The calendar's time. */
    Instant now();

    /** Runs the task later on the conversation's thread. From that thread only. */
    Timer after(long millis, Runnable task);

    /** Runs the task soon on the conversation's thread. From any thread. */
    void soon(Runnable task);
}
