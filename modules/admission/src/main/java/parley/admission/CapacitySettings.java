package parley.admission;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code parley.admission.max-connections-per-tenant} and {@code near-capacity} in reference.conf, where each key is
 * explained.
 *
 * @param maxConnections {@code parley.admission.max-connections}
 * @param perTenant 0: any number
 * @param near a share of {@code maxConnections}
 */
public record CapacitySettings(
        int maxConnections, int perTenant, double near, Duration retryAfter, List<String> offer) {
    public CapacitySettings {
        var wrong = new ArrayList<String>();
        if (perTenant < 0) {
            wrong.add("max-connections-per-tenant: " + perTenant + " (expected: at least 1, or 0 for any number)");
        }
        if (!(near > 0 && near <= 1)) {
            wrong.add("near-capacity: " + near + " (expected: > 0 and at most 1)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.admission: " + String.join("; ", wrong));
        }
        offer = List.copyOf(offer);
    }

    /** Reads its part of the block {@code parley.admission} of a whole configuration. */
    public static CapacitySettings from(Config config) {
        var admission = config.getConfig("parley.admission");
        return new CapacitySettings(
                admission.getInt("max-connections"),
                admission.getInt("max-connections-per-tenant"),
                admission.getDouble("near-capacity"),
                admission.getDuration("retry-after"),
                admission.getStringList("offer"));
    }
}
