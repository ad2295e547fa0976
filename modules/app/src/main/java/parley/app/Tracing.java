package parley.app;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import parley.meter.Meters;

/**
 * Sends spans to an OTLP collector, in batches, from a thread of its own. A collector that is away costs nothing but the
 * spans: so many wait as the setting says, and the others are dropped.
 */
final class Tracing implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Duration EVERY = Duration.ofSeconds(2);
    private static final int BATCH = 512;
    /** Of a node that stops. */
    private static final long LAST_SECONDS = 3;

    private final @Nullable SdkTracerProvider provider;
    private final LongAdder sent = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private final LongAdder dropped = new LongAdder();

    private Tracing(TracingSettings settings, String version, String instance) {
        this.provider = settings.endpoint() == null
                ? null
                : SdkTracerProvider.builder()
                        .setResource(Resource.create(Attributes.of(
                                AttributeKey.stringKey("service.name"),
                                settings.service(),
                                AttributeKey.stringKey("service.version"),
                                version,
                                AttributeKey.stringKey("service.instance.id"),
                                instance)))
                        .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(settings.ratio())))
                        .addSpanProcessor(new Bounded(
                                settings.queue(),
                                OtlpHttpSpanExporter.builder()
                                        .setEndpoint(settings.endpoint().toString())
                                        .setTimeout(TIMEOUT)
                                        .setCompression("gzip")
                                        .build()))
                        .build();
    }

    /** @param instance the node, as an operator knows it */
    static Tracing start(TracingSettings settings, String version, String instance) {
        return new Tracing(settings, version, instance);
    }

    TracerProvider tracers() {
        return provider == null ? TracerProvider.noop() : provider;
    }

    void tell(Meters meters) {
        var says = "Spans that a collector took, or did not.";
        meters.counted("voice_spans_total", says, sent::sum, "result", "sent");
        meters.counted("voice_spans_total", says, lost::sum, "result", "lost");
        meters.counted("voice_spans_total", says, dropped::sum, "result", "dropped");
    }

    /** What waits is sent, if it can be had soon. */
    @Override
    public void close() {
        if (provider != null) {
            provider.shutdown().join(LAST_SECONDS, TimeUnit.SECONDS);
        }
    }

    /**
     * What the SDK's own queue drops, it tells nobody but a meter of the SDK. So it is asked for no more than it has room
     * for: the spans that wait are counted here, and those that would be too many.
     */
    private final class Bounded implements SpanProcessor {
        private final AtomicInteger waiting = new AtomicInteger();
        private final int most;
        private final BatchSpanProcessor batches;

        Bounded(int most, SpanExporter exporter) {
            this.most = most;
            this.batches = BatchSpanProcessor.builder(new Counted(exporter, waiting))
                    .setMaxQueueSize(most)
                    .setMaxExportBatchSize(Math.min(BATCH, most))
                    .setScheduleDelay(EVERY)
                    .build();
        }

        @Override
        public void onStart(Context parent, ReadWriteSpan span) {
            batches.onStart(parent, span);
        }

        @Override
        public boolean isStartRequired() {
            return batches.isStartRequired();
        }

        @Override
        public void onEnd(ReadableSpan span) {
            if (!span.getSpanContext().isSampled()) {
                return;
            }
            if (waiting.incrementAndGet() > most) {
                waiting.decrementAndGet();
                dropped.increment();
            } else {
                batches.onEnd(span);
            }
        }

        @Override
        public boolean isEndRequired() {
            return true;
        }

        @Override
        public CompletableResultCode shutdown() {
            return batches.shutdown();
        }

        @Override
        public CompletableResultCode forceFlush() {
            return batches.forceFlush();
        }
    }

    /** Counts what the collector takes. */
    private final class Counted implements SpanExporter {
        private final SpanExporter exporter;
        private final AtomicInteger waiting;

        Counted(SpanExporter exporter, AtomicInteger waiting) {
            this.exporter = exporter;
            this.waiting = waiting;
        }

        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            int count = spans.size();
            waiting.addAndGet(-count);
            var result = exporter.export(spans);
            result.whenComplete(() -> (result.isSuccess() ? sent : lost).add(count));
            return result;
        }

        @Override
        public CompletableResultCode flush() {
            return exporter.flush();
        }

        @Override
        public CompletableResultCode shutdown() {
            return exporter.shutdown();
        }
    }
}
