package parley.meter;

/** How values are distributed over its boundaries. Thread-safe; wait-free. For turns and calls, not for frames. */
public final class Histogram {
    private final kamon.metric.Histogram kamon;
    private final Unit unit;

    Histogram(kamon.metric.Histogram kamon, Unit unit) {
        this.kamon = kamon;
        this.unit = unit;
    }

    /** @param value in what the histogram's {@link Unit} is told in; below 0 counts as 0 */
    public void record(long value) {
        kamon.record(unit.bounded(value));
    }

    /** Nanoseconds since then, by {@link System#nanoTime}. */
    public void since(long nanoTime) {
        record(System.nanoTime() - nanoTime);
    }
}
