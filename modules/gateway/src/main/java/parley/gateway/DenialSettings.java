package parley.gateway;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code parley.gateway.denials} in reference.conf, where each key is explained.
 *
 * @param strangers groups of those whom nobody knows that are told apart
 * @param known people who are told apart
 * @param each attempts of one of them that are told one by one
 * @param first how long more is gathered before it is told
 * @param longest up to which that doubles, and after how long a quiet one is forgotten
 */
public record DenialSettings(int strangers, int known, int each, Duration first, Duration longest) {
    private static final Duration LEAST = Duration.ofSeconds(1);
    private static final Duration MOST = Duration.ofDays(1);

    public DenialSettings {
        var wrong = new ArrayList<String>();
        within("strangers", strangers, 1, 1000, wrong);
        within("known", known, 1, 100_000, wrong);
        within("each", each, 1, 1000, wrong);
        if (first.compareTo(LEAST) < 0 || first.compareTo(MOST) > 0) {
            wrong.add("first-window: " + first + " (expected: 1 s to 1 day)");
        }
        if (longest.compareTo(first) < 0 || longest.compareTo(MOST) > 0) {
            wrong.add("longest-window: " + longest + " (expected: first-window, " + first + ", to 1 day)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.gateway.denials: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.gateway.denials} of a whole configuration. */
    public static DenialSettings from(Config config) {
        var denials = config.getConfig("parley.gateway.denials");
        return new DenialSettings(
                denials.getInt("strangers"),
                denials.getInt("known"),
                denials.getInt("each"),
                denials.getDuration("first-window"),
                denials.getDuration("longest-window"));
    }

    private static void within(String key, int value, int least, int most, List<String> wrong) {
        if (value < least || value > most) {
            wrong.add(key + ": " + value + " (expected: " + least + ".." + most + ")");
        }
    }
}
