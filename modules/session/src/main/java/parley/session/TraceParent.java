package parley.session;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The trace that a caller's connection belongs to, in W3C's form: {@code 00-trace-span-flags}. It goes with the caller's
 * seat wherever the session moves.
 */
public record TraceParent(String traceId, String spanId, boolean sampled) {
    private static final Pattern FORM =
            Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");
    private static final int SAMPLED = 1;

    /** Empty for what is none: a trace is begun anew then, as W3C has it. */
    public static Optional<TraceParent> parse(@Nullable String header) {
        if (header == null) {
            return Optional.empty();
        }
        var parts = FORM.matcher(header.strip());
        return parts.matches()
                ? Optional.of(new TraceParent(
                        parts.group(1), parts.group(2), (Integer.parseInt(parts.group(3), 16) & SAMPLED) != 0))
                : Optional.empty();
    }

    /** That of a span; a new one where there is no tracing, so that log lines have something in common. */
    public static TraceParent of(SpanContext span) {
        return span.isValid() ? new TraceParent(span.getTraceId(), span.getSpanId(), span.isSampled()) : random();
    }

    private static TraceParent random() {
        var chance = ThreadLocalRandom.current();
        var hex = HexFormat.of();
        return new TraceParent(
                hex.toHexDigits(chance.nextLong() | 1) + hex.toHexDigits(chance.nextLong()),
                hex.toHexDigits(chance.nextLong() | 1),
                false);
    }

    /** As the parent of spans. */
    public Context context() {
        var flags = sampled ? TraceFlags.getSampled() : TraceFlags.getDefault();
        return Context.root()
                .with(Span.wrap(SpanContext.createFromRemoteParent(traceId, spanId, flags, TraceState.getDefault())));
    }

    @Override
    public String toString() {
        return "00-" + traceId + "-" + spanId + (sampled ? "-01" : "-00");
    }
}
