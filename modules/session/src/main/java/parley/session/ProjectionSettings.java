package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;

/** {@code parley.session.projections} in reference.conf, where each key is explained. */
public record ProjectionSettings(boolean enabled, int batch, Duration batchWithin) {
    public ProjectionSettings {
        if (batch < 1 || batchWithin.compareTo(Duration.ofMillis(10)) < 0) {
            throw new IllegalArgumentException("parley.session.projections: batch " + batch + ", batch-within "
                    + batchWithin + " (expected: at least 1 and 10 ms)");
        }
    }

    /** Reads the block of a whole configuration. */
    public static ProjectionSettings from(Config config) {
        var projections = config.getConfig("parley.session.projections");
        return new ProjectionSettings(
                projections.getBoolean("enabled"),
                projections.getInt("batch"),
                projections.getDuration("batch-within"));
    }
}
