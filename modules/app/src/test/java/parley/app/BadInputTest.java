package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.protocol.Wire;

/**
 * What a whole node answers to what it should not have been sent. Beside every case another caller has a session on the
 * same node, and does a turn in it when the case is over.
 *
 * <p>F0, F1, B8: bad input is answered and loses nothing.
 */
@Tag("stream")
class BadInputTest {
    private static final String REALTIME = "/v1/realtime?model=simulator";
    private static final String VOICE = "/v1/ws/voice?model=simulator";
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final TestNode NODE = TestNode.shared();

    private static Caller bystander;

    @BeforeAll
    static void aBystanderCalls() throws IOException {
        bystander = Caller.of(NODE, REALTIME, "bystander");
        bystander.turn();
    }

    @AfterEach
    void theBystanderIsUndisturbed() throws IOException {
        bystander.turn();
    }

    @AfterAll
    static void theBystanderLeaves() throws IOException {
        bystander.close();
    }

    // ---- events

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{nope|invalid_event",
                "not JSON at all|invalid_event",
                "{\"type\":\"response.create\"|invalid_event",
                "{\"type\":\"response.create\"} trailing|invalid_event",
                "[]|invalid_event",
                "5|invalid_event",
                "\"response.create\"|invalid_event",
                "null|invalid_event",
                "{}|missing_required_parameter",
                "{\"event_id\":\"e1\"}|missing_required_parameter",
                "{\"type\":5}|invalid_value",
                "{\"type\":null}|invalid_value",
                "{\"type\":\"session.update\",\"type\":\"response.create\"}|invalid_event",
                "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"type\":\"realtime\"}}|invalid_event",
            })
    void anEventThatIsNoneIsAnsweredByAnErrorAndTheConversationGoesOn(String event, String code) throws IOException {
        for (var face : List.of(REALTIME, VOICE)) {
            try (var caller = Caller.of(NODE, face, "clumsy")) {
                caller.say(event);
                var error = caller.hear("error").path("error");

                assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
                assertThat(error.path("code").asText()).isEqualTo(code);
                assertThat(error.path("message").asText()).contains("expected: ");
                caller.turn();
            }
        }
    }

    @Test
    void anUnknownTypeIsTheProvidersToRefuse() throws IOException {
        try (var caller = Caller.of(NODE, REALTIME, "clumsy")) {
            caller.say("{\"type\":\"no.such.event\",\"event_id\":\"mine\"}");
            var error = caller.hear("error").path("error");

            assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
            assertThat(error.path("event_id").asText()).isEqualTo("mine");
            caller.turn();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"???", "AAA", "AA=A", "\\u00e4"})
    void wrongBase64IsTheProvidersToRefuse(String audio) throws IOException {
        try (var caller = Caller.of(NODE, REALTIME, "clumsy")) {
            caller.say("{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + audio + "\"}");
            var error = caller.hear("error").path("error");

            assertThat(error.path("code").asText()).isEqualTo("invalid_value");
            assertThat(error.path("param").asText()).isEqualTo("audio");
            caller.turn();
        }
    }

    @Test
    void aMebibyteInOneFrameIsNothingSpecial() throws IOException {
        for (var face : List.of(REALTIME, VOICE)) {
            try (var caller = Caller.of(NODE, face, "talkative")) {
                caller.say("{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + "AAAA".repeat(256 * 1024) + "\"}");
                caller.say("{\"type\":\"input_audio_buffer.clear\"}");
                caller.hear("input_audio_buffer.cleared");
                caller.turn();
            }
        }
    }

    // ---- frames

    @Test
    void aFrameBeyondTheLimitEndsTheConnectionBeforeItIsRead() throws IOException {
        try (var caller = Caller.of(NODE, REALTIME, "clumsy")) {
            caller.write(ByteBuffer.allocate(14)
                    .put((byte) 0x81)
                    .put((byte) 0xff)
                    .putLong(21 * 1024 * 1024 + 1)
                    .putInt(0)
                    .array());

            assertThat(caller.closeCode()).isEqualTo(1009);
        }
    }

    @Test
    void aBinaryFrameIsNotForTheStrictFace() throws IOException {
        try (var caller = Caller.of(NODE, REALTIME, "clumsy")) {
            caller.frame(0x82, true, new byte[] {1, 2, 3});

            assertThat(caller.closeCode()).isEqualTo(1003);
        }
    }

    @Test
    void textThatIsNotUtf8EndsTheConnection() throws IOException {
        try (var caller = Caller.of(NODE, REALTIME, "clumsy")) {
            caller.frame(0x81, true, new byte[] {'{', '"', (byte) 0xc3, (byte) 0x28, '"', '}'});

            assertThat(caller.closeCode()).isEqualTo(1007);
        }
    }

    @Test
    void aFrameWithoutAMaskEndsTheConnection() throws IOException {
        try (var caller = Caller.of(NODE, REALTIME, "clumsy")) {
            caller.frame(0x81, false, "{\"type\":\"response.create\"}".getBytes(StandardCharsets.UTF_8));

            assertThat(caller.closeCode()).isEqualTo(1002);
        }
    }

    @Test
    void aCallerWhoVanishesInsideAFrameMayComeBack() throws Exception {
        var id = "";
        try (var caller = Caller.of(NODE, REALTIME, "clumsy")) {
            id = caller.hear("session.created").path("session").path("id").asText();
            caller.write(new byte[] {(byte) 0x81, (byte) 0xfe, 0x10, 0x00, 0, 0, 0, 0, '{', '"', 't'});
            caller.kill();
        }
        var path = "/v1/sessions/" + id;

        await(
                "the line to be free",
                () -> !described(NODE, path, "clumsy").path("attached").asBoolean(true));
        try (var again = Caller.of(NODE, "/v1/realtime?session_id=" + id, "clumsy")) {
            again.turn();
        }
    }

    // ---- who calls

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Authorization: Bearer wrong|401",
                "Authorization: Bearer EXPIRED|401",
                "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.EXPIRED|401",
                "Sec-WebSocket-Protocol: chat|400",
                "Sec-WebSocket-Protocol: openai-insecure-api-key.EXPIRED|400",
            })
    void whoeverMayNotCallIsToldBeforeTheUpgrade(String header, int status) throws IOException {
        try (var caller = new Caller(NODE)) {
            assertThat(caller.upgrade(REALTIME, header.replace("EXPIRED", NODE.token("late", Duration.ofMinutes(-5)))))
                    .isEqualTo(status);
        }
    }

    @Test
    void aPageWithAnExpiredTokenIsToldAfterTheUpgrade() throws IOException {
        try (var caller = new Caller(NODE)) {
            assertThat(caller.upgrade(
                            VOICE,
                            "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key."
                                    + NODE.token("late", Duration.ofMinutes(-5))))
                    .isEqualTo(101);
            assertThat(caller.hear("error").path("error").path("code").asText()).isEqualTo("unauthenticated");
            assertThat(caller.closeCode()).isEqualTo(1008);
        }
    }

    // ---- the provider

    @Test
    void noProviderIsTriedAgainLaterAndTheRecordSaysSo() throws Exception {
        int closed;
        try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = probe.getLocalPort();
        }
        try (var alone = TestNode.start(
                Map.of("parley.app.simulated", false, "parley.provider.url", "http://127.0.0.1:" + closed + "/v1"))) {
            assertRefused(alone, "simulator", "upstream_unavailable", 1013);
            assertThat(HTTP.send(HttpRequest.newBuilder(alone.http("/health")).build(), BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource({"401, upstream_refused, 4000", "429, rate_limit_exceeded, 1013", "503, server_error, 1013"})
    void aProviderThatRefusesIsPassedOnAndTheRecordSaysSo(int status, String code, int closeCode) throws Exception {
        assertRefused(NODE, "simulator:refuse=" + status, code, closeCode);
    }

    @Test
    void aProviderThatNeverStaysIsGivenUpAndTheRecordSaysSo() throws Exception {
        try (var impatient = TestNode.start(Map.of(
                "parley.session.redial.attempts", 2,
                "parley.session.redial.first-backoff", "10ms",
                "parley.session.redial.max-backoff", "20ms"))) {
            for (var face : List.of("realtime", "voice")) {
                var opened = opened(impatient, face, "simulator:cut_after_ms=2000");
                try (var caller = Caller.of(impatient, opened.path("connect").asText(), "clumsy")) {
                    caller.hear("session.created");

                    assertThat(caller.hear("error").path("error").path("code").asText())
                            .isEqualTo("upstream_unavailable");
                    assertThat(caller.closeCode()).isEqualTo(1013);
                }
                awaitEnd(impatient, opened, "provider_lost");
            }
        }
    }

    private static void assertRefused(TestNode node, String model, String code, int closeCode) throws Exception {
        for (var face : List.of("realtime", "voice")) {
            var opened = opened(node, face, model);
            try (var caller = Caller.of(node, opened.path("connect").asText(), "clumsy")) {
                var error = caller.hear("error").path("error").path("code").asText();

                assertThat(error).isEqualTo(code);
                assertThat(caller.closeCode()).isEqualTo(closeCode);
            }
            awaitEnd(node, opened, "provider_refused");
        }
    }

    private static JsonNode opened(TestNode node, String face, String model) throws Exception {
        var body = "{\"face\":\"" + face + "\",\"model\":\"" + model + "\"}";
        var answer = HTTP.send(
                HttpRequest.newBuilder(node.http("/v1/sessions"))
                        .header("Authorization", "Bearer " + node.token("clumsy"))
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofByteArray());
        assertThat(answer.statusCode()).isEqualTo(201);
        return Wire.parse(answer.body());
    }

    private static void awaitEnd(TestNode node, JsonNode opened, String reason) {
        await(
                "the record to say " + reason,
                () -> described(node, "/v1/sessions/" + opened.path("id").asText(), "clumsy")
                        .path("end_reason")
                        .asText()
                        .equals(reason));
    }

    private static JsonNode described(TestNode node, String path, String user) {
        try {
            return Wire.parse(HTTP.send(
                            HttpRequest.newBuilder(node.http(path))
                                    .header("Authorization", "Bearer " + node.token(user))
                                    .build(),
                            BodyHandlers.ofByteArray())
                    .body());
        } catch (IOException | InterruptedException failed) {
            throw new AssertionError(failed);
        }
    }

    private static void await(String what, java.util.function.BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("still waiting for " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    /** A bare socket: no client library would send what this sends. Every wait is bounded. */
    private static final class Caller implements AutoCloseable {
        private static final int CLOSE = 0x88;
        private static final int PING = 0x89;

        private final Socket socket;
        private final DataInputStream in;

        Caller(TestNode node) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), node.http("/").getPort());
            socket.setSoTimeout(60_000);
            socket.setTcpNoDelay(true);
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        }

        static Caller of(TestNode node, String path, String user) throws IOException {
            var caller = new Caller(node);
            assertThat(caller.upgrade(path, "Authorization: Bearer " + node.token(user)))
                    .isEqualTo(101);
            return caller;
        }

        /** The status of the answer. */
        int upgrade(String path, String header) throws IOException {
            write(("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + socket.getPort()
                            + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + header + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            var head = new StringBuilder();
            while (!head.toString().endsWith("\r\n\r\n")) {
                head.append((char) in.readUnsignedByte());
            }
            return Integer.parseInt(head.substring(9, 12));
        }

        /** A written question and its answer, whole. */
        void turn() throws IOException {
            say("{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\","
                    + "\"content\":[{\"type\":\"input_text\",\"text\":\"say exactly: still here\"}]}}");
            say("{\"type\":\"response.create\",\"response\":{\"output_modalities\":[\"text\"]}}");
            assertThat(hear("response.output_text.done").path("text").asText()).isEqualTo("still here");
            assertThat(hear("response.done").path("response").path("status").asText())
                    .isEqualTo("completed");
        }

        void say(String event) throws IOException {
            frame(0x81, true, event.getBytes(StandardCharsets.UTF_8));
        }

        /** With a mask of zeros, which changes nothing. */
        void frame(int first, boolean masked, byte[] payload) throws IOException {
            int mask = masked ? 0x80 : 0;
            var head = ByteBuffer.allocate(14).put((byte) first);
            if (payload.length < 126) {
                head.put((byte) (mask | payload.length));
            } else if (payload.length < 65_536) {
                head.put((byte) (mask | 126)).putShort((short) payload.length);
            } else {
                head.put((byte) (mask | 127)).putLong(payload.length);
            }
            if (masked) {
                head.putInt(0);
            }
            var bytes = ByteBuffer.allocate(head.position() + payload.length)
                    .put(head.flip())
                    .put(payload);
            write(bytes.array());
        }

        void write(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
        }

        /** The next event of this type. */
        JsonNode hear(String type) throws IOException {
            var others = new ArrayList<String>();
            while (true) {
                int first = in.readUnsignedByte();
                var payload = payload();
                if (first == CLOSE) {
                    throw new AssertionError("closed with " + code(payload) + " after " + others + ", not " + type);
                }
                if (first == PING) {
                    frame(0x8a, true, payload);
                    continue;
                }
                var event = Wire.parse(payload);
                if (event.path("type").asText().equals(type)) {
                    return event;
                }
                others.add(event.path("type").asText());
            }
        }

        int closeCode() throws IOException {
            while (true) {
                int first = in.readUnsignedByte();
                var payload = payload();
                if (first == CLOSE) {
                    return code(payload);
                }
            }
        }

        private static int code(byte[] payload) {
            return ByteBuffer.wrap(payload).getChar();
        }

        private byte[] payload() throws IOException {
            int length = in.readUnsignedByte();
            length = length == 126 ? in.readUnsignedShort() : length == 127 ? (int) in.readLong() : length;
            var payload = new byte[length];
            in.readFully(payload);
            return payload;
        }

        /** Drops the connection with a reset, as a killed process does. */
        void kill() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
