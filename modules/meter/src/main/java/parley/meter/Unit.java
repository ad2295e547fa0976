package parley.meter;

import kamon.metric.DynamicRange;
import kamon.metric.MeasurementUnit;

/** What an instrument is told in, and what it is read in. */
public enum Unit {
    /** Things. */
    NONE("things", 1, 1_000_000_000_000L),
    /** Told in nanoseconds, read in seconds. */
    SECONDS("nanoseconds", 1e-9, 24 * 3600_000_000_000L),
    /** Told in millionths, read in whole ones. */
    DOLLARS("millionths of a dollar", 1e-6, 1_000_000_000_000L);

    /** Of a histogram's precision: 1 %. */
    private static final int DIGITS = 2;
    /** A second's thousandth of a thousandth is as exact as anybody looks. */
    private static final long FINEST_NANOS = 1_000;

    private final String told;
    private final double scale;
    private final long most;

    Unit(String told, double scale, long most) {
        this.told = told;
        this.scale = scale;
        this.most = most;
    }

    double read(double value) {
        // Divided, not multiplied: 0.1 and not 0.10000000000000002.
        return value / Math.rint(1 / scale);
    }

    /** What a histogram of this unit can hold; what is more counts as the most. */
    long bounded(long value) {
        return Math.clamp(value, 0, most);
    }

    MeasurementUnit kamon() {
        return new MeasurementUnit(new MeasurementUnit.Dimension(name()), new MeasurementUnit.Magnitude(told, scale));
    }

    DynamicRange range() {
        return new DynamicRange(this == SECONDS ? FINEST_NANOS : 1, most, DIGITS);
    }
}
