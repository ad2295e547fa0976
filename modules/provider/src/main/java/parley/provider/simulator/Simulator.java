package parley.provider.simulator;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.jspecify.annotations.Nullable;
import parley.wire.HttpServer;
import parley.wire.Loops;

/**
 * A running simulator: a server on a port of its own, from {@link #start} to {@link #close}.
 *
 * <p>{@link #faults} does to it what networks and providers do, {@link #story} tells what it saw. Any thread.
 */
public final class Simulator implements AutoCloseable {

    /** The one path that it answers. */
    public static final String PATH = "/v1/realtime";

    private static final long PATIENCE_SECONDS = 15;

    private final Entrance entrance;
    private final House house;
    private final Faults faults;
    private final SpeechStudio speech;
    private final @Nullable ActorSystem own;
    private final URI url;

    private Simulator(Entrance entrance, House house, SpeechStudio speech, @Nullable ActorSystem own) {
        this.entrance = entrance;
        this.house = house;
        this.faults = new Faults(house.crowd(), entrance);
        this.speech = speech;
        this.own = own;
        this.url = URI.create("ws://" + host(house.settings().host()) + ":" + entrance.port() + PATH);
    }

    /**
     * Listens, and returns when it does; with an actor system of its own. Blocks, so not from an event loop.
     *
     * @throws java.util.concurrent.CompletionException when the address cannot be had
     */
    public static Simulator start(SimulatorSettings settings, Loops loops) {
        var system = ActorSystem.create("parley-simulator");
        try {
            return start(settings, loops, SystemMaterializer.get(system).materializer(), system);
        } catch (RuntimeException failed) {
            system.terminate();
            throw failed;
        }
    }

    /** Listens, and returns when it does; the actor system stays the caller's. Blocks, so not from an event loop. */
    public static Simulator start(SimulatorSettings settings, Loops loops, Materializer materializer) {
        return start(settings, loops, materializer, null);
    }

    private static Simulator start(
            SimulatorSettings settings, Loops loops, Materializer materializer, @Nullable ActorSystem own) {
        var counters = new SimulatorCounters();
        var speech = new SpeechStudio(settings, counters);
        var house = new House(settings, speech, counters, new Crowd(), new Archive(settings, counters));
        var entrance = new Entrance(
                new InetSocketAddress(settings.host(), settings.port()),
                address -> HttpServer.bind(loops, address, null, settings.wire(), materializer, new Door(house)));
        try {
            await(entrance.open());
            return new Simulator(entrance, house, speech, own);
        } catch (RuntimeException failed) {
            speech.close();
            throw failed;
        }
    }

    /** Where to connect to; add {@code ?model=…}. */
    public URI url() {
        return url;
    }

    /** The base that providers are configured with: {@code http://host:port/v1}. */
    public URI baseUrl() {
        var text = url.toString();
        return URI.create("http" + text.substring("ws".length(), text.length() - "/realtime".length()));
    }

    public SimulatorCounters counters() {
        return house.counters();
    }

    /** What can be done to all connections. */
    public Faults faults() {
        return faults;
    }

    /** What became of the newest connections, in the order in which they were opened. */
    public List<ConnectionStory> story() {
        return house.archive().stories();
    }

    /** Open connections, including those not yet upgraded. */
    public int connections() {
        return entrance.connections();
    }

    /** Takes no new connections and drops those open, without a word. */
    @Override
    public void close() {
        await(entrance.closeForGood());
        speech.close();
        if (own != null) {
            own.terminate();
            await(own.getWhenTerminated());
        }
    }

    private static String host(String name) {
        return name.contains(":") ? "[" + name + "]" : name;
    }

    private static <T> T await(CompletionStage<T> stage) {
        return stage.toCompletableFuture()
                .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
    }
}
