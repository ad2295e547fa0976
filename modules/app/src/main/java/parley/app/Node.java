package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.stream.Materializer;
import org.jspecify.annotations.Nullable;
import parley.admission.Admission;
import parley.gateway.Gateway;
import parley.provider.Providers;
import parley.provider.simulator.Simulator;
import parley.session.ClusterSessions;
import parley.session.Journal;
import parley.tool.Tools;
import parley.wire.Loops;

/** One running node: what is started, in order, and ended in the reverse order. */
final class Node implements AutoCloseable {
    private static final Duration JOIN = Duration.ofSeconds(40);
    /** Asks, each bounded by ask-timeout, until a node that has joined must have its sessions. */
    private static final int ATTEMPTS = 5;

    private static final Duration STOP = Duration.ofSeconds(30);

    private final AppSettings settings;
    private final Loops loops;
    private final ActorSystem<Void> system;
    private final ClusterSessions sessions;
    private final Gateway gateway;
    private final Management management;
    private final @Nullable Simulator simulator;
    private final @Nullable EmbeddedDatabase database;

    private Node(
            AppSettings settings,
            Loops loops,
            ActorSystem<Void> system,
            ClusterSessions sessions,
            Gateway gateway,
            Management management,
            @Nullable Simulator simulator,
            @Nullable EmbeddedDatabase database) {
        this.settings = settings;
        this.loops = loops;
        this.system = system;
        this.sessions = sessions;
        this.gateway = gateway;
        this.management = management;
        this.simulator = simulator;
        this.database = database;
    }

    /**
     * Returns when the node takes calls; throws {@link StartFailure} when it never will.
     *
     * @param started gets each part as it comes up
     */
    static Node start(AppSettings settings, Started started) {
        requireFreePorts(settings);
        try {
            EmbeddedDatabase database = null;
            var journal = settings.journal();
            if (journal == null) {
                database = started.add(EmbeddedDatabase.start(settings.data()));
                journal = Journal.at(database.url());
            }
            journal.migrate();
            var loops = started.add(Loops.create(settings.config().getInt("parley.wire.event-loops")));
            var system = system(settings, loops, journal);
            started.add(() -> stop(system));
            Simulator simulator = null;
            var provider = settings.provider();
            if (settings.simulated()) {
                simulator = Simulator.start(settings.simulator(), loops, Materializer.createMaterializer(system));
                started.add(simulator);
                provider = provider.at(simulator.baseUrl());
            }
            var sessions = await(ClusterSessions.start(
                    system,
                    loops,
                    Providers.from(provider, settings.wire()),
                    Tools.create(settings.tools(), Clock.systemUTC()),
                    settings.prices(),
                    settings.session(),
                    settings.wire()));
            started.add(sessions::close);
            join(system, settings);
            await(sessions.ready(system, ATTEMPTS));
            var gateway = await(Gateway.bind(
                    system,
                    loops,
                    sessions,
                    Admission.create(settings.admission()),
                    settings.gateway(),
                    settings.wire()));
            started.add(() -> quietly(gateway::close));
            var management = await(Management.bind(system, settings.gateway().host(), settings.managementPort()));
            return new Node(settings, loops, system, sessions, gateway, management, simulator, database);
        } catch (RuntimeException failed) {
            started.close();
            throw explained(failed);
        }
    }

    Gateway gateway() {
        return gateway;
    }

    /** Takes no new calls, ends the open ones with 1012, leaves the cluster, and stops what was started. */
    @Override
    public void close() {
        management.notReady();
        quietly(gateway::unbind);
        stop(system);
        sessions.close();
        quietly(gateway::close);
        if (simulator != null) {
            simulator.close();
        }
        loops.close();
        if (database != null) {
            database.close();
        }
    }

    AppSettings settings() {
        return settings;
    }

    private static ActorSystem<Void> system(AppSettings settings, Loops loops, Journal journal) {
        Config config = loops.dispatchers()
                .withFallback(journal.config())
                .withFallback(settings.config())
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
        return ActorSystem.create(
                Behaviors.empty(), "parley", ActorSystemSetup.create(BootstrapSetup.create(config), loops.setup()));
    }

