package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;

/** Three JVMs on three loopback addresses: the caller's node is not the session's. */
@Tag("cluster")
class ThreeNodesTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final int FRAMES = 3000;
    /** A node that has to wait for the processor is not given up, and only what is full holds a caller back. */
    private static final String PATIENT = "-Dparley.session.link.dead-after=60s"
            + " -Dparley.session.max-frames-per-second=0"
            + " -Dpekko.cluster.failure-detector.acceptable-heartbeat-pause=60s"
            + " -Dparley.wire.ping-interval=10m -Dparley.wire.pong-timeout=10m"
            // Nor is the provider in it: whoever comes in its place is told the last half second again.
            + " -Dparley.wire.upstream.ping-interval=10m -Dparley.wire.upstream.pong-timeout=10m";

    private static AppSettings settings;
    private static LocalCluster cluster;
    private static String token;

    @BeforeAll
    static void start() throws IOException {
        var ports = freePorts(5);
        System.setProperty("parley.home", TestNode.home().toString());
        var data = Files.createTempDirectory("parley-three").toString();
        var config = ConfigFactory.parseMap(Map.ofEntries(
                        Map.entry("parley.gateway.port", ports.get(0)),
                        Map.entry("parley.gateway.https.port", ports.get(1)),
                        Map.entry("parley.gateway.jwt.secret", "a-secret-that-only-tests-know-0123456789"),
                        Map.entry("parley.session.link.port", ports.get(2)),
                        Map.entry("parley.app.management-port", ports.get(3)),
                        Map.entry("parley.app.data-directory", data),
                        Map.entry("parley.gateway.https.development-certificates", data + "/tls"),
                        Map.entry("parley.app.simulated", true),
                        Map.entry("parley.provider.model", "simulator"),
                        // The simulator lives in this process. Its pings wait behind what the slow one does not take.
                        Map.entry("parley.wire.ping-interval", "10m"),
                        Map.entry("parley.wire.pong-timeout", "10m"),
                        Map.entry("pekko.remote.artery.canonical.port", ports.get(4))))
                .withFallback(AppSettings.load(TestNode.home(), "development"))
                .resolve();
        settings = AppSettings.read(config).settings();
        cluster = LocalCluster.start(
                settings,
                LocalCluster.Place.onLoopback(3, Map.of("JAVA_TOOL_OPTIONS", PATIENT)),
                (host, line) -> System.out.println(host + "  " + line),
                new Started());
        token = Gateway.tokens(settings.gateway())
                .sign(new Tokens.Bearer(new CallerId("anna", "default"), List.of()), Duration.ofMinutes(15));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void everyAudioByteCrossesTheClusterOnceAndInOrderBesideACallerWhoHardlyReads() throws Exception {
        var slow = new Caller("127.0.0.1", open("127.0.0.2"));
        var quick = new Caller("127.0.0.1", open("127.0.0.2"));
        var other = new Caller("127.0.0.3", open("127.0.0.2"));
        slow.awaitCreated();
        quick.awaitCreated();
        other.awaitCreated();
        // The slow one is sent 1,000 answers of 6.4 kB and takes ten: everything between must hold the rest back.
        var flood = Thread.ofVirtual().start(() -> slow.speak(1000, 7));
        slow.take(10);
        quick.takeAll();
        other.takeAll();
        var before = memory();

        long sentOnce = quick.speak(FRAMES, 1);
        long sentTwice = other.speak(FRAMES, 2);

        assertThat(quick.heard(FRAMES)).as(quick::order).isEqualTo(sentOnce);
        assertThat(other.heard(FRAMES)).as(other::order).isEqualTo(sentTwice);
        assertThat(memory() - before).as("MiB that three nodes grew by").isLessThan(400);
        assertThat(session("127.0.0.3", quick.id).path("node").asText()).contains("127.0.0.2");

        slow.takeAll();
        flood.join(Duration.ofMinutes(1));
        assertThat(slow.heard(1000)).as(slow::order).isEqualTo(slow.said());
        quick.end();
        other.end();
        slow.end();
    }

    @Test
    void aSessionIsReadAndEndedFromAnyNode() throws Exception {
        var id = open("127.0.0.3");

        var seen = session("127.0.0.1", id);
        var ended =
                HTTP.send(request("127.0.0.2", "/v1/sessions/" + id).DELETE().build(), BodyHandlers.ofString());

        assertThat(seen.path("node").asText()).contains("127.0.0.3");
        assertThat(JSON.readTree(ended.body()).path("end_reason").asText()).isEqualTo("ended_by_caller");
        assertThat(session("127.0.0.3", id).path("phase").asText()).isEqualTo("over");
    }

    /** O3: a real Prometheus scrapes the three of them while callers talk, and asks all that the dashboards ask. */
    @Test
    void everyQuestionOfTheDashboardsHasAnAnswer() throws Exception {
        // One that has ended, and three that talk.
        var over = talker("127.0.0.1");
        over.ask();
        over.end();
        var talkers = Stream.of("127.0.0.1", "127.0.0.2", "127.0.0.3")
                .map(ThreeNodesTest::talker)
                .map(talker -> Thread.ofVirtual().start(talker::askOnAndOn))
                .toList();

        var said = MonitoringTest.run(
                "node",
                TestNode.home().resolve("scripts/monitoring").toString(),
                "ask",
                "--seconds",
                "5",
                management("127.0.0.1"),
                management("127.0.0.2"),
                management("127.0.0.3"));

        System.out.println(said);
        talkers.forEach(Thread::interrupt);
        assertThat(said).contains("0 broken");
    }

    private static Caller talker(String host) {
        try {
            var caller = new Caller(host, open(host, "simulator"));
            caller.awaitCreated();
            caller.takeAll();
            return caller;
        } catch (Exception refused) {
            throw new IllegalStateException(refused);
        }
    }

    private static String management(String host) {
        return host + ":" + settings.managementPort();
    }

    private static String open(String host) throws Exception {
        return open(host, "simulator:echo=true");
    }

    private static String open(String host, String model) throws Exception {
        var answer = HTTP.send(
                request(host, "/v1/sessions")
                        .POST(BodyPublishers.ofString("{\"face\":\"realtime\",\"model\":\"" + model + "\"}"))
                        .build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        return JSON.readTree(answer.body()).path("id").asText();
    }

    private static JsonNode session(String host, String id) throws Exception {
        return JSON.readTree(HTTP.send(request(host, "/v1/sessions/" + id).build(), BodyHandlers.ofString())
                .body());
    }

    private static HttpRequest.Builder request(String host, String path) {
        return HttpRequest.newBuilder(
                        URI.create("http://" + host + ":" + settings.gateway().port() + path))
                .header("Authorization", "Bearer " + token)
                .timeout(Duration.ofMinutes(1));
    }

    /** Resident memory of the three nodes, in MiB. */
    private static long memory() throws IOException {
        long kib = 0;
        for (var node : cluster.nodes()) {
            for (var line : Files.readAllLines(Path.of("/proc", Long.toString(node.pid()), "status"))) {
                if (line.startsWith("VmRSS:")) {
                    kib += Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        }
        return kib / 1024;
    }

    private static List<Integer> freePorts(int count) throws IOException {
        var sockets = new ArrayList<ServerSocket>();
        for (int number = 0; number < count; number++) {
            sockets.add(new ServerSocket(0));
        }
        var ports = sockets.stream().map(ServerSocket::getLocalPort).toList();
        for (var socket : sockets) {
            socket.close();
        }
        return ports;
    }

    /** Sends numbered random audio to the simulator's echo and sums up, in order, what comes back. */
    private static final class Caller implements WebSocket.Listener {
        private final String id;
        private final WebSocket socket;
        private final CompletableFuture<Void> created = new CompletableFuture<>();
        private final Semaphore heardFrames = new Semaphore(0);
        private final Semaphore answers = new Semaphore(0);
        private final CRC32C sent = new CRC32C();
        private final CRC32C heard = new CRC32C();
        private final List<Integer> numbers = Collections.synchronizedList(new ArrayList<>());
        private final StringBuilder message = new StringBuilder();
        private volatile boolean all;
        private volatile String ended = "open";

        Caller(String host, String id) {
            this.id = id;
            this.socket = HTTP.newWebSocketBuilder()
                    .header("Authorization", "Bearer " + token)
                    .buildAsync(
                            URI.create(
                                    "ws://" + host + ":" + settings.gateway().port() + "/v1/realtime?session_id=" + id),
                            this)
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
        }

        void awaitCreated() {
            created.orTimeout(60, TimeUnit.SECONDS).join();
        }

        long speak(int frames, long seed) {
            var random = new Random(seed);
            var pcm = new byte[4800];
            for (int frame = 0; frame < frames; frame++) {
                random.nextBytes(pcm);
                ByteBuffer.wrap(pcm).putInt(frame);
                sent.update(pcm);
                var audio = Base64.getEncoder().encodeToString(pcm);
                socket.sendText("{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + audio + "\"}", true)
                        .orTimeout(60, TimeUnit.SECONDS)
                        .exceptionally(failure -> {
                            throw new AssertionError("the socket is " + ended, failure);
                        })
                        .join();
            }
            return sent.getValue();
        }

        /** Where what came back departs from what was sent: lost, doubled and swapped frames look different. */
        String order() {
            var runs = new StringBuilder(id + " heard frames");
            int from = 0;
            for (int at = 1; at <= numbers.size(); at++) {
                if (at == numbers.size() || numbers.get(at) != numbers.get(at - 1) + 1) {
                    runs.append(' ').append(numbers.get(from)).append("..").append(numbers.get(at - 1));
                    from = at;
                }
            }
            return runs.toString();
        }

        long said() {
            return sent.getValue();
        }

        /** Writes something, and has the whole answer. */
        void ask() throws InterruptedException {
            send("{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\","
                    + "\"content\":[{\"type\":\"input_text\",\"text\":\"say exactly: Good morning.\"}]}}");
            send("{\"type\":\"response.create\"}");
            assertThat(answers.tryAcquire(60, TimeUnit.SECONDS))
                    .as("an answer; the socket is %s", ended)
                    .isTrue();
        }

        /** Until it is interrupted. */
        void askOnAndOn() {
            try {
                while (true) {
                    ask();
                }
            } catch (InterruptedException enough) {
                end();
            }
        }

        private void send(String event) {
            socket.sendText(event, true).orTimeout(60, TimeUnit.SECONDS).join();
        }

        long heard(int frames) throws InterruptedException {
            assertThat(heardFrames.tryAcquire(frames, 60, TimeUnit.SECONDS))
                    .as("frames heard: %s", heardFrames.availablePermits())
                    .isTrue();
            return heard.getValue();
        }

        /** Takes so many messages and then nothing more. */
        void take(int messages) {
            socket.request(messages);
        }

        void takeAll() {
            all = true;
            socket.request(1);
        }

        void end() {
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        }

        @Override
        public void onOpen(WebSocket opened) {
            opened.request(4);
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            message.append(part);
            if (last) {
                take(message.toString());
                message.setLength(0);
            }
            if (all || !last) {
                from.request(1);
            }
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            ended = code + " " + reason;
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable error) {
            ended = error.toString();
        }

        private void take(String text) {
            try {
                var event = JSON.readTree(text);
                switch (event.path("type").asText()) {
                    case "session.created" -> created.complete(null);
                    case "response.done" -> answers.release();
                    case "response.output_audio.delta" -> {
                        var pcm = Base64.getDecoder().decode(event.path("delta").asText());
                        numbers.add(ByteBuffer.wrap(pcm).getInt());
                        heard.update(pcm);
                        heardFrames.release();
                    }
                    default -> {}
                }
            } catch (IOException malformed) {
                throw new IllegalStateException(malformed);
            }
        }
    }
}
