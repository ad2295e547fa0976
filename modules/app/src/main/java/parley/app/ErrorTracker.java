package parley.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import io.sentry.SentryClient;
import io.sentry.SentryEvent;
import io.sentry.SentryLevel;
import io.sentry.SentryOptions;
import io.sentry.protocol.Message;
import io.sentry.protocol.SentryException;
import io.sentry.protocol.SentryStackFrame;
import io.sentry.protocol.SentryStackTrace;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reports errors of the log to a tracker that speaks Sentry's protocol: message, logger, exceptions, session and trace
 * ids, tenant, and the user's pseudonym. Gets what {@link RedactingAppender} has let through, and adds nothing of the
 * machine, its addresses or its environment.
 *
 * <p>Sent beside the log, by one thread. Bounded: what waits beyond {@code unsent} is dropped, and so is what the tracker
 * refuses. A tracker that is not there costs nothing but its errors.
 */
final class ErrorTracker extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private static final Duration LAST_ONES = Duration.ofSeconds(2);
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration READ = Duration.ofSeconds(3);
    private static final List<String> TAGS = List.of("session", "tenant", "trace_id", "node");

    private final SentryClient client;

    ErrorTracker(String dsn, LogSettings settings, String release) {
        var options = new SentryOptions();
        options.setDsn(dsn);
        options.setEnvironment(settings.environment());
        options.setRelease("parley@" + release);
        options.setMaxQueueSize(settings.unsent());
        options.setConnectionTimeoutMillis((int) CONNECT.toMillis());
        options.setReadTimeoutMillis((int) READ.toMillis());
        options.setShutdownTimeoutMillis(LAST_ONES.toMillis());
        options.setAttachServerName(false);
        options.setAttachThreads(false);
        options.setAttachStacktrace(false);
        options.setEnableUncaughtExceptionHandler(false);
        options.setEnableShutdownHook(false);
        options.setEnableAutoSessionTracking(false);
        options.setSendClientReports(false);
        options.setMaxBreadcrumbs(0);
        options.setTag("service", "realtime");
        this.client = new SentryClient(options);
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (!event.getLevel().isGreaterOrEqual(Level.ERROR)) {
            return;
        }
        var report = new SentryEvent(Date.from(event.getInstant()));
        report.setLevel(SentryLevel.ERROR);
        report.setLogger(event.getLoggerName());
        report.setPlatform("java");
        var message = new Message();
        message.setFormatted(event.getFormattedMessage());
        report.setMessage(message);
        report.setExceptions(exceptions(event.getThrowableProxy()));
        report.setTag("service", "realtime");
        TAGS.forEach(tag -> {
            var value = field(event, tag);
            if (value != null) {
                report.setTag(tag, value);
            }
        });
        var user = field(event, "user");
        if (user != null) {
            var who = new io.sentry.protocol.User();
            who.setId(user);
            report.setUser(who);
        }
        client.captureEvent(report);
    }

    @Override
    public void stop() {
        super.stop();
        client.close(false);
    }

    private @Nullable String field(ILoggingEvent event, String name) {
        var pairs = event.getKeyValuePairs();
        if (pairs != null) {
            for (var pair : pairs) {
                if (pair.key.equals(name)) {
                    return String.valueOf(pair.value);
                }
            }
        }
        var known = event.getMDCPropertyMap().get(name);
        return known == null && name.equals(Logs.NODE) ? context.getProperty(Logs.NODE) : known;
    }

    /** The outermost last, as the protocol wants them. */
    private static List<SentryException> exceptions(@Nullable IThrowableProxy thrown) {
        var exceptions = new ArrayList<SentryException>();
        for (var each = thrown; each != null && exceptions.size() < 20; each = each.getCause()) {
            var exception = new SentryException();
            int dot = each.getClassName().lastIndexOf('.');
            exception.setType(each.getClassName().substring(dot + 1));
            exception.setModule(dot < 0 ? null : each.getClassName().substring(0, dot));
            exception.setValue(each.getMessage());
            exception.setStacktrace(new SentryStackTrace(frames(each)));
            exceptions.add(exception);
        }
        Collections.reverse(exceptions);
        return exceptions;
    }

    private static List<SentryStackFrame> frames(IThrowableProxy thrown) {
        var frames = new ArrayList<SentryStackFrame>();
        var stack = thrown.getStackTraceElementProxyArray();
        Arrays.stream(stack)
                .limit(100)
                .map(proxy -> proxy.getStackTraceElement())
                .forEach(element -> {
                    var frame = new SentryStackFrame();
                    frame.setModule(element.getClassName());
                    frame.setFunction(element.getMethodName());
                    frame.setFilename(element.getFileName());
                    if (element.getLineNumber() > 0) {
                        frame.setLineno(element.getLineNumber());
                    }
                    frame.setInApp(element.getClassName().startsWith("parley."));
                    frames.add(frame);
                });
        Collections.reverse(frames);
        return frames;
    }
}
