package parley.app;

import com.typesafe.config.Config;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * {@code parley.app.log} and {@code parley.app.sentry} in reference.conf, where each key is explained.
 *
 * @param json whether a line is a JSON object
 * @param level of Parley's own loggers
 * @param dsn where errors are reported to; null: nowhere
 * @param unsent errors that wait for the tracker; of more the newest are dropped
 */
record LogSettings(boolean json, String level, @Nullable String dsn, String environment, int unsent) {
    private static final List<String> LEVELS = List.of("ERROR", "WARN", "INFO", "DEBUG", "TRACE");

    static LogSettings from(Config config) {
        var log = config.getConfig("parley.app.log");
        var sentry = config.getConfig("parley.app.sentry");
        var wrong = new ArrayList<String>();
        var format = log.getString("format");
        if (!List.of("auto", "json", "text").contains(format)) {
            wrong.add("log.format: " + format + " (expected: auto, json or text)");
        }
        var level = log.getString("level").toUpperCase(Locale.ROOT);
        if (level.equals("WARNING")) {
            level = "WARN";
        }
        if (!LEVELS.contains(level)) {
            wrong.add("log.level: " + log.getString("level") + " (expected: one of " + String.join(", ", LEVELS) + ")");
        }
        var dsn = sentry.getString("dsn");
        if (!dsn.isEmpty() && !isDsn(dsn)) {
            wrong.add("sentry.dsn: malformed (expected: https://<public key>@<host>/<project>)");
        }
        int unsent = sentry.getInt("unsent");
        if (unsent < 1) {
            wrong.add("sentry.unsent: " + unsent + " (expected: at least 1)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.app: " + String.join("; ", wrong));
        }
        boolean production = config.getBoolean("parley.gateway.production");
        var environment = sentry.getString("environment");
        return new LogSettings(
                format.equals("json") || (format.equals("auto") && production),
                level,
                dsn.isEmpty() ? null : dsn,
                environment.isEmpty() ? (production ? "production" : "development") : environment,
                unsent);
    }

    private static boolean isDsn(String text) {
        try {
            var dsn = URI.create(text);
            return List.of("http", "https").contains(String.valueOf(dsn.getScheme()))
                    && dsn.getRawUserInfo() != null
                    && dsn.getHost() != null
                    && dsn.getPath() != null
                    && dsn.getPath().matches("/.*[^/]");
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    /** The address holds a key. */
    @Override
    public String toString() {
        return "LogSettings[" + (json ? "json" : "text") + ", " + level + (dsn == null ? "" : ", error tracker") + "]";
    }
}
