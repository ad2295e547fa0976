package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;

/** {@code parley.session.death-watch} in reference.conf, where each key is explained. */
record DeathWatchSettings(boolean enabled, int members, Duration pause, Duration answerWithin) {
    DeathWatchSettings {
        if (members < 1
                || pause.compareTo(Duration.ofMillis(1)) < 0
                || answerWithin.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("parley.session.death-watch: members " + members + ", pause " + pause
                    + ", answer-within " + answerWithin + " (expected: at least 1, 1ms and 1ms)");
        }
    }

    /** Reads the block of a whole configuration. */
    static DeathWatchSettings from(Config config) {
        var watch = config.getConfig("parley.session.death-watch");
        return new DeathWatchSettings(
                watch.getBoolean("enabled"),
                watch.getInt("members"),
                watch.getDuration("pause"),
                watch.getDuration("answer-within"));
    }
}
