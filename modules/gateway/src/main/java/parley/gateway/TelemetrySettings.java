package parley.gateway;

import com.typesafe.config.Config;

/**
 * {@code parley.gateway.metrics} in reference.conf, where it is explained.
 *
 * @param open whether metrics are told without credentials
 */
public record TelemetrySettings(boolean open) {
    /** Reads its part of the block {@code parley.gateway} of a whole configuration. */
    public static TelemetrySettings from(Config config) {
        var metrics = config.getString("parley.gateway.metrics");
        return switch (metrics) {
            case "open" -> new TelemetrySettings(true);
            case "token" -> new TelemetrySettings(false);
            default ->
                throw new IllegalArgumentException(
                        "parley.gateway: metrics: " + metrics + " (expected: open or token)");
        };
    }
}
