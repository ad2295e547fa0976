package parley.session;

import com.typesafe.config.ConfigFactory;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.typed.Cluster;
import org.jspecify.annotations.Nullable;
import parley.admission.Admission;
import parley.admission.AdmissionSettings;
import parley.admission.Arm;
import parley.admission.Budget;
import parley.admission.CallerId;
import parley.admission.Outcomes;
import parley.session.Sessions.Join;
import parley.session.Sessions.Opening;
import parley.tool.Tools;
import parley.wire.Loops;

/** A node of a cluster on 127.0.0.1, with a provider that the test plays. */
final class TestNode implements AutoCloseable {
    final Loops loops = Loops.create(2);
    final FakeProvider provider = new FakeProvider();
    final ActorSystem<Void> system;
    final ClusterSessions sessions;

    private TestNode(Journal journal, @Nullable TestNode seed) {
        system = Rig.system(
                "parley",
                ConfigFactory.parseMap(Map.of(
                                "jdbc-read-journal.journal-sequence-retrieval.query-delay", "100ms",
                                "pekko.cluster.sharded-daemon-process.keep-alive-interval", "1s"))
                        .withFallback(ConfigFactory.parseMap(Map.of(
                                "pekko.actor.provider", "cluster",
                                "pekko.loglevel", "WARNING",
                                "pekko.log-dead-letters", "off",
                                "pekko.remote.artery.canonical.hostname", "127.0.0.1",
                                "pekko.remote.artery.canonical.port", 0,
                                "pekko.remote.artery.transport", "tcp",
                                "pekko.cluster.jmx.enabled", "off",
                                "pekko.cluster.failure-detector.acceptable-heartbeat-pause", "60s",
                                "pekko.coordinated-shutdown.exit-jvm", "off",
                                "pekko.cluster.shutdown-after-unsuccessful-join-seed-nodes", "off")))
                        .withFallback(journal.config())
                        .withFallback(ConfigFactory.defaultReference()));
        sessions = ClusterSessions.start(
                        system,
                        loops,
                        ProvidersByArm.alike(Rig.pool(provider)),
                        Tools.none(),
                        Rig.prices(),
                        journal,
                        JournalSettings.from(
                                ConfigFactory.parseMap(Map.of("parley.session.journal.watch-timeout", "30s"))
                                        .withFallback(ConfigFactory.defaultReference())
                                        .resolve()),
                        Rig.settings(
                                Map.of("parley.session.ask-timeout", "30s", "parley.session.link.dead-after", "60s")),
                        Rig.wire(),
                        Admission.create(AdmissionSettings.from(ConfigFactory.load())),
                        Budget.none(),
                        Outcomes.none())
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
        var cluster = Cluster.get(system);
        cluster.manager()
                .tell(new org.apache.pekko.cluster.typed.Join(
                        seed == null ? cluster.selfMember().address() : seed.address()));
        var up = new CompletableFuture<Void>();
        org.apache.pekko.cluster.Cluster.get(system.classicSystem()).registerOnMemberUp(() -> up.complete(null));
        up.orTimeout(60, TimeUnit.SECONDS).join();
        sessions.ready(system, 3)
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    static TestNode start(Journal journal) {
        return new TestNode(journal, null);
    }

    static TestNode join(TestNode seed, Journal journal) {
        return new TestNode(journal, seed);
    }

    private org.apache.pekko.actor.Address address() {
        return Cluster.get(system).selfMember().address();
    }

    String name() {
        return address().toString();
    }

    static Join as(CallerId caller, boolean again) {
        return new Join(new Opening(caller, Face.REALTIME, Arm.VOICE, "usual", null, null), again, null, Join.NOT_TOLD);
    }

    Answer asks(SessionId id, Join join, int loop) {
        return Rig.await(sessions.conversation(id, join, loops.get(loop)));
    }

    /** Comes on the line from this node. */
    FakePort calls(SessionId id, Join join, int loop) {
        if (!(asks(id, join, loop) instanceof Answer.Joined joined)) {
            throw new AssertionError("not joined");
        }
        return talks(joined, loop);
    }

    FakePort talks(Answer.Joined joined, int loop) {
        var caller = new FakePort(loops.get(loop));
        caller.joins(joined.line());
        return caller;
    }

    Answer.Described describes(SessionId id, CallerId caller) {
        return (Answer.Described) Rig.await(sessions.describe(id, caller));
    }

    @Override
    public void close() {
        CoordinatedShutdown.get(system)
                .runAll(CoordinatedShutdown.jvmExitReason())
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .exceptionally(late -> null)
                .join();
        sessions.close();
        loops.close();
    }
}
