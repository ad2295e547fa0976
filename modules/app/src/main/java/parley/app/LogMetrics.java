package parley.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.meter.Meters;

/** Counts what is logged as a warning or an error: an alert needs no log search. One per process. */
final class LogMetrics extends AppenderBase<ILoggingEvent> {
    private static final LogMetrics PROCESS = new LogMetrics();

    private final LongAdder warnings = new LongAdder();
    private final LongAdder errors = new LongAdder();

    private LogMetrics() {}

    static void tell(Meters meters) {
        PROCESS.attach();
        var says = "Lines logged.";
        meters.counted("voice_log_events_total", says, PROCESS.warnings::sum, "level", "warn");
        meters.counted("voice_log_events_total", says, PROCESS.errors::sum, "level", "error");
    }

    private synchronized void attach() {
        if (!isStarted() && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            setContext(context);
            start();
            context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(this);
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
            errors.increment();
        } else if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
            warnings.increment();
        }
    }
}
