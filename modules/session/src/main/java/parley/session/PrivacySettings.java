package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/** {@code parley.session.transcripts} and {@code parley.session.retention} in reference.conf, where each key is explained. */
public record PrivacySettings(boolean redact, boolean store, Retention retention) {
    /**
     * How long sessions are kept after their end.
     *
     * @param journal zero: for ever
     * @param transcripts of the tables that are made from the journal; zero: as long as the journal
     */
    public record Retention(Duration journal, Duration transcripts, Duration every, int batch) {
        public Retention {
            var wrong = new ArrayList<String>();
            if (!journal.isZero() && transcripts.compareTo(journal) > 0) {
                wrong.add("transcripts: " + transcripts + " (expected: at most journal, " + journal + ")");
            }
            if (journal.isNegative() || transcripts.isNegative()) {
                wrong.add("journal, transcripts: " + journal + ", " + transcripts + " (expected: not negative)");
            }
            if (every.compareTo(Duration.ofSeconds(1)) < 0) {
                wrong.add("every: " + every + " (expected: at least 1 second)");
            }
            if (batch < 1 || batch > 10_000) {
                wrong.add("batch: " + batch + " (expected: 1..10000)");
            }
            if (!wrong.isEmpty()) {
                throw new IllegalArgumentException("parley.session.retention: " + String.join("; ", wrong));
            }
        }
    }

    /** Reads both blocks of a whole configuration. */
    public static PrivacySettings from(Config config) {
        var transcripts = config.getConfig("parley.session.transcripts");
        var retention = config.getConfig("parley.session.retention");
        return new PrivacySettings(
                transcripts.getBoolean("redact"),
                transcripts.getBoolean("store"),
                new Retention(
                        retention.getDuration("journal"),
                        retention.getDuration("transcripts"),
                        retention.getDuration("every"),
                        retention.getInt("batch")));
    }

    Transcripts transcripts() {
        return new Transcripts(redact, store);
    }
}
