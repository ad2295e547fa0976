package parley.session;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSelectionMessage;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Gossip;
import org.apache.pekko.cluster.GossipEnvelope;
import org.apache.pekko.cluster.GossipStatus;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.ddata.LWWRegister;
import org.apache.pekko.cluster.ddata.SelfUniqueAddress;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.Leave;
import org.apache.pekko.remote.artery.RemoteInstrument;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.util.Version;
import parley.admission.CallerId;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What a cluster says to itself, in bytes: run by {@code scripts/measure-scale}, described in docs/scale.md. Prints lines of
 * the form of scripts/lib/scale.properties.
 */
public final class ClusterExperiment {
    private static final CallerId NOBODY = new CallerId("nobody", "nobody");
    /** As {@code placement.warm-per-second}. */
    private static final int ASKED_AT_ONCE = 20;

    private static final Duration QUIET = Duration.ofSeconds(20);
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private ClusterExperiment() {}

    /** @param arguments {@code sizes}, or {@code members}, their number and the number of shards */
    public static void main(String[] arguments) {
        Experiment.runToTheEnd(ClusterExperiment::run, arguments);
    }

    private static void run(String[] arguments) throws Exception {
        if (arguments.length == 1 && arguments[0].equals("sizes")) {
            sizes();
        } else if (arguments.length == 3 && arguments[0].equals("members")) {
            members(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
        } else {
            throw new IllegalArgumentException(String.join(" ", arguments) + " (expected: sizes | members N SHARDS)");
        }
    }

    private static Config config() {
        var here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("cluster-config"))) {
            here = here.getParent();
        }
        return ConfigFactory.parseMap(Map.of(
                        // The application's, which is not here.
                        "parley.app.management-port",
                        0,
                        "pekko.remote.artery.canonical.port",
                        0,
                        "pekko.remote.artery.advanced.instruments",
                        List.of(Traffic.class.getName()),
                        // It warns of every shard that waits for its home.
                        "pekko.loglevel",
                        "ERROR",
                        "pekko.cluster.jmx.enabled",
                        "off",
                        "pekko.cluster.shutdown-after-unsuccessful-join-seed-nodes",
                        "off",
                        // Many nodes share one machine: it is slow, and nobody is dead.
                        "pekko.cluster.failure-detector.acceptable-heartbeat-pause",
                        "60s",
                        "pekko.actor.default-dispatcher.fork-join-executor.parallelism-max",
                        2))
                .withFallback(ConfigFactory.parseFile(
                        here.resolve("cluster-config/cluster.conf").toFile()))
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
    }

    // ---- sizes

    private static void sizes() throws Exception {
        var system = ActorSystem.<Void>create(Behaviors.empty(), "parley", config());
        for (int members : new int[] {3, 10, 30, 100, 300}) {
            gossip(system, members);
        }
        for (int members : new int[] {3, 10, 30, 100}) {
            coordinator(system, members, 1000);
            coordinator(system, members, 4096);
        }
        coordinator(system, 100, 10_000);
        coordinator(system, 100, 100_000);
        system.terminate();
    }

    private static int bytes(ActorSystem<?> system, Object message) {
        return SerializationExtension.get(system).serialize(message).get().length;
    }

    private static UniqueAddress node(int number) {
        return new UniqueAddress(
                new Address("pekko", "parley", "10.0." + number / 200 + "." + (number % 200 + 1), 17355),
                0x1234_5678_9abc_def0L + number * 0x9E37_79B9_7F4A_7C15L);
    }

    private static void gossip(ActorSystem<?> system, int members) {
        var gossip = Gossip.empty();
        var roles = CollectionConverters.asScala(Set.of("dc-default")).<String>toSet();
        for (int number = 0; number < members; number++) {
            gossip = gossip.$colon$plus(
                    new Member(node(number), number + 1, MemberStatus.up(), roles, new Version("0.2.0")));
        }
        for (int number = 0; number < members; number++) {
            // Each has led, or let somebody in: the longest that a version gets.
            gossip = gossip.$colon$plus(Gossip.vclockName(node(number))).seen(node(number));
        }
        System.out.printf(
                Locale.ROOT,
                "gossip.bytes.%d=%d%n",
                members,
                bytes(system, GossipEnvelope.apply(node(0), node(1), gossip)));
        System.out.printf(
                Locale.ROOT,
                "gossip.status.bytes.%d=%d%n",
                members,
                bytes(system, new GossipStatus(node(0), gossip.version(), gossip.seenDigest())));
    }

    private static void coordinator(ActorSystem<?> system, int members, int shards) {
        var provider = ((ExtendedActorSystem) system.classicSystem()).provider();
        var regions = new ArrayList<ActorRef>();
        var state = org.apache.pekko.cluster.sharding.ShardCoordinator$Internal$State$.MODULE$.empty();
        for (int number = 0; number < members; number++) {
            var region = provider.resolveActorRef(
                    node(number).address() + "/system/sharding/session#" + (1_234_567_890L + number * 7919L));
            regions.add(region);
            state = state.updated(
                    new org.apache.pekko.cluster.sharding.ShardCoordinator$Internal$ShardRegionRegistered(region));
        }
        for (int shard = 0; shard < shards; shard++) {
            // Where rendezvous hashing puts them is as good as random.
            var region = regions.get((int) (((shard * 2_654_435_761L) >>> 7) % members));
            state = state.updated(new org.apache.pekko.cluster.sharding.ShardCoordinator$Internal$ShardHomeAllocated(
                    Integer.toString(shard), region));
        }
        var register = LWWRegister.create(new SelfUniqueAddress(node(0)), state, LWWRegister.defaultClock());
        var write = new org.apache.pekko.cluster.ddata.Replicator$Internal$Write(
                "SessionCoordinatorState",
                org.apache.pekko.cluster.ddata.Replicator$Internal$DataEnvelope$.MODULE$.apply(
                        register,
                        org.apache.pekko.cluster.ddata.Replicator$Internal$DataEnvelope$.MODULE$.apply$default$2(),
                        org.apache.pekko.cluster.ddata.Replicator$Internal$DataEnvelope$.MODULE$.apply$default$3()),
                Option.apply(node(0)));
        System.out.printf(Locale.ROOT, "coordinator.write.bytes.%d.%d=%d%n", members, shards, bytes(system, write));
    }

    // ---- members

    private record Node(ActorSystem<Void> system, ClusterSharding sharding, ShardPlacement placement) {
        String address() {
            return Cluster.get(system).selfMember().address().toString();
        }

        Set<String> up() {
            var up = ConcurrentHashMap.<String>newKeySet();
            StreamSupport.stream(Cluster.get(system).state().getMembers().spliterator(), false)
                    .filter(member -> member.status().equals(MemberStatus.up()))
                    .forEach(member -> up.add(member.address().toString()));
            return up;
        }
    }

    private static Node start(int shards) {
        var system = ActorSystem.<Void>create(Behaviors.empty(), "parley", config());
        var placement = new ShardPlacement(
                Cluster.get(system),
                shards,
                PlacementSettings.from(system.settings().config()));
        var sharding = ClusterSharding.get(system);
        sharding.init(Entity.of(VoiceSession.KEY, entity -> nobody())
                .withStopMessage(VoiceSession.Move.HAND_OVER)
                .withMessageExtractor(new ShardPlacement.ById())
                .withAllocationStrategy(placement.allocation()));
        return new Node(system, sharding, placement);
    }

    /** A session that nobody has opened. */
    private static Behavior<VoiceSession.Command> nobody() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case VoiceSession.Describe describe -> {
                describe.replyTo().tell(new Answer.Refused(Answer.Refusal.UNKNOWN, "nobody", null));
                yield Behaviors.same();
            }
            case VoiceSession.Move move -> Behaviors.stopped();
            default -> Behaviors.same();
        });
    }

    private static void members(int number, int shards) {
        var nodes = new ArrayList<Node>();
        long began = System.nanoTime();
        for (int i = 0; i < number; i++) {
            var node = start(shards);
            nodes.add(node);
            Cluster.get(node.system())
                    .manager()
                    .tell(new Join(
                            Cluster.get(nodes.getFirst().system()).selfMember().address()));
        }
        await(nodes, number);
        System.out.printf(Locale.ROOT, "# %d members joined in %d ms, load %.1f%n", number, since(began), load());
        pause(Duration.ofSeconds(5));

        Traffic.reset();
        began = System.nanoTime();
        allocate(nodes, shards);
        double took = since(began) / 1000.0;
        System.out.printf(Locale.ROOT, "members.%d.shards=%d%n", number, shards);
        System.out.printf(Locale.ROOT, "members.%d.allocations.per.second=%.0f%n", number, shards / took);
        Traffic.report("members." + number + ".allocating", 1);

        nodes.forEach(node -> node.placement().watch(node.system(), node.sharding()));
        pause(Duration.ofSeconds(6));
        Traffic.reset();
        long cpu = cpu();
        began = System.nanoTime();
        pause(QUIET);
        double quiet = since(began) / 1000.0;
        Traffic.report("members." + number + ".quiet", quiet);
        System.out.printf(
                Locale.ROOT,
                "members.%d.quiet.cpu.percent.per.node=%.2f%n",
                number,
                (cpu() - cpu) / 1e7 / quiet / number);

        var leaver = nodes.removeLast();
        Traffic.reset();
        began = System.nanoTime();
        Cluster.get(leaver.system())
                .manager()
                .tell(new Leave(Cluster.get(leaver.system()).selfMember().address()));
        await(nodes, number - 1);
        System.out.printf(Locale.ROOT, "members.%d.leave.ms=%d%n", number, since(began));
        Traffic.report("members." + number + ".leaving", 1);
        System.out.printf(Locale.ROOT, "# load %.1f%n", load());
    }

    private static void allocate(List<Node> nodes, int shards) {
        var present = nodes.getFirst().up();
        var failed = new LongAdder();
        var all = new ArrayList<CompletableFuture<?>>();
        for (var node : nodes) {
            var turns = new Semaphore(ASKED_AT_ONCE);
            var own = ShardPlacement.shardsOf(node.address(), present, shards);
            all.add(CompletableFuture.runAsync(
                            () -> own.forEach(shard -> {
                                turns.acquireUninterruptibly();
                                node.sharding()
                                        .entityRefFor(
                                                VoiceSession.KEY,
                                                SessionId.mint(shard).value())
                                        .<Answer>ask(replyTo -> new VoiceSession.Describe(NOBODY, replyTo), PATIENCE)
                                        .whenComplete((answer, silence) -> {
                                            if (silence != null) {
                                                failed.increment();
                                            }
                                            turns.release();
                                        });
                            }),
                            command -> Thread.ofPlatform().daemon().start(command))
                    .thenRun(() -> turns.acquireUninterruptibly(ASKED_AT_ONCE)));
        }
        try {
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                    .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .join();
        } catch (CompletionException late) {
            System.out.printf(Locale.ROOT, "# not all shards had a home within %s%n", PATIENCE);
        }
        if (failed.sum() > 0) {
            System.out.printf(Locale.ROOT, "# %d shards without a home%n", failed.sum());
        }
    }

    private static void await(List<Node> nodes, int members) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!nodes.stream().allMatch(node -> node.up().size() == members)) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException("not " + members + " members within " + PATIENCE);
            }
            pause(Duration.ofMillis(10));
        }
    }

    private static double load() {
        return java.lang.management.ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    /** Of this process, in nanoseconds. */
    private static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean)
                        java.lang.management.ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static long since(long began) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    }

    private static void pause(Duration time) {
        long until = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < until) {
            LockSupport.parkNanos(until - System.nanoTime());
        }
    }

    /** Counts what all systems of this process send each other, by the class of the message. */
    public static final class Traffic extends RemoteInstrument {
        private static final Map<String, LongAdder> MESSAGES = new ConcurrentHashMap<>();
        private static final Map<String, LongAdder> BYTES = new ConcurrentHashMap<>();

        /** Made by Pekko. */
        public Traffic() {}

        static void reset() {
            MESSAGES.clear();
            BYTES.clear();
        }

        /** The ten heaviest kinds, and their sum. */
        static void report(String of, double seconds) {
            var bytes = new HashMap<String, Long>();
            BYTES.forEach((kind, count) -> bytes.put(kind, count.sum()));
            System.out.printf(Locale.ROOT, "%s.bytes=%.0f%n", of, sum(BYTES) / seconds);
            System.out.printf(Locale.ROOT, "%s.messages=%.0f%n", of, sum(MESSAGES) / seconds);
            bytes.entrySet().stream()
                    .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
                    .limit(10)
                    .forEach(kind -> System.out.printf(
                            Locale.ROOT,
                            "#   %-40s %10.1f messages %12.0f bytes%n",
                            kind.getKey(),
                            MESSAGES.getOrDefault(kind.getKey(), new LongAdder())
                                            .sum()
                                    / seconds,
                            kind.getValue() / seconds));
        }

        private static double sum(Map<String, LongAdder> of) {
            return of.values().stream().mapToLong(LongAdder::sum).sum();
        }

        @Override
        public byte identifier() {
            return 31;
        }

        @Override
        public void remoteWriteMetadata(ActorRef recipient, Object message, ActorRef sender, ByteBuffer buffer) {}

        @Override
        public void remoteMessageSent(ActorRef recipient, Object message, ActorRef sender, int size, long time) {
            var sent = message instanceof ActorSelectionMessage selected ? selected.msg() : message;
            var name = sent.getClass().getName();
            var kind = name.substring(name.lastIndexOf('.') + 1);
            MESSAGES.computeIfAbsent(kind, first -> new LongAdder()).increment();
            BYTES.computeIfAbsent(kind, first -> new LongAdder()).add(size);
        }

        @Override
        public void remoteReadMetadata(ActorRef recipient, Object message, ActorRef sender, ByteBuffer buffer) {}

        @Override
        public void remoteMessageReceived(ActorRef recipient, Object message, ActorRef sender, int size, long time) {}
    }
}
