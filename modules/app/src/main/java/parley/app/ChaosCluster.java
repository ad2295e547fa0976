package parley.app;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;
import parley.provider.simulator.ConnectionStory;
import parley.provider.simulator.Simulator;
import parley.provider.simulator.SimulatorSettings;
import parley.wire.Loops;

/**
 * A local cluster that can be broken in every way there is: nodes, the way to the provider, the way to the database, the
 * database. Ports, data and secrets are its own; what the nodes say goes to a file.
 */
final class ChaosCluster implements AutoCloseable {

    /** What of it differs from run to run. */
    enum Kind {
        PLAIN,
        /** There is a second provider. */
        FALLBACK,
        /** The provider ends connections early, and the nodes know. */
        AGEING
    }

    static final String MODEL = "simulator";

    private static final String NOBODYS = "sess_0000000000000000000000";
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int NOT_FOUND = 404;
    private static final String LOOPBACK = "127.0.0.1";
    /** Every connection of a run: callers times upstreams times faults. */
    private static final int KEPT_STORIES = 50_000;

    private static final Map<String, String> AGE_LIMIT = Map.of("age_limit_s", "20");

    private final Started started = new Started();
    private final AppSettings settings;
    private final LocalCluster cluster;
    private final EmbeddedDatabase database;
    private final Relay toProvider;
    private final Relay toDatabase;
    private final List<Simulator> simulators = new ArrayList<>();
    private final List<LocalCluster.Place> places;

    private ChaosCluster(int nodes, Kind kind, @Nullable ChaosNetwork network, Scratch scratch) {
        this.settings = settings(scratch);
        try {
            database = started.add(EmbeddedDatabase.start(scratch.directory()));
            var loops = started.add(Loops.create(0));
            var simulator = simulator(
                    kind == Kind.AGEING ? settings.simulator().behaving(AGE_LIMIT) : settings.simulator(), loops);
            toDatabase = started.add(Relay.open(
                    network == null ? LOOPBACK : network.databaseHost(),
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), database.port())));
            var providerHost = network == null ? LOOPBACK : network.providerHost();
            toProvider = started.add(Relay.open(providerHost, addressOf(simulator)));
            var environment = environment(
                    network == null ? LOOPBACK : network.databaseHost(),
                    toDatabase.port(),
                    "http://" + providerHost + ":" + toProvider.port() + "/v1");
            if (kind == Kind.FALLBACK) {
                var way = started.add(Relay.open(providerHost, addressOf(simulator(settings.simulator(), loops))));
                environment.put("PARLEY_FALLBACK_URL", "http://" + providerHost + ":" + way.port() + "/v1");
                environment.put("PARLEY_FALLBACK_MODEL", MODEL);
            }
            if (kind == Kind.AGEING) {
                environment.put("PARLEY_PROVIDER_MAX_AGE", "15s");
            }
            places = network == null ? LocalCluster.Place.onLoopback(nodes, environment) : network.places(environment);
            cluster =
                    LocalCluster.start(settings, places, log(scratch.directory().resolve("nodes.log"))::say, started);
        } catch (RuntimeException failed) {
            started.close();
            throw failed;
        }
    }

    /**
     * Returns when every node takes calls.
     *
     * @param network null: on loopback
     * @param scratch empty, and ours until {@link #close}
     */
    static ChaosCluster start(int nodes, Kind kind, @Nullable ChaosNetwork network, Scratch scratch) {
        return new ChaosCluster(nodes, kind, network, scratch);
    }

    AppSettings settings() {
        return settings;
    }

    /** Where callers connect, in the order of the nodes. */
    List<URI> addresses() {
        return places.stream()
                .map(place -> URI.create(
                        "ws://" + place.host() + ":" + settings.gateway().port() + "/"))
                .toList();
    }

    /** Whether the node can ask for any session: it says that there is none of this name. */
    boolean serves(int number) throws InterruptedException {
        var address = URI.create("http" + addresses().get(number).toString().substring("ws".length()))
                .resolve("/v1/sessions/" + NOBODYS);
        var token = Gateway.tokens(settings.gateway())
                .sign(new Tokens.Bearer(new CallerId("nobody", "default"), List.of()), PATIENCE);
        try (var http = HttpClient.newHttpClient()) {
            var answer = http.send(
                    HttpRequest.newBuilder(address)
                            .header("Authorization", "Bearer " + token)
                            .timeout(PATIENCE)
                            .build(),
                    BodyHandlers.discarding());
            return answer.statusCode() == NOT_FOUND;
        } catch (IOException unreachable) {
            return false;
        }
    }

    LocalCluster nodes() {
        return cluster;
    }

    Relay toProvider() {
        return toProvider;
    }

    Relay toDatabase() {
        return toDatabase;
    }

    EmbeddedDatabase database() {
        return database;
    }

    /** What the providers saw, connection by connection. */
    List<ConnectionStory> story() {
        return simulators.stream().flatMap(each -> each.story().stream()).toList();
    }

    @Override
    public void close() {
        cluster.close();
        started.close();
    }

    private Simulator simulator(SimulatorSettings how, Loops loops) {
        var simulator = started.add(Simulator.start(how, loops));
        simulators.add(simulator);
        return simulator;
    }

    private static InetSocketAddress addressOf(Simulator simulator) {
        return new InetSocketAddress(simulator.url().getHost(), simulator.url().getPort());
    }

    private static AppSettings settings(Scratch scratch) {
        return scratch.settings(Map.of(
                // Both are ours: the nodes are told where in their environment.
                "parley.app.database-url", "postgresql://postgres@" + LOOPBACK + ":1/postgres",
                "parley.app.simulated", false,
                "parley.simulator.kept-stories", KEPT_STORIES,
                "parley.provider.name", MODEL,
                "parley.provider.model", MODEL));
    }

    private static Map<String, String> environment(String databaseHost, int databasePort, String provider) {
        var environment = new HashMap<String, String>();
        environment.put("PARLEY_ENV", "development");
        environment.put("PARLEY_HTTPS", "false");
        environment.put("VOICE_MAX_CONNECTIONS", "10000");
        environment.put(
                "DATABASE_URL", "postgresql://postgres:postgres@" + databaseHost + ":" + databasePort + "/postgres");
        environment.put("PARLEY_PROVIDER_URL", provider);
        environment.put("OPENAI_API_KEY", "");
        environment.put("REALTIME_API_MODEL", MODEL);
        return environment;
    }

    private Log log(Path file) {
        try {
            return started.add(new Log(Files.newBufferedWriter(file)));
        } catch (IOException full) {
            throw new UncheckedIOException(full);
        }
    }

    /** A file that several nodes write to, each line with its time and its node. */
    private record Log(BufferedWriter file) implements AutoCloseable {
        synchronized void say(String host, String line) {
            try {
                file.write(LocalTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.MILLIS) + "  " + host + "  " + line
                        + "\n");
                file.flush();
            } catch (IOException closed) {
                // The last words of a node that is ended after the log.
            }
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
