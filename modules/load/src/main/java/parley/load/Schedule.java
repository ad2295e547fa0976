package parley.load;

import java.util.concurrent.TimeUnit;

/**
 * When frames are due, fixed before the first one is sent. All times are those of {@link System#nanoTime}.
 *
 * @param measureFrom frames due from here on are measured
 * @param end no frame is due from here on
 */
record Schedule(long start, long period, long measureFrom, long end) {
    static Schedule starting(long start, int frameMillis, int warmupSeconds, int seconds) {
        long measureFrom = start + TimeUnit.SECONDS.toNanos(warmupSeconds);
        return new Schedule(
                start,
                TimeUnit.MILLISECONDS.toNanos(frameMillis),
                measureFrom,
                measureFrom + TimeUnit.SECONDS.toNanos(seconds));
    }

    /** The moment of a session's frame. Depends on nothing that happened before it. */
    long due(long round, long phase) {
        return start + round * period + phase;
    }

    boolean running(long due) {
        return due - end < 0;
    }

    boolean measured(long due) {
        return due - measureFrom >= 0 && due - end < 0;
    }
}
