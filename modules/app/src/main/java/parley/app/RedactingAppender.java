package parley.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.LoggerContextVO;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.spi.AppenderAttachable;
import ch.qos.logback.core.spi.AppenderAttachableImpl;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;
import parley.session.Redactor;

/**
 * Passes events on to the appenders within it, redacted: message, exceptions, context. In front of every other appender,
 * so that whatever form they write, nobody's address or number is in it, and no secret. Arguments do not pass as such:
 * their text is in the message.
 */
public final class RedactingAppender extends UnsynchronizedAppenderBase<ILoggingEvent>
        implements AppenderAttachable<ILoggingEvent> {
    /** Until the settings have been read. */
    private static final Confidential LOOKS_LIKE_ONE = Confidential.none();

    private final AppenderAttachableImpl<ILoggingEvent> appenders = new AppenderAttachableImpl<>();

    @Override
    protected void append(ILoggingEvent event) {
        var known = context == null ? null : context.getObject(Logs.CONFIDENTIAL);
        appenders.appendLoopOnAppenders(new Redacted(event, known instanceof Confidential own ? own : LOOKS_LIKE_ONE));
    }

    @Override
    public void stop() {
        super.stop();
        appenders.iteratorForAppenders().forEachRemaining(Appender::stop);
    }

    @Override
    public void addAppender(Appender<ILoggingEvent> appender) {
        appenders.addAppender(appender);
    }

    @Override
    public Iterator<Appender<ILoggingEvent>> iteratorForAppenders() {
        return appenders.iteratorForAppenders();
    }

    @Override
    public @Nullable Appender<ILoggingEvent> getAppender(String name) {
        return appenders.getAppender(name);
    }

    @Override
    public boolean isAttached(Appender<ILoggingEvent> appender) {
        return appenders.isAttached(appender);
    }

    @Override
    public void detachAndStopAllAppenders() {
        appenders.detachAndStopAllAppenders();
    }

    @Override
    public boolean detachAppender(Appender<ILoggingEvent> appender) {
        return appenders.detachAppender(appender);
    }

    @Override
    public boolean detachAppender(String name) {
        return appenders.detachAppender(name);
    }

    /** The message is redacted once; exceptions and context, which few events have, when they are asked for. */
    private static final class Redacted implements ILoggingEvent {
        private final ILoggingEvent event;
        private final Confidential confidential;
        private final @Nullable String message;

        Redacted(ILoggingEvent event, Confidential confidential) {
            this.event = event;
            this.confidential = confidential;
            this.message = redacted(event.getFormattedMessage(), confidential);
        }

        @Override
        public @Nullable String getMessage() {
            return message;
        }

        @Override
        public @Nullable String getFormattedMessage() {
            return message;
        }

        @Override
        public Object @Nullable [] getArgumentArray() {
            return null;
        }

        @Override
        public @Nullable IThrowableProxy getThrowableProxy() {
            return RedactedThrowable.of(event.getThrowableProxy(), confidential);
        }

        @Override
        public Map<String, String> getMDCPropertyMap() {
            return event.getMDCPropertyMap().entrySet().stream()
                    .collect(Collectors.toMap(
                            Map.Entry::getKey, entry -> Redactor.redact(confidential.hide(entry.getValue()))));
        }

        @Override
        @Deprecated
        public Map<String, String> getMdc() {
            return getMDCPropertyMap();
        }

        @Override
        public @Nullable List<KeyValuePair> getKeyValuePairs() {
            var pairs = event.getKeyValuePairs();
            return pairs == null
                    ? null
                    : pairs.stream()
                            .map(pair -> new KeyValuePair(
                                    pair.key,
                                    pair.value instanceof Number
                                            ? pair.value
                                            : redacted(String.valueOf(pair.value), confidential)))
                            .toList();
        }

        @Override
        public String getThreadName() {
            return event.getThreadName();
        }

        @Override
        public Level getLevel() {
            return event.getLevel();
        }

        @Override
        public String getLoggerName() {
            return event.getLoggerName();
        }

        @Override
        public LoggerContextVO getLoggerContextVO() {
            return event.getLoggerContextVO();
        }

        @Override
        public StackTraceElement[] getCallerData() {
            return event.getCallerData();
        }

        @Override
        public boolean hasCallerData() {
            return event.hasCallerData();
        }

        @Override
        public @Nullable List<Marker> getMarkerList() {
            return event.getMarkerList();
        }

        @Override
        public long getTimeStamp() {
            return event.getTimeStamp();
        }

        @Override
        public int getNanoseconds() {
            return event.getNanoseconds();
        }

        @Override
        public java.time.Instant getInstant() {
            return event.getInstant();
        }

        @Override
        public long getSequenceNumber() {
            return event.getSequenceNumber();
        }

        @Override
        public void prepareForDeferredProcessing() {
            event.prepareForDeferredProcessing();
        }
    }

    private static @Nullable String redacted(@Nullable String text, Confidential confidential) {
        return text == null ? null : Redactor.redact(confidential.hide(text));
    }

    private record RedactedThrowable(IThrowableProxy thrown, Confidential confidential) implements IThrowableProxy {
        static @Nullable IThrowableProxy of(@Nullable IThrowableProxy thrown, Confidential confidential) {
            return thrown == null ? null : new RedactedThrowable(thrown, confidential);
        }

        @Override
        public @Nullable String getMessage() {
            return redacted(thrown.getMessage(), confidential);
        }

        @Override
        public @Nullable String getOverridingMessage() {
            return redacted(thrown.getOverridingMessage(), confidential);
        }

        @Override
        public String getClassName() {
            return thrown.getClassName();
        }

        @Override
        public StackTraceElementProxy[] getStackTraceElementProxyArray() {
            return thrown.getStackTraceElementProxyArray();
        }

        @Override
        public int getCommonFrames() {
            return thrown.getCommonFrames();
        }

        @Override
        public @Nullable IThrowableProxy getCause() {
            return of(thrown.getCause(), confidential);
        }

        @Override
        public IThrowableProxy[] getSuppressed() {
            var suppressed = thrown.getSuppressed();
            return suppressed == null
                    ? new IThrowableProxy[0]
                    : Arrays.stream(suppressed)
                            .map(each -> new RedactedThrowable(each, confidential))
                            .toArray(IThrowableProxy[]::new);
        }

        @Override
        public boolean isCyclic() {
            return thrown.isCyclic();
        }
    }
}
