package parley.provider;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/** {@code parley.provider.breaker} in reference.conf, where each key is explained. */
public record BreakerSettings(int failures, Duration within, Duration openFor) {
    private static final int MOST_FAILURES = 1000;

    public BreakerSettings {
        var wrong = new ArrayList<String>();
        if (failures < 1 || failures > MOST_FAILURES) {
            wrong.add("failures: " + failures + " (expected: 1.." + MOST_FAILURES + ")");
        }
        if (!within.isPositive()) {
            wrong.add("within: " + within + " (expected: > 0)");
        }
        if (!openFor.isPositive()) {
            wrong.add("open-for: " + openFor + " (expected: > 0)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.provider.breaker: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.provider.breaker} of a whole configuration. */
    public static BreakerSettings from(Config config) {
        var breaker = config.getConfig("parley.provider.breaker");
        return new BreakerSettings(
                breaker.getInt("failures"), breaker.getDuration("within"), breaker.getDuration("open-for"));
    }
}
