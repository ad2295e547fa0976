package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.stream.Materializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.AdmissionMetrics;
import parley.admission.Budget;
import parley.admission.Capacity;
import parley.admission.ClusterBudget;
import parley.admission.ClusterQuotas;
import parley.admission.ClusterRollouts;
import parley.app.NodeMetrics.Leaving;
import parley.gateway.Gateway;
import parley.meter.Meters;
import parley.provider.ProviderSettings;
import parley.provider.Providers;
import parley.provider.simulator.Simulator;
import parley.session.ClusterSessions;
import parley.session.Journal;
import parley.session.LeavePermit;
import parley.session.ProvidersByArm;
import parley.session.Spans;
import parley.session.UsedOnce;
import parley.tool.Tools;
import parley.wire.Loops;

/** One running node: what is started, in order, and ended in the reverse order. */
final class Node implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Node.class);
    /** Asks, each bounded by ask-timeout, until a node that has joined must have its sessions. */
    private static final int ATTEMPTS = 5;

    /** More than so many asks take, and the first look at where sessions are. */
    private static final Duration READY = Duration.ofSeconds(60);

    private static final Duration PART = Duration.ofSeconds(30);

    private static final Duration STOP = Duration.ofSeconds(5);

    private static final Duration LOOK = Duration.ofSeconds(1);
    /** A node that the cluster has put out ends by itself within this time, or is ended. */
    private static final Duration OUT_FOR = Duration.ofSeconds(3);

    /** For the journal to learn that sessions of a cluster that ends were let go in good order. */
    private static final Duration LET_GO = Duration.ofSeconds(2);

    /** For what its sessions said last to be counted. */
    private static final Duration FLUSH = Duration.ofSeconds(2);

    /** For the other nodes of a cluster that is ended as a whole to say so too. */
    private static final Duration OTHERS = Duration.ofMillis(300);

    /** The first phase of a shutdown that is left to the actor system, when its sessions have been handed over. */
    private static final Optional<String> LEAVE = Optional.of("cluster-leave");

    /** The same, when no node remains to take leave of: nodes that leave together wait for each other. */
    private static final Optional<String> END = Optional.of("before-actor-system-terminate");

    private final AppSettings settings;
    private final Journal journal;
    private final Loops loops;
    private final ActorSystem<Void> system;
    private final ClusterRollouts rollouts;
    private final Budget budget;
    private final ClusterSessions sessions;
    private final UsedOnce used;
    private final Gateway gateway;
    private final Management management;
    private final Tracing tracing;
    private final @Nullable Simulator simulator;
    private final @Nullable EmbeddedDatabase database;
    private final NodeMetrics metrics;
    private volatile boolean closing;

    private Node(
            AppSettings settings,
            Journal journal,
            Loops loops,
            ActorSystem<Void> system,
            ClusterRollouts rollouts,
            Budget budget,
            ClusterSessions sessions,
            UsedOnce used,
            Gateway gateway,
            Management management,
            Tracing tracing,
            @Nullable Simulator simulator,
            @Nullable EmbeddedDatabase database) {
        this.settings = settings;
        this.journal = journal;
        this.loops = loops;
        this.system = system;
        this.rollouts = rollouts;
        this.budget = budget;
        this.sessions = sessions;
        this.used = used;
        this.gateway = gateway;
        this.management = management;
        this.tracing = tracing;
        this.simulator = simulator;
        this.database = database;
        this.metrics = new NodeMetrics(system, loops, () -> sessions.metrics().live(), management::isReady);
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
            var loops = started.add(Loops.create(settings.loops()));
            var tracing = started.add(Tracing.start(
                    TracingSettings.from(settings.config()),
                    settings.gateway().version(),
                    settings.clusterHost() + ":" + settings.clusterPort()));
            var system = system(settings, journal, tracing);
            started.add(() -> stop(system, LEAVE, settings.leaving().exitWithin()));
            var meters = Meters.of(system);
            ProcessMetrics.tell(meters, settings.gateway().version());
            LogMetrics.tell(meters);
            tracing.tell(meters);
            Simulator simulator = null;
            var providers = settings.providers();
            if (settings.simulated()) {
                simulator = Simulator.start(settings.simulator(), loops, Materializer.createMaterializer(system));
                started.add(simulator);
                providers = new ArrayList<>(providers);
                providers.set(0, providers.getFirst().at(simulator.baseUrl()));
            }
            // What it last knew of the rollout is read before anybody can ask.
            var rollouts = ClusterRollouts.start(system, settings.admission(), memory(settings));
            var budget = ClusterBudget.start(system, settings.budget(), Clock.systemUTC());
            var sessions = await(ClusterSessions.start(
                    system,
                    loops,
                    byArm(settings, providers),
                    Tools.create(settings.tools(), Clock.systemUTC()),
                    settings.prices(),
                    journal,
                    settings.journaling(),
                    settings.session(),
                    settings.wire(),
                    rollouts.admission(),
                    budget,
                    rollouts.outcomes()));
            started.add(sessions::close);
            var quotas = ClusterQuotas.start(system, settings.quota(), Clock.systemUTC());
            var management = await(Management.bind(
                    system,
                    settings.gateway().host(),
                    settings.managementPort(),
                    ContactPoint.routes(system, settings)));
            join(system, settings);
            await(sessions.ready(system, ATTEMPTS), READY);
            var used = started.add(UsedOnce.in(journal, settings.journaling()));
            var gateway = await(Gateway.bind(
                    system,
                    loops,
                    new Gateway.Behind(
                            sessions,
                            AdmissionMetrics.counted(
                                    Capacity.of(
                                            ClusterBudget.guard(rollouts.admission(), budget, settings.admission()),
                                            settings.capacity()),
                                    settings.capacity(),
                                    meters),
                            rollouts,
                            quotas,
                            used,
                            sessions.costs(),
                            sessions.erasure(),
                            rollouts.tokens()),
                    settings.gateway(),
                    settings.rates(),
                    settings.wire()));
            started.add(() -> quietly(gateway::close, STOP));
            management.ready();
            LOG.info("leaving will take at most: {}", settings.leaving().ladder());
            return new Node(
                    settings,
                    journal,
                    loops,
                    system,
                    rollouts,
                    budget,
                    sessions,
                    used,
                    gateway,
                    management,
                    tracing,
                    simulator,
                    database);
        } catch (RuntimeException failed) {
            started.close();
            throw explained(failed);
        }
    }

    private static ProvidersByArm byArm(AppSettings settings, List<ProviderSettings> providers) {
        var voice = Providers.pool(providers, settings.breaker(), settings.upstreamWire());
        return settings.control().isEmpty()
                ? ProvidersByArm.alike(voice)
                : new ProvidersByArm(
                        voice, Providers.pool(settings.control(), settings.breaker(), settings.upstreamWire()));
    }

    Gateway gateway() {
        return gateway;
    }

    int managementPort() {
        return management.port();
    }

    /**
     * Leaves: says that it is not ready, takes no new calls, sends its callers to other nodes, waits for its turn, hands
     * its sessions over, leaves the cluster, and stops what was started. Where no node remains to go to, it only stops:
     * the open calls end with 1012. Takes {@code exit-within} at most, each step its own time.
     */
    @Override
    public void close() {
        closing = true;
        var leaving = settings.leaving();
        long end = System.nanoTime() + leaving.exitWithin().toNanos();
        long began = System.nanoTime();
        management.notReady();
        metrics.at(Leaving.NOT_READY);
        try (var permit = isLast() ? LeavePermit.none() : LeavePermit.ask(journal, self())) {
            boolean last = isLast() || isEverybodyLeaving(permit);
            if (!last) {
                pause(leaving.readyGrace());
            }
            quietly(gateway::unbind, STOP);
            if (!last) {
                LOG.info("leaving: {} conversations; callers are sent to other nodes", live());
                metrics.step(Leaving.CALLERS, () -> quietly(sessions::leave, leaving.callers()));
                LOG.info("leaving: waits for its turn, {} ms after the signal", since(began));
                metrics.step(Leaving.PERMIT, () -> permit.await(leaving.permitWait(), this::members));
                last = isLast() || permit.isAskedByAll(members());
            }
            if (!last) {
                LOG.info("leaving: hands {} conversations over, {} ms after the signal", live(), since(began));
                metrics.step(
                        Leaving.HAND_OVER,
                        () -> quietly(
                                () -> sessions.handOver(system, leaving.handOver()),
                                leaving.handOver().plus(STOP)));
                LOG.info("leaving: {} conversations left, {} ms after the signal", live(), since(began));
            }
            if (last) {
                LOG.info(
                        "leaving: no other node is there; {} conversations are let go, and go on when a node is back",
                        live());
                quietly(() -> sessions.letGo(LET_GO), LET_GO.plus(STOP));
            }
            metrics.at(Leaving.STOPPING);
            // No session of this node says anything any more; from here on its actors go.
            quietly(
                    () -> CompletableFuture.allOf(
                            rollouts.flush(FLUSH).toCompletableFuture(),
                            budget.flush(FLUSH).toCompletableFuture()),
                    FLUSH.plus(STOP));
            stop(system, last ? END : LEAVE, Duration.ofNanos(end - System.nanoTime()));
        }
        sessions.close();
        quietly(gateway::close, STOP);
        used.close();
        tracing.close();
        if (simulator != null) {
            simulator.close();
        }
        loops.close();
        if (database != null) {
            database.close();
        }
        LOG.info("stopped, {} ms after the signal", since(began));
    }

    /** Runs an action when the cluster has removed this node although it was not to end. At most once. */
    void onRemoved(Runnable action) {
        var once = new AtomicBoolean();
        Runnable end = () -> {
            if (!closing && once.compareAndSet(false, true)) {
                Thread.ofPlatform().name("parley-removed").start(action);
            }
        };
        system.getWhenTerminated().thenRun(end);
        // An actor system that was put out takes leave of nobody, but its sessions may keep it busy for long.
        var downed = new AtomicInteger();
        system.scheduler()
                .scheduleWithFixedDelay(
                        LOOK,
                        LOOK,
                        () -> {
                            if (isDowned() && downed.incrementAndGet() * LOOK.toMillis() > OUT_FOR.toMillis()) {
                                end.run();
                            }
                        },
                        system.executionContext());
    }

    /** Whether the cluster goes on without this node. */
    private boolean isRemoved() {
        return system.getWhenTerminated().toCompletableFuture().isDone() || isDowned();
    }

    private boolean isDowned() {
        var status = Cluster.get(system).selfMember().status();
        return status.equals(MemberStatus.down()) || status.equals(MemberStatus.removed());
    }

    /** Whether no other member is up, or this node is none any more. */
    private boolean isLast() {
        return isRemoved() || members().stream().allMatch(self()::equals);
    }

    /** Whether the whole cluster is being ended: its nodes say so at the same time. */
    private boolean isEverybodyLeaving(LeavePermit permit) {
        pause(OTHERS);
        return permit.isAskedByAll(members());
    }

    private String self() {
        return Cluster.get(system).selfMember().address().toString();
    }

    private Set<String> members() {
        return StreamSupport.stream(Cluster.get(system).state().getMembers().spliterator(), false)
                .filter(member -> member.status().equals(MemberStatus.up()))
                .map(member -> member.address().toString())
                .collect(Collectors.toSet());
    }

    private int live() {
        return sessions.metrics().live();
    }

    private static long since(long began) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    }

    private static void pause(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }

    AppSettings settings() {
        return settings;
    }

    /** Of this node alone, where several share a directory. */
    private static Path memory(AppSettings settings) {
        return settings.data().resolve("rollout").resolve(settings.clusterHost() + "-" + settings.clusterPort());
    }

    private static ActorSystem<Void> system(AppSettings settings, Journal journal, Tracing tracing) {
        Config config = journal.config()
                .withFallback(version())
                .withFallback(ConfigFactory.parseResources("application.conf"))
                .withFallback(settings.config())
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
        return ActorSystem.create(
                Behaviors.empty(),
                "parley",
                ActorSystemSetup.create(BootstrapSetup.create(config), Spans.to(tracing.tracers())));
    }

    /** The build's version, where the operator names none. */
    private static Config version() {
        return System.getenv("PARLEY_APP_VERSION") != null
                ? ConfigFactory.empty()
                : ConfigFactory.parseResources(Node.class, "version.conf");
    }

    private static void join(ActorSystem<Void> system, AppSettings settings) {
        var cluster = Cluster.get(system);
        var joining = settings.joining();
        var seeds = settings.config().getStringList("pekko.cluster.seed-nodes");
        if (joining.discovery() == JoinSettings.Discovery.KUBERNETES) {
            ContactPoint.join(system);
        } else if (seeds.isEmpty()) {
            cluster.manager()
                    .tell(new org.apache.pekko.cluster.typed.Join(
                            cluster.selfMember().address()));
        }
        var up = new CompletableFuture<Void>();
        org.apache.pekko.cluster.Cluster.get(system.classicSystem()).registerOnMemberUp(() -> up.complete(null));
        try {
            up.get(joining.within().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException alone) {
            throw new StartFailure("no cluster within " + joining.within().toSeconds() + " s (expected: "
                    + joining.expected(seeds) + ")");
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
        return await(stage, PART);
    }

    private static <T> T await(CompletionStage<T> stage, Duration atMost) {
        return stage.toCompletableFuture()
                .orTimeout(atMost.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    private static void stop(ActorSystem<Void> system, Optional<String> from, Duration atMost) {
        try {
            CoordinatedShutdown.get(system)
                    .run(CoordinatedShutdown.jvmExitReason(), from)
                    .toCompletableFuture()
                    .get(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException late) {
            system.terminate();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void quietly(Supplier<CompletionStage<?>> action, Duration atMost) {
        action.get()
                .toCompletableFuture()
                .completeOnTimeout(null, atMost.toMillis(), TimeUnit.MILLISECONDS)
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
