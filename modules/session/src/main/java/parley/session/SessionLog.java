package parley.session;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;
import parley.wire.LogFields;

/** What stands beside every line of the log that is written on behalf of a session. */
final class SessionLog {
    private SessionLog() {}

    /**
     * @param session null: not known yet
     * @param caller told by a pseudonym
     * @param traceId "": none
     */
    static LogFields of(@Nullable SessionId session, CallerId caller, String traceId) {
        return LogFields.of(Map.of(
                "session",
                session == null ? "" : session.value(),
                "user",
                caller.toString(),
                "tenant",
                caller.tenant(),
                "trace_id",
                traceId));
    }
}
