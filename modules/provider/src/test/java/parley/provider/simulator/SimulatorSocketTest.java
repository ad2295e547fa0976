package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.typesafe.config.ConfigFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.protocol.AudioFormat;
import parley.protocol.Wire;
import parley.wire.Loops;

/** The simulator over real sockets, with a client of foreign make. */
@Tag("stream")
class SimulatorSocketTest {

    private static final AudioFormat PCM = AudioFormat.PCM16_24K;

    private static Loops loops;
    private static Simulator simulator;

    @BeforeAll
    static void start() {
        loops = Loops.create(2);
        simulator = Simulator.start(SimulatorSettings.from(ConfigFactory.load()), loops);
    }

    @AfterAll
    static void stop() {
        simulator.close();
        loops.close();
    }

    @Test
    void aSpokenConversationOverAWire() {
        try (var client = connect("?model=simulator&speed=50")) {
            assertThat(client.until("session.created").at("/session/model").asText())
                    .isEqualTo("simulator");
            client.hear(PCM, Sound.join(Sound.voice(PCM, 2_400), Sound.room(PCM, 600)));

            assertThat(client.until("response.done").at("/response/status").asText())
                    .isEqualTo("completed");
            assertThat(client.answer()).isEqualTo("I heard you speak for two point four seconds.");
            var audio = client.audio();
            assertThat(Sound.rms(PCM, audio)).isBetween(0.03, 0.3);
            assertThat(audio.length / 48).isCloseTo(2_680, within(200));
        }
    }

    @Test
    void aModelsNameCarriesSwitchesThroughAGateway() {
        try (var client = connect("?model=simulator:silent_created=true,fail_response=insufficient_quota")) {
            client.send("{'type':'response.create'}");

            assertThat(client.next().path("type").asText()).isEqualTo("response.created");
            assertThat(client.until("response.done")
                            .at("/response/status_details/error/code")
                            .asText())
                    .isEqualTo("insufficient_quota");
        }
    }

    @Test
    void inLoadModeEachFrameComesBackAsADelta() {
        var frame = Sound.voice(PCM, 20);
        var base64 = Base64.getEncoder().encodeToString(frame);
        try (var client = connect("?model=simulator&echo=true")) {
            client.until("session.created");
            for (int i = 0; i < 120; i++) client.append(frame);

            String response = null;
            for (int i = 0; i < 120; i++) {
                var delta = client.next();
                assertThat(delta.path("type").asText()).isEqualTo("response.output_audio.delta");
                assertThat(delta.path("delta").asText()).isEqualTo(base64);
                assertThat(delta.path("output_index").asLong()).isEqualTo(i);
                assertThat(delta.path("event_id").asText()).isEqualTo("event_" + i);
                if (response == null) response = delta.path("response_id").asText();
                assertThat(delta.path("response_id").asText())
                        .isEqualTo(response)
                        .startsWith("resp_");
            }
            client.send("{'type':'session.update','session':{'type':'realtime'}}");
            assertThat(client.next().path("type").asText()).isEqualTo("session.updated");
        }
    }

    @Test
    void aFrozenConnectionStaysOpenAndSaysNothing() {
        try (var client = connect("?freeze_after_ms=100")) {
            client.until("session.created");
            assertThat(client.eventually(() -> simulator.story().getLast().frozen() != null))
                    .isTrue();
            client.send("{'type':'response.create'}");

            assertThat(client.quietFor(500)).isTrue();
            assertThat(client.closed().isDone()).isFalse();
        }
    }

    @Test
    void aCutConnectionEndsWithoutAHandshake() {
        try (var client = connect("?cut_after_ms=2000")) {
            client.until("session.created");

            assertThatThrownBy(() -> client.closed().get(30, java.util.concurrent.TimeUnit.SECONDS))
                    .isInstanceOf(java.util.concurrent.ExecutionException.class);
        }
    }

    @Test
    void anOldSessionIsToldAndClosed() throws Exception {
        try (var client = connect("?age_limit_s=1")) {
            assertThat(client.until("error").at("/error/code").asText()).isEqualTo("session_expired");
            assertThat(client.closed().get(30, java.util.concurrent.TimeUnit.SECONDS))
                    .isEqualTo(1001);
        }
    }

    @Test
    void theBetaDialectIsRefusedInTheBandAndClosed() throws Exception {
        try (var client = TestClient.connect(
                uri("?model=gpt-realtime"), builder -> builder.header("OpenAI-Beta", "realtime=v1"))) {
            assertThat(client.next().at("/error/code").asText()).isEqualTo("beta_api_shape_disabled");
            assertThat(client.closed().get(30, java.util.concurrent.TimeUnit.SECONDS))
                    .isEqualTo(4000);
        }
    }

