package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.net.httpserver.HttpServer;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiConsumer;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import parley.meter.Meters;

/** A node that tells a collector of its sessions, over OTLP as it is on the wire. */
@Tag("client")
class TracingTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String WORDS = "good morning";

    @Test
    void aSessionIsOneTraceFromTheCallersHeaderToTheLogLine() throws IOException {
        var log = (Logger) LoggerFactory.getLogger("parley.session.VoiceSession");
        var lines = new ListAppender<ILoggingEvent>();
        lines.start();
        log.addAppender(lines);
        log.setLevel(Level.INFO);
        try (var collector = new Collector();
                var node = TestNode.start(Map.of("parley.app.tracing.endpoint", collector.endpoint()));
                var caller = TelemetryTest.Caller.connect(
                        node, "/v1/ws/voice", "traceparent", "00-" + TRACE + "-00f067aa0ba902b7-01")) {
            caller.asks("say exactly: " + WORDS + ".");
            caller.awaits("response.done");
            caller.leaves();
            TelemetryTest.await("the session's span", () -> collector.named("voice session") != null);

            assertThat(collector.names()).contains("connect", "admit", "voice session", "upstream", "turn");
            assertThat(collector.spans).allMatch(span -> span.trace().equals(TRACE));
            var session = collector.named("voice session");
            assertThat(session.attributes())
                    .contains("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.voice.turn_count");
            var turn = collector.named("turn");
            assertThat(turn.parent()).isEqualTo(session.id());
            assertThat(turn.attributes()).contains("gen_ai.voice.first_token_latency_ms", "gen_ai.usage.output_tokens");
            assertThat(turn.events()).containsOnlyOnce("first_audio");
            assertThat(session.events()).contains("caller_attached");
            // None for a frame, and of what was said nothing.
            assertThat(collector.spans).hasSizeLessThan(10);
            assertThat(collector.raw).noneMatch(batch -> batch.contains(WORDS) || batch.contains("anna"));
            TelemetryTest.await(
                    "the log",
                    () -> lines.list.stream()
                            .anyMatch(line -> line.getFormattedMessage().contains("ended: caller_left")));
            assertThat(lines.list)
                    .allMatch(line -> TRACE.equals(line.getMDCPropertyMap().get("trace_id"))
                            && line.getMDCPropertyMap().containsKey("session"))
                    .noneMatch(line -> line.getMDCPropertyMap().toString().contains("anna"));
        } finally {
            log.detachAppender(lines);
            log.setLevel(null);
        }
    }

    /** A collector that takes its time: of all that happens meanwhile, each span is sent or counted as dropped. */
    @Test
    void spansThatFindNoRoomAreCounted() throws Exception {
        var let = new CountDownLatch(1);
        var meters = new Meters();
        try (var collector = new Collector(let)) {
            try (var tracing = Tracing.start(
                    new TracingSettings(URI.create(collector.endpoint() + "/v1/traces"), "parley", 1, 8),
                    "dev",
                    "here")) {
                tracing.tell(meters);
                var tracer = tracing.tracers().get("test");
                for (int i = 0; i < 100; i++) {
                    tracer.spanBuilder("one").startSpan().end();
                }
                assertThat(spans(meters, "sent")).isZero();
                // What waits, and the batch that is on its way.
                assertThat(spans(meters, "dropped")).isBetween(84.0, 92.0);
                let.countDown();
            }
            assertThat(spans(meters, "sent") + spans(meters, "dropped")).isEqualTo(100);
            assertThat(spans(meters, "sent")).isEqualTo(collector.spans.size()).isPositive();
            assertThat(spans(meters, "lost")).isZero();
        }
    }

    private static double spans(Meters meters, String result) {
        var line = "voice_spans_total{result=\"" + result + "\"} ";
        return meters.prometheus()
                .lines()
                .filter(said -> said.startsWith(line))
                .mapToDouble(said -> Double.parseDouble(said.substring(line.length())))
                .sum();
    }

    @Test
    void anEndpointThatIsNoneIsNamed() {
        for (var endpoint : List.of("collector:4317", "ftp://collector", "http://", "http://a b")) {
            var config = ConfigFactory.parseMap(Map.of("parley.app.tracing.endpoint", endpoint))
                    .withFallback(AppSettings.load(TestNode.home(), "development"))
                    .resolve();

            assertThatThrownBy(() -> TracingSettings.from(config))
                    .hasMessage("parley.app.tracing: endpoint: " + endpoint
                            + " (expected: http or https, as in http://127.0.0.1:4318)");
        }
    }

    private record Span(
            String trace, String id, String parent, String name, List<String> attributes, List<String> events) {}

    /** Takes what is sent to {@code /v1/traces}, and reads of it what a test asks. */
    private static final class Collector implements AutoCloseable {
        private final HttpServer server;
        final List<Span> spans = new CopyOnWriteArrayList<>();
        final List<String> raw = new CopyOnWriteArrayList<>();

        Collector() throws IOException {
            this(new CountDownLatch(0));
        }

        /** @param let before, nothing is taken */
        Collector(CountDownLatch let) throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/v1/traces", exchange -> {
                assertThat(exchange.getRequestHeaders().getFirst("Content-Type"))
                        .isEqualTo("application/x-protobuf");
                var body = new GZIPInputStream(exchange.getRequestBody()).readAllBytes();
                try {
                    let.await();
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                }
                raw.add(new String(body, StandardCharsets.ISO_8859_1));
                fields(body, (field, resource) -> fieldsOf(resource, 2, scope -> fieldsOf(scope, 2, this::span)));
                exchange.sendResponseHeaders(200, -1);
                exchange.close();
            });
            server.start();
        }

        String endpoint() {
            return "http://127.0.0.1:" + server.getAddress().getPort();
        }

        List<String> names() {
            return spans.stream().map(Span::name).toList();
        }

        @org.jspecify.annotations.Nullable
        Span named(String name) {
            return spans.stream()
                    .filter(span -> span.name().equals(name))
                    .findFirst()
                    .orElse(null);
        }

        private void span(byte[] bytes) {
            var ids = new String[3];
            var name = new String[1];
            var attributes = new ArrayList<String>();
            var events = new ArrayList<String>();
            fields(bytes, (field, value) -> {
                switch (field) {
                    case 1 -> ids[0] = HexFormat.of().formatHex(value);
                    case 2 -> ids[1] = HexFormat.of().formatHex(value);
                    case 4 -> ids[2] = HexFormat.of().formatHex(value);
                    case 5 -> name[0] = new String(value, StandardCharsets.UTF_8);
                    case 9 -> fieldsOf(value, 1, key -> attributes.add(new String(key, StandardCharsets.UTF_8)));
                    case 11 -> fieldsOf(value, 2, event -> events.add(new String(event, StandardCharsets.UTF_8)));
                    default -> {}
                }
            });
            spans.add(new Span(ids[0], ids[1], ids[2], name[0], attributes, events));
        }

        private static void fieldsOf(byte[] message, int wanted, java.util.function.Consumer<byte[]> then) {
            fields(message, (field, value) -> {
                if (field == wanted) {
                    then.accept(value);
                }
            });
        }

        /** Protocol Buffers: the fields that have a length; the others are passed over. */
        private static void fields(byte[] message, BiConsumer<Integer, byte[]> then) {
            var in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
            while (in.hasRemaining()) {
                long tag = varint(in);
                switch ((int) (tag & 7)) {
                    case 0 -> varint(in);
                    case 1 -> in.position(in.position() + 8);
                    case 2 -> {
                        var value = new byte[(int) varint(in)];
                        in.get(value);
                        then.accept((int) (tag >>> 3), value);
                    }
                    case 5 -> in.position(in.position() + 4);
                    default -> throw new IllegalStateException("wire type " + (tag & 7));
                }
            }
        }

        private static long varint(ByteBuffer in) {
            long value = 0;
            for (int shift = 0; ; shift += 7) {
                byte next = in.get();
                value |= (long) (next & 0x7f) << shift;
                if (next >= 0) {
                    return value;
                }
            }
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }
}
