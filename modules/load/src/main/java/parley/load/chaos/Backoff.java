package parley.load.chaos;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** How long a good client waits before it tries again: full jitter under a bound that doubles from 250 ms to 5 s. */
final class Backoff {
    private static final long FIRST = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long LONGEST = TimeUnit.SECONDS.toNanos(5);

    private final SplittableRandom random;
    private long bound = FIRST;

    Backoff(SplittableRandom random) {
        this.random = random;
    }

    /** The next wait, in nanoseconds. */
    long next() {
        long wait = random.nextLong(bound);
        bound = Math.min(LONGEST, bound * 2);
        return wait;
    }

    /** It worked. */
    void reset() {
        bound = FIRST;
    }
}