    @Test
    void binaryMessagesAreAnsweredWithAnError() {
        try (var client = connect("")) {
            client.until("session.created");
            client.socket()
                    .sendBinary(ByteBuffer.wrap(new byte[] {1, 2, 3}), true)
                    .join();

            assertThat(client.next().at("/error/code").asText()).isEqualTo("invalid_event");
            client.send("{'type':'input_audio_buffer.clear'}");
            assertThat(client.next().path("type").asText()).isEqualTo("input_audio_buffer.cleared");
        }
    }

    @Test
    void onlyTheRealtimeSubprotocolIsSelected() {
        try (var browser = TestClient.connect(
                        uri(""), builder -> builder.subprotocols("realtime", "openai-insecure-api-key.ek_secret"));
                var plain = connect("")) {
            assertThat(browser.socket().getSubprotocol()).isEqualTo("realtime");
            assertThat(plain.socket().getSubprotocol()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "?refuse=401,401,invalid_api_key",
        "?refuse=403,403,forbidden",
        "?model=simulator:refuse=404,404,model_not_found",
        "?refuse=429,429,rate_limit_exceeded",
        "?refuse=503,503,server_error",
        "?call_id=rtc_1,404,call_id_not_found",
        "?warp=9,400,unknown_switch",
        "?model=simulator:warp=9,400,unknown_switch",
        "?speed=fast,400,unknown_switch"
    })
    void aRefusalComesBeforeTheUpgrade(String query, int status, String code) throws Exception {
        var answer = get(Simulator.PATH + query);

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(Wire.parse(answer.body()).at("/error/code").asText()).isEqualTo(code);
        assertThat(answer.headers().firstValue("Retry-After").isPresent()).isEqualTo(status == 429);
        assertThatThrownBy(() -> connect(query)).hasStackTraceContaining("WebSocketHandshakeException");
    }

    @Test
    void anUnknownSwitchIsNamedWithThoseThereAre() throws Exception {
        assertThat(Wire.parse(get(Simulator.PATH + "?warp=9").body())
                        .at("/error/message")
                        .asText())
                .contains("warp")
                .contains(Switches.NAMES);
    }

    @Test
    void otherPathsAreNotFound() throws Exception {
        assertThat(get("/v1/models").statusCode()).isEqualTo(404);
    }

    @Test
    void whenAKeyIsSetOnlyThatKeyGetsIn() {
        var settings = SimulatorSettings.from(
                ConfigFactory.parseString("parley.simulator.api-key = sesame").withFallback(ConfigFactory.load()));
        try (var locked = Simulator.start(settings, loops)) {
            var uri = URI.create(locked.url() + "?model=x");
            assertThatThrownBy(() -> TestClient.connect(uri, builder -> {}))
                    .hasStackTraceContaining("WebSocketHandshakeException");
            assertThatThrownBy(() -> TestClient.connect(uri, builder -> builder.header("Authorization", "Bearer no")))
                    .hasStackTraceContaining("WebSocketHandshakeException");
            try (var bearer = TestClient.connect(uri, builder -> builder.header("Authorization", "Bearer sesame"));
                    var browser = TestClient.connect(
                            uri, builder -> builder.subprotocols("realtime", "openai-insecure-api-key.sesame"))) {
                bearer.until("session.created");
                browser.until("session.created");
            }
            assertThat(locked.counters().refusals()).isEqualTo(2);
            assertThat(locked.counters().connections()).isEqualTo(2);
        }
    }

    @Test
    void aClientThatDoesNotReadIsDisconnectedAtTheBound() throws Exception {
        var settings = SimulatorSettings.from(ConfigFactory.parseString("parley.simulator.most-unread = 64 KiB")
                .withFallback(ConfigFactory.load()));
        try (var small = Simulator.start(settings, loops);
                var client = TestClient.connect(URI.create(small.url() + ""), builder -> {})) {
            client.until("session.created");
            client.stopReading();
            var big = "x".repeat(200_000);
            try {
                for (int i = 0; i < 200 && small.counters().overflows() == 0; i++) {
                    client.send("{'type':'conversation.item.create','item':{'type':'message','role':'user','content':"
                            + "[{'type':'input_text','text':'" + big + "'}]}}");
                }
            } catch (CompletionException disconnected) {
                // In the middle of a message.
            }
            assertThat(client.eventually(() -> small.counters().overflows() == 1))
                    .isTrue();
        }
    }

    @Test
    void aMessageOfFifteenMegabytesOfAudioIsTaken() {
        try (var client = connect("?vad=off")) {
            client.until("session.created");
            client.append(new byte[15 << 20]);
            client.send("{'type':'input_audio_buffer.commit'}");

            assertThat(client.next().path("type").asText()).isEqualTo("input_audio_buffer.committed");
        }
    }

    private static TestClient connect(String query) {
        return TestClient.connect(uri(query), builder -> {});
    }

    private static URI uri(String query) {
        return URI.create(simulator.url() + query);
    }

    private static HttpResponse<String> get(String path) throws Exception {
        var uri = URI.create(simulator.baseUrl().toString().replace("/v1", "") + path);
        try (var http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        }
    }
}
