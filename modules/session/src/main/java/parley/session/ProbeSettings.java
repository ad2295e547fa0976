package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/**
 * {@code parley.session.probe} in reference.conf, where each key is explained.
 *
 * @param every zero: never
 * @param dayMicros in millionths of a US dollar
 */
public record ProbeSettings(Duration every, Duration patience, long dayMicros, String says, int maxOutputTokens) {
    private static final Duration SHORTEST = Duration.ofSeconds(1);

    public ProbeSettings {
        var wrong = new ArrayList<String>();
        if (!every.isZero() && every.compareTo(SHORTEST) < 0) {
            wrong.add("every: " + every + " (expected: 0, or at least 1 second)");
        }
        if (!patience.isPositive()) {
            wrong.add("patience: " + patience + " (expected: > 0)");
        }
        if (dayMicros <= 0) {
            wrong.add("cap-usd-per-day: " + dayMicros / 1e6 + " (expected: > 0)");
        }
        if (says.isBlank()) {
            wrong.add("says: empty (expected: what the provider shall answer)");
        }
        if (maxOutputTokens < 1 || maxOutputTokens > 4096) {
            wrong.add("max-output-tokens: " + maxOutputTokens + " (expected: 1..4096)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.session.probe: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.session.probe} of a whole configuration. */
    public static ProbeSettings from(Config config) {
        var probe = config.getConfig("parley.session.probe");
        return new ProbeSettings(
                probe.getDuration("every"),
                probe.getDuration("patience"),
                Math.round(probe.getDouble("cap-usd-per-day") * 1e6),
                probe.getString("says"),
                probe.getInt("max-output-tokens"));
    }

    boolean isOn() {
        return !every.isZero();
    }
}
