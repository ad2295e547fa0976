package parley.gateway;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parley.session.Face;
import parley.session.TraceParent;

/**
 * A connection's span, from the request until the caller is on the line, with the question whether it may be as its first
 * part. Its trace is the caller's, by {@code traceparent}, or a new one, which the answer names.
 */
final class ConnectSpan {
    static final String HEADER = "traceparent";
    /** What the answer names the trace with: of a draft of W3C's. */
    private static final String ANSWER = "traceresponse";

    private static final AttributeKey<String> FACE = AttributeKey.stringKey("parley.face");
    private static final AttributeKey<String> REASON = AttributeKey.stringKey("parley.reason");

    private final Span span;
    private final Span admit;
    private final TraceParent trace;

    private ConnectSpan(Span span, Span admit, TraceParent trace) {
        this.span = span;
        this.admit = admit;
        this.trace = trace;
    }

    /** @param header as it came; null: none */
    static ConnectSpan begin(Tracer tracer, @Nullable String header, Face face) {
        var parent = TraceParent.parse(header).map(TraceParent::context).orElse(Context.root());
        var span = tracer.spanBuilder("connect")
                .setParent(parent)
                .setSpanKind(SpanKind.SERVER)
                .setAttribute(FACE, face.name().toLowerCase(Locale.ROOT))
                .startSpan();
        var admit = tracer.spanBuilder("admit").setParent(parent.with(span)).startSpan();
        return new ConnectSpan(span, admit, TraceParent.of(span.getSpanContext()));
    }

    TraceParent trace() {
        return trace;
    }

    /** For the answer to the upgrade. */
    HttpHeaders headers() {
        return new DefaultHttpHeaders().set(ANSWER, trace.toString());
    }

    void admitted() {
        admit.end();
    }

    void refused(Problem problem) {
        if (problem.status() >= 500) {
            span.setStatus(StatusCode.ERROR);
        }
        refused(problem.code());
    }

    void refused(String code) {
        span.setAttribute(REASON, code);
        admit.end();
        span.end();
    }

    /** On the line. */
    void joined() {
        span.end();
    }

    /** Gone before the answer was there. */
    void neverOpened() {
        span.addEvent("never_opened");
        span.end();
    }
}
