package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/** {@code parley.session.journal} in reference.conf, where each key is explained. */
public record JournalSettings(
        Duration watchEvery,
        Duration watchTimeout,
        Duration sweepEvery,
        Duration sweepSlack,
        Duration sweepBack,
        int sweepSessions,
        Duration onceTimeout,
        int onceWaiting,
        Duration onceTidyEvery) {
    public JournalSettings {
        var wrong = new ArrayList<String>();
        if (watchEvery.isNegative() || watchEvery.isZero()) {
            wrong.add("watch-every: " + watchEvery + " (expected: more than 0)");
        }
        if (watchTimeout.compareTo(Duration.ofMillis(100)) < 0) {
            wrong.add("watch-timeout: " + watchTimeout + " (expected: at least 100 ms)");
        }
        if (sweepEvery.compareTo(Duration.ofMillis(100)) < 0) {
            wrong.add("sweep.every: " + sweepEvery + " (expected: at least 100 ms)");
        }
        if (sweepSlack.compareTo(sweepEvery) < 0) {
            wrong.add("sweep.slack: " + sweepSlack + " (expected: at least sweep.every, " + sweepEvery + ")");
        }
        if (sweepBack.compareTo(sweepSlack) < 0) {
            wrong.add("sweep.back: " + sweepBack + " (expected: at least sweep.slack, " + sweepSlack + ")");
        }
        if (sweepSessions < 1) {
            wrong.add("sweep.sessions: " + sweepSessions + " (expected: at least 1)");
        }
        if (onceTimeout.compareTo(Duration.ofMillis(100)) < 0) {
            wrong.add("used-once.timeout: " + onceTimeout + " (expected: at least 100 ms)");
        }
        if (onceWaiting < 1) {
            wrong.add("used-once.waiting: " + onceWaiting + " (expected: at least 1)");
        }
        if (onceTidyEvery.compareTo(Duration.ofMillis(100)) < 0) {
            wrong.add("used-once.tidy-every: " + onceTidyEvery + " (expected: at least 100 ms)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.session.journal: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.session.journal} of a whole configuration. */
    public static JournalSettings from(Config config) {
        var journal = config.getConfig("parley.session.journal");
        return new JournalSettings(
                journal.getDuration("watch-every"),
                journal.getDuration("watch-timeout"),
                journal.getDuration("sweep.every"),
                journal.getDuration("sweep.slack"),
                journal.getDuration("sweep.back"),
                journal.getInt("sweep.sessions"),
                journal.getDuration("used-once.timeout"),
                journal.getInt("used-once.waiting"),
                journal.getDuration("used-once.tidy-every"));
    }
}
