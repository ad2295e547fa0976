package parley.meter;

/** Only ever rises. Thread-safe, and never contended. */
public final class Counter {
    private final kamon.metric.Counter kamon;

    Counter(kamon.metric.Counter kamon) {
        this.kamon = kamon;
    }

    public void increment() {
        kamon.increment();
    }

    /** @param more in what the counter's {@link Unit} is told in; nothing below 0 */
    public void add(long more) {
        if (more > 0) {
            kamon.increment(more);
        }
    }
}
