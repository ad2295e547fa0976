package parley.session;

import com.typesafe.config.Config;

/**
 * {@code parley.session.metrics} in reference.conf, where each key is explained.
 *
 * @param tenants that have a label of their own
 */
public record MetricsSettings(int tenants) {
    /** A label's values times four states, and still less than a name may have of series. */
    private static final int MOST = 49;

    public MetricsSettings {
        if (tenants < 0 || tenants > MOST) {
            throw new IllegalArgumentException(
                    "parley.session.metrics: tenants: " + tenants + " (expected: 0.." + MOST + ")");
        }
    }

    /** Reads the block of a whole configuration. */
    public static MetricsSettings from(Config config) {
        return new MetricsSettings(config.getInt("parley.session.metrics.tenants"));
    }
}
