package parley.admission;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** {@code parley.admission} in reference.conf, where each key is explained. */
public record AdmissionSettings(
        Flag flag, int maxConnections, int maxConnectionsPerCaller, Duration retryAfter, List<String> offer) {
    public AdmissionSettings {
        var wrong = new ArrayList<String>();
        if (maxConnections < 1) {
            wrong.add("max-connections: " + maxConnections + " (expected: at least 1)");
        }
        if (maxConnectionsPerCaller < 1) {
            wrong.add("max-connections-per-caller: " + maxConnectionsPerCaller + " (expected: at least 1)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.admission: " + String.join("; ", wrong));
        }
        offer = List.copyOf(offer);
    }

    /** Reads the block {@code parley.admission} of a whole configuration. */
    public static AdmissionSettings from(Config config) {
        var admission = config.getConfig("parley.admission");
        return new AdmissionSettings(
                new Flag(
                        admission.getBoolean("enabled"),
                        admission.getInt("percentage"),
                        Set.copyOf(admission.getStringList("allow")),
                        Set.copyOf(admission.getStringList("deny"))),
                admission.getInt("max-connections"),
                admission.getInt("max-connections-per-caller"),
                admission.getDuration("retry-after"),
                admission.getStringList("offer"));
    }
}
