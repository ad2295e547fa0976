package parley.app;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
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
                        .addSpanProcessor(BatchSpanProcessor.builder(new Counted(OtlpHttpSpanExporter.builder()
                                        .setEndpoint(settings.endpoint().toString())
                                        .setTimeout(TIMEOUT)
                                        .setCompression("gzip")
                                        .build()))
                                .setMaxQueueSize(settings.queue())
                                .setMaxExportBatchSize(Math.min(BATCH, settings.queue()))
                                .setScheduleDelay(EVERY)
                                .build())
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
    }

    /** What waits is sent, if it can be had soon. */
    @Override
    public void close() {
        if (provider != null) {
            provider.shutdown().join(LAST_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** Counts what the collector takes. */
    private final class Counted implements SpanExporter {
        private final SpanExporter exporter;

        Counted(SpanExporter exporter) {
            this.exporter = exporter;
        }

        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            int count = spans.size();
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
