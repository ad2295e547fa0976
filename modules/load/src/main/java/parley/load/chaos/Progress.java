package parley.load.chaos;

import java.util.concurrent.atomic.LongAdder;

/** What all callers together have done so far; for whoever watches. Thread-safe. */
final class Progress {
    final LongAdder connected = new LongAdder();
    final LongAdder answered = new LongAdder();
    final LongAdder unseated = new LongAdder();
    final LongAdder resumed = new LongAdder();
    final LongAdder givenUp = new LongAdder();
    final LongAdder lost = new LongAdder();
}
