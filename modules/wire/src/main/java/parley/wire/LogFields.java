package parley.wire;

import java.util.HashMap;
import java.util.Map;
import org.slf4j.MDC;

/**
 * Whom a line of the log is about, as fields beside it: a session, a user's pseudonym. Made once for many lines, and costs
 * nothing while none is written. Thread-safe.
 */
public final class LogFields {
    /** Nobody in particular. */
    public static final LogFields NONE = new LogFields(Map.of());

    private final Map<String, String> fields;

    private LogFields(Map<String, String> fields) {
        this.fields = fields;
    }

    /** Fields with an empty value are left out. */
    public static LogFields of(Map<String, String> fields) {
        var known = new HashMap<>(fields);
        known.values().removeIf(String::isEmpty);
        return new LogFields(Map.copyOf(known));
    }

    /** Both; where both say something, this one. */
    public LogFields and(LogFields other) {
        if (other.fields.isEmpty() || other == this) {
            return this;
        }
        var all = new HashMap<>(other.fields);
        all.putAll(fields);
        return new LogFields(Map.copyOf(all));
    }

    /** Logs with these fields beside whatever is logged meanwhile. */
    public void around(Runnable line) {
        if (fields.isEmpty()) {
            line.run();
            return;
        }
        var before = MDC.getCopyOfContextMap();
        fields.forEach(MDC::put);
        try {
            line.run();
        } finally {
            if (before == null) {
                MDC.clear();
            } else {
                MDC.setContextMap(before);
            }
        }
    }
}
