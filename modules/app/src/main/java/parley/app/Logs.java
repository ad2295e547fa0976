package parley.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.spi.AppenderAttachable;
import org.slf4j.LoggerFactory;

/** What the logs of this process get to know when the settings have been read. */
final class Logs {
    /** The property that names the node. */
    static final String NODE = "node";
    /** The object that says that lines are JSON. */
    static final String JSON = "parley.log.json";
    /** The {@link Confidential} of this deployment. */
    static final String CONFIDENTIAL = "parley.log.confidential";

    private static final String REDACTED = "redacted";

    private Logs() {}

    /**
     * From now on lines have the form, the level and the node of these settings, hold no secret of this deployment, and
     * errors are reported where the settings say.
     *
     * @return ends the reporting, after what waits was sent
     */
    static AutoCloseable begin(AppSettings settings) {
        return LoggerFactory.getILoggerFactory() instanceof LoggerContext context ? begin(context, settings) : () -> {};
    }

    static AutoCloseable begin(LoggerContext context, AppSettings settings) {
        var logs = settings.logs();
        context.putProperty(NODE, settings.clusterHost() + ":" + settings.clusterPort());
        context.putObject(CONFIDENTIAL, Confidential.of(settings.config()));
        if (logs.json()) {
            context.putObject(JSON, true);
        } else {
            context.removeObject(JSON);
        }
        context.getLogger("parley").setLevel(Level.toLevel(logs.level()));
        var dsn = logs.dsn();
        var redacted = context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender(REDACTED);
        if (dsn == null || !(redacted instanceof RedactingAppender behind)) {
            return () -> {};
        }
        return report(
                context, behind, new ErrorTracker(dsn, logs, settings.gateway().version()));
    }

    /** Behind the redaction, as every other appender. */
    private static AutoCloseable report(
            LoggerContext context, AppenderAttachable<ILoggingEvent> behind, ErrorTracker tracker) {
        tracker.setContext(context);
        tracker.setName("error-tracker");
        tracker.start();
        behind.addAppender(tracker);
        return () -> {
            behind.detachAppender(tracker);
            tracker.stop();
        };
    }
}
