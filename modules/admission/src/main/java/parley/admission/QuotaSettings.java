package parley.admission;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/**
 * {@code parley.admission.sessions-per-hour} and {@code parley.admission.quota} in reference.conf, where each key is
 * explained.
 *
 * @param sessionsPerHour 0: unlimited
 * @param retryAfter {@code parley.admission.retry-after}
 */
public record QuotaSettings(
        int sessionsPerHour,
        Duration askTimeout,
        boolean admitWhenSilent,
        Duration passivateAfter,
        int shards,
        Duration retryAfter) {
    public QuotaSettings {
        var wrong = new ArrayList<String>();
        if (sessionsPerHour < 0) {
            wrong.add("sessions-per-hour: " + sessionsPerHour + " (expected: at least 1, or 0 for any number)");
        }
        if (!askTimeout.isPositive()) {
            wrong.add("quota.ask-timeout: " + askTimeout + " (expected: > 0)");
        }
        if (!passivateAfter.isPositive()) {
            wrong.add("quota.passivate-after: " + passivateAfter + " (expected: > 0)");
        }
        if (shards < 1 || shards > 1000) {
            wrong.add("quota.shards: " + shards + " (expected: 1..1000)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.admission: " + String.join("; ", wrong));
        }
    }

    /** Reads its part of the block {@code parley.admission} of a whole configuration. */
    public static QuotaSettings from(Config config) {
        var admission = config.getConfig("parley.admission");
        return new QuotaSettings(
                admission.getInt("sessions-per-hour"),
                admission.getDuration("quota.ask-timeout"),
                admission.getBoolean("quota.admit-when-silent"),
                admission.getDuration("quota.passivate-after"),
                admission.getInt("quota.shards"),
                admission.getDuration("retry-after"));
    }
}
