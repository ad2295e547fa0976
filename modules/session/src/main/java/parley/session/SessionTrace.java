package parley.session;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.Context;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A session's spans while it lives on this node: one for its stay, and within it one for each search for a provider, each
 * answer and each tool. What happens once is an event. There is never one for a frame, and nothing that was said is in
 * any. Confined to the conversation's loop, except {@link #traceId}.
 */
final class SessionTrace {
    private static final AttributeKey<String> FACE = AttributeKey.stringKey("parley.face");
    private static final AttributeKey<String> ARM = AttributeKey.stringKey("parley.arm");
    private static final AttributeKey<String> NODE = AttributeKey.stringKey("parley.node");
    private static final AttributeKey<Boolean> TAKEN_OVER = AttributeKey.booleanKey("parley.taken_over");
    private static final AttributeKey<String> END = AttributeKey.stringKey("parley.end");

    private final Tracer tracer;
    private final String traceId;
    private final Span session;
    private final Context within;
    private final Map<String, Span> tools = new HashMap<>();
    private @Nullable Span upstream;
    private @Nullable Span turn;
    private long turns;
    private long interruptions;

    private SessionTrace(Tracer tracer, Context parent, String traceId, Span session) {
        this.tracer = tracer;
        this.traceId = traceId;
        this.session = session;
        this.within = parent.with(session);
    }

    /** Nobody looks. */
    static SessionTrace none() {
        return new SessionTrace(TracerProvider.noop().get(""), Context.root(), "", Span.getInvalid());
    }

    /** @param parent of the connection that made the session live here; null: it began before there were any */
    static SessionTrace begin(
            Tracer tracer,
            SessionId id,
            SessionEvent.Opened opened,
            boolean again,
            String node,
            @Nullable TraceParent parent) {
        var context = parent == null ? Context.root() : parent.context();
        var span = tracer.spanBuilder("voice session")
                .setParent(context)
                .setSpanKind(SpanKind.INTERNAL)
                .setAttribute(GenAi.OPERATION, GenAi.REALTIME)
                .setAttribute(GenAi.SESSION, id.value())
                .setAttribute(FACE, lower(opened.face()))
                .setAttribute(ARM, lower(opened.arm()))
                .setAttribute(NODE, node)
                .setAttribute(TAKEN_OVER, again)
                .startSpan();
        var traceId = span.getSpanContext().isValid()
                ? span.getSpanContext().getTraceId()
                : parent == null ? "" : parent.traceId();
        return new SessionTrace(tracer, context, traceId, span);
    }

    /** "" when there is none. From any thread. */
    String traceId() {
        return traceId;
    }

    // ---- providers

    /** A provider is sought. */
    void seeks() {
        if (upstream == null) {
            upstream = child("upstream", SpanKind.CLIENT);
        }
    }

    void found(String provider, String model) {
        session.setAttribute(GenAi.PROVIDER, provider);
        session.setAttribute(GenAi.MODEL, model);
        if (upstream != null) {
            upstream.setAttribute(GenAi.PROVIDER, provider);
            upstream.setAttribute(GenAi.MODEL, model);
        }
    }

    /** It has taken the conversation. */
    void opened() {
        if (upstream != null) {
            upstream.end();
            upstream = null;
        }
    }

    // ---- answers and tools

    /** An answer is due. */
    void turnBegan() {
        if (turn == null) {
            turn = child("turn", SpanKind.INTERNAL);
            turns++;
        }
    }

    void firstToken(long nanos) {
        if (turn != null) {
            turn.setAttribute(GenAi.FIRST_TOKEN_MS, TimeUnit.NANOSECONDS.toMillis(nanos));
        }
    }

    /** Something of the answer happened for the first time. */
    void inTurn(String event) {
        if (turn != null) {
            turn.addEvent(event);
        }
    }

    void spent(Tokens tokens) {
        if (turn != null) {
            turn.setAttribute(GenAi.INPUT_TOKENS, tokens.textIn() + tokens.audioIn() + tokens.imageIn());
            turn.setAttribute(GenAi.OUTPUT_TOKENS, tokens.textOut() + tokens.audioOut());
        }
    }

    void bargedIn() {
        interruptions++;
        inTurn("barge_in");
    }

    /** @param failure of the answer; null: it was none */
    void turnEnded(@Nullable String failure) {
        if (turn != null) {
            if (failure != null) {
                turn.setAttribute(GenAi.ERROR, failure).setStatus(StatusCode.ERROR);
            }
            turn.end();
            turn = null;
        }
    }

    void toolBegan(String callId, String name) {
        tools.put(
                callId,
                child(GenAi.EXECUTE_TOOL + " " + name, SpanKind.INTERNAL)
                        .setAttribute(GenAi.OPERATION, GenAi.EXECUTE_TOOL)
                        .setAttribute(GenAi.TOOL, name));
    }

    void toolEnded(String callId) {
        var span = tools.remove(callId);
        if (span != null) {
            span.end();
        }
    }

    // ---- the stay

    /** Something that happened to the session. */
    void event(String name) {
        session.addEvent(name);
    }

    void event(String name, String key, String value) {
        session.addEvent(name, Attributes.of(AttributeKey.stringKey(key), value));
    }

    /** @param how a reason, or that it goes on elsewhere */
    void ended(String how, boolean fault) {
        opened();
        turnEnded(fault ? how : null);
        tools.values().forEach(Span::end);
        tools.clear();
        session.setAttribute(END, how);
        session.setAttribute(GenAi.TURNS, turns);
        session.setAttribute(GenAi.INTERRUPTIONS, interruptions);
        if (fault) {
            session.setAttribute(GenAi.ERROR, how).setStatus(StatusCode.ERROR);
        }
        session.end();
    }

    private Span child(String name, SpanKind kind) {
        return tracer.spanBuilder(name).setParent(within).setSpanKind(kind).startSpan();
    }

    private static String lower(Enum<?> value) {
        return SessionMetrics.lower(value);
    }
}
