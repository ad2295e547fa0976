package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/**
 * {@code parley.session.cost} in reference.conf, where each key is explained.
 *
 * @param alertMicros in millionths of a US dollar; 0: none
 * @param capMicros the same
 */
public record CostSettings(long alertMicros, long capMicros, Duration finishWithin, Duration askEvery) {
    public CostSettings {
        var wrong = new ArrayList<String>();
        if (alertMicros < 0 || capMicros < 0) {
            wrong.add("alert-usd, cap-usd: " + usd(alertMicros) + ", " + usd(capMicros) + " (expected: 0 or more)");
        } else if (capMicros > 0 && alertMicros > capMicros) {
            wrong.add("alert-usd: " + usd(alertMicros) + " (expected: at most cap-usd, " + usd(capMicros) + ")");
        }
        if (finishWithin.isNegative()) {
            wrong.add("finish-within: " + finishWithin + " (expected: 0 or more)");
        }
        if (askEvery.compareTo(Duration.ofMillis(100)) < 0) {
            wrong.add("ask-every: " + askEvery + " (expected: at least 100 ms)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.session.cost: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.session.cost} of a whole configuration. */
    public static CostSettings from(Config config) {
        var cost = config.getConfig("parley.session.cost");
        return new CostSettings(
                Math.round(cost.getDouble("alert-usd") * 1e6),
                Math.round(cost.getDouble("cap-usd") * 1e6),
                cost.getDuration("finish-within"),
                cost.getDuration("ask-every"));
    }

    private static double usd(long micros) {
        return micros / 1e6;
    }
}
