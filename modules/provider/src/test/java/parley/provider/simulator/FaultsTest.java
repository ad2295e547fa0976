package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.protocol.AudioFormat;
import parley.protocol.Wire;
import parley.wire.Loops;

/** What is done to a whole simulator while it runs, over real sockets, and what it says about it. */
@Tag("stream")
class FaultsTest {

    private Loops loops;
    private Simulator simulator;

    @BeforeEach
    void start() {
        loops = Loops.create(2);
        simulator = Simulator.start(SimulatorSettings.from(ConfigFactory.load()), loops);
    }

    @AfterEach
    void stop() {
        simulator.close();
        loops.close();
    }

    @Test
    void allAreCutAndNewOnesAreTaken() {
        try (var one = connect("one");
                var two = connect("two")) {
            one.until("session.created");
            two.until("session.created");

            assertThat(simulator.faults().cutAll()).isEqualTo(2);
            for (var client : new TestClient[] {one, two}) {
                assertThatThrownBy(() -> client.closed().get(30, TimeUnit.SECONDS))
                        .isInstanceOf(ExecutionException.class);
            }
            assertThat(one.eventually(() -> simulator.story().stream().allMatch(story -> story.closed() != null)))
                    .isTrue();
            try (var three = connect("three")) {
                three.until("session.created");
                assertThat(simulator.faults().cutAll()).isEqualTo(1);
            }
        }
        assertThat(simulator.story())
                .extracting(ConnectionStory::caller)
                .containsExactlyInAnyOrder("one", "two", "three");
        assertThat(simulator.story().getFirst().closeCode()).isEqualTo(1006);
    }

    @Test
    void allFreezeAndNewOnesDoNot() {
        try (var old = connect("old")) {
            old.until("session.created");
            simulator.faults().freezeAll();
            assertThat(old.eventually(() -> simulator.story().getFirst().frozen() != null))
                    .isTrue();
            old.send("{'type':'response.create'}");

            assertThat(old.quietFor(400)).isTrue();
            assertThat(old.closed()).isNotDone();
            try (var young = connect("young")) {
                young.until("session.created");
                young.send("{'type':'response.create'}");
                assertThat(young.until("response.done").at("/response/status").asText())
                        .isEqualTo("completed");
            }
            assertThat(simulator.story().getLast().frozen()).isNull();
            simulator.faults().cutAll();
            assertThatThrownBy(() -> old.closed().get(30, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"401,invalid_api_key", "429,rate_limit_exceeded", "503,server_error", "500,server_error"})
    void newOnesAreRefusedUntilTheyAreAccepted(int status, String code) throws Exception {
        try (var old = connect("old")) {
            old.until("session.created");
            simulator.faults().refuseNew(status);
            var answer = get();

            assertThat(answer.statusCode()).isEqualTo(status);
            assertThat(Wire.parse(answer.body()).at("/error/code").asText()).isEqualTo(code);
            assertThat(answer.headers().firstValue("Retry-After").isPresent()).isEqualTo(status == 429);
            assertThatThrownBy(() -> connect("new")).hasStackTraceContaining("WebSocketHandshakeException");
            old.send("{'type':'input_audio_buffer.clear'}");
            old.until("input_audio_buffer.cleared");
            simulator.faults().acceptNew();
            try (var young = connect("new")) {
                young.until("session.created");
            }
        }
    }

    @Test
    void aStatusThatIsNoRefusalIsNamed() {
        assertThatThrownBy(() -> simulator.faults().refuseNew(200)).hasMessageContaining("status: 200");
    }

    @Test
    void downIsGoneAndUpIsBackOnTheSamePort() {
        var faults = simulator.faults();
        for (int round = 0; round < 3; round++) {
            try (var client = connect("caller")) {
                client.until("session.created");
                faults.down().toCompletableFuture().join();

                assertThatThrownBy(() -> client.closed().get(30, TimeUnit.SECONDS))
                        .isInstanceOf(ExecutionException.class);
                assertThatThrownBy(() -> connect("caller")).hasStackTraceContaining("java.net.ConnectException");
                assertThat(simulator.connections()).isZero();
            }
            faults.down().toCompletableFuture().join();
            faults.up().toCompletableFuture().join();
            faults.up().toCompletableFuture().join();
        }
        try (var client = connect("caller")) {
            client.until("session.created");
        }
        assertThat(simulator.story()).hasSize(4);
    }

    @Test
    void aPortThatSomebodyElseTookCanBeWaitedFor() throws Exception {
        var faults = simulator.faults();
        faults.down().toCompletableFuture().join();
        try (var thief = new ServerSocket(
                simulator.url().getPort(),
                1,
                java.net.InetAddress.getByName(simulator.url().getHost()))) {
            assertThat(thief.isBound()).isTrue();
            assertThatThrownBy(() -> faults.up().toCompletableFuture().join()).isInstanceOf(CompletionException.class);
        }
        faults.up().toCompletableFuture().join();

        try (var client = connect("caller")) {
            client.until("session.created");
        }
    }

    @Test
    void whatIsClosedStaysClosed() {
        var other = Simulator.start(SimulatorSettings.from(ConfigFactory.load()), loops);
        other.close();
        other.faults().up().toCompletableFuture().join();

        assertThatThrownBy(() -> TestClient.connect(other.url(), builder -> {}))
                .hasStackTraceContaining("java.net.ConnectException");
    }

    @Test
    void fromManyThreadsAtOnce() {
        var faults = simulator.faults();
        IntStream.range(0, 40).parallel().forEach(i -> {
            switch (i % 4) {
                case 0 -> faults.cutAll();
                case 1 -> faults.freezeAll();
                case 2 -> faults.down();
                default -> faults.up();
            }
        });
        faults.up().toCompletableFuture().join();

        try (var client = connect("caller")) {
            client.until("session.created");
        }
    }

    @Test
    void theStoryOfASpokenTurn() {
        var format = AudioFormat.PCM16_24K;
        try (var client = connect("caller", "?model=simulator:speed=50")) {
            client.until("session.created");
            client.hear(format, Sound.join(Sound.tone(format, 523, 900), Sound.room(format, 600)));
            client.until("response.done");

            assertThat(client.answer()).isEqualTo("I heard you speak for zero point nine seconds at 523 hertz.");
        }

        var story = simulator.story().getFirst();
        assertThat(story.caller()).isEqualTo("caller");
        assertThat(story.model()).isEqualTo("simulator:speed=50");
        assertThat(story.audioMillis()).isEqualTo(1_500);
        assertThat(story.turns())
                .hasSize(1)
                .first()
                .satisfies(turn -> assertThat(turn.hertz()).isEqualTo(523));
        assertThat(story.responses())
                .hasSize(1)
                .first()
                .satisfies(response -> assertThat(response.status()).isEqualTo("completed"));
        assertThat(story.firstAudio()).isNotNull();
        assertThat(System.nanoTime() - story.opened().nanos()).isBetween(0L, TimeUnit.MINUTES.toNanos(1));
    }

    private TestClient connect(String caller) {
        return connect(caller, "");
    }

    private TestClient connect(String caller, String query) {
        return TestClient.connect(
                URI.create(simulator.url() + query), builder -> builder.header("OpenAI-Safety-Identifier", caller));
    }

    private HttpResponse<String> get() throws Exception {
        var uri = URI.create(simulator.baseUrl() + "/realtime");
        try (var http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        }
    }
}