    private static void join(ActorSystem<Void> system, AppSettings settings) {
        var cluster = Cluster.get(system);
        if (settings.config().getStringList("pekko.cluster.seed-nodes").isEmpty()) {
            cluster.manager()
                    .tell(new org.apache.pekko.cluster.typed.Join(
                            cluster.selfMember().address()));
        }
        var up = new CompletableFuture<Void>();
        org.apache.pekko.cluster.Cluster.get(system.classicSystem()).registerOnMemberUp(() -> up.complete(null));
        try {
            up.get(JOIN.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException alone) {
            throw new StartFailure("no cluster within " + JOIN.toSeconds() + " s (expected: one of the seed nodes "
                    + settings.config().getStringList("pekko.cluster.seed-nodes") + " to answer)");
        } catch (ExecutionException failed) {
            throw new CompletionException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new StartFailure("interrupted");
        }
    }

    /** Names every taken port at once, and the variable that moves it. */
    private static void requireFreePorts(AppSettings settings) {
        var gateway = settings.gateway();
        var ports = new LinkedHashMap<String, InetSocketAddress>();
        ports.put("PARLEY_HTTP_PORT", new InetSocketAddress(gateway.host(), gateway.port()));
        if (gateway.https()) {
            ports.put("PARLEY_HTTPS_PORT", new InetSocketAddress(gateway.host(), gateway.httpsPort()));
        }
        if (gateway.voicePort() != 0) {
            ports.put("VOICE_WS_PORT", new InetSocketAddress(gateway.host(), gateway.voicePort()));
        }
        ports.put("PARLEY_MANAGEMENT_PORT", new InetSocketAddress(gateway.host(), settings.managementPort()));
        ports.put("PARLEY_ARTERY_PORT", new InetSocketAddress(settings.clusterHost(), settings.clusterPort()));
        ports.put(
                "PARLEY_LINK_PORT",
                new InetSocketAddress(
                        settings.session().linkHost(), settings.session().linkPort()));
        var taken = new ArrayList<String>();
        ports.forEach((variable, address) -> {
            try (var probe = new ServerSocket()) {
                probe.setReuseAddress(true);
                probe.bind(address);
            } catch (IOException inUse) {
                taken.add(address.getHostString() + ":" + address.getPort() + " (" + variable + "): "
                        + inUse.getMessage());
            }
        });
        if (!taken.isEmpty()) {
            boolean foreign = taken.stream().allMatch(port -> port.contains("assign requested address"));
            throw new StartFailure("cannot listen on " + String.join(", ", taken)
                    + (foreign
                            ? "\nPARLEY_HOST is no address of this machine"
                            : "\nanother program, perhaps another parley, listens there; end it, or set the variable"));
        }
    }

    private static <T> T await(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    }

    private static void stop(ActorSystem<Void> system) {
        try {
            CoordinatedShutdown.get(system)
                    .runAll(CoordinatedShutdown.jvmExitReason())
                    .toCompletableFuture()
                    .get(STOP.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException late) {
            system.terminate();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void quietly(java.util.function.Supplier<CompletionStage<?>> action) {
        action.get()
                .toCompletableFuture()
                .completeOnTimeout(null, 5, TimeUnit.SECONDS)
                .exceptionally(gone -> null)
                .join();
    }

    private static RuntimeException explained(RuntimeException failed) {
        Throwable cause = failed;
        while (cause.getCause() != null && !(cause instanceof StartFailure || cause instanceof BindException)) {
            cause = cause.getCause();
        }
        return switch (cause) {
            case StartFailure told -> told;
            case BindException taken -> new StartFailure("a port was taken meanwhile: " + taken.getMessage());
            case IllegalArgumentException wrong -> new StartFailure(String.valueOf(wrong.getMessage()));
            default ->
                failed instanceof IllegalStateException state && state.getMessage() != null
                        ? new StartFailure(state.getMessage())
                        : failed;
        };
    }
}
