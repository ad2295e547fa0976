package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.admission.ClusterQuotas;
import parley.admission.QuotaSettings;
import parley.admission.Quotas.Answer;
import parley.wire.Loops;

/** L7: a user's sessions per hour, counted by a cluster of three over one journal. */
@Tag("cluster")
class QuotasTest {
    private static final CallerId ANNA = new CallerId("anna", "acme");
    private static EmbeddedPostgres database;
    private static Journal journal;
    private static volatile Instant now = Rig.NOON;

    @BeforeAll
    static void start() throws IOException {
        database = Databases.start();
        journal = Databases.journal(database.getPort());
        journal.migrate();
    }

    @AfterAll
    static void stop() throws IOException {
        database.close();
    }

    /** Stands still until the test moves it on. */
    private static final class HeldClock extends Clock {
        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    private record Node(Loops loops, ActorSystem<Void> system, ClusterQuotas quotas) {
        static Node start(@Nullable Node seed, Map<String, ?> settings) {
            var loops = Loops.create(1);
            var config = ConfigFactory.parseMap(settings)
                    .withFallback(ConfigFactory.parseMap(Map.ofEntries(
                            Map.entry("parley.admission.sessions-per-hour", 5),
                            Map.entry("parley.admission.quota.ask-timeout", "60s"),
                            Map.entry("pekko.actor.provider", "cluster"),
                            Map.entry("pekko.loglevel", "WARNING"),
                            Map.entry("pekko.log-dead-letters", "off"),
                            Map.entry("pekko.remote.artery.canonical.hostname", "127.0.0.1"),
                            Map.entry("pekko.remote.artery.canonical.port", 0),
                            Map.entry("pekko.remote.artery.transport", "tcp"),
                            Map.entry("pekko.cluster.jmx.enabled", "off"),
                            Map.entry("pekko.cluster.failure-detector.acceptable-heartbeat-pause", "60s"),
                            Map.entry("pekko.coordinated-shutdown.exit-jvm", "off"),
                            Map.entry("pekko.cluster.shutdown-after-unsuccessful-join-seed-nodes", "off"))))
                    .withFallback(journal.config())
                    .withFallback(ConfigFactory.defaultReference())
                    .resolve();
            var system = Rig.system("parley", config);
            var quotas = ClusterQuotas.start(system, QuotaSettings.from(config), new HeldClock());
            var cluster = Cluster.get(system);
            cluster.manager().tell(new Join(seed == null ? address(system) : address(seed.system())));
            var up = new CompletableFuture<Void>();
            org.apache.pekko.cluster.Cluster.get(system.classicSystem()).registerOnMemberUp(() -> up.complete(null));
            Rig.await(up);
            return new Node(loops, system, quotas);
        }

        private static org.apache.pekko.actor.Address address(ActorSystem<Void> system) {
            return Cluster.get(system).selfMember().address();
        }

        void stop() {
            CoordinatedShutdown.get(system)
                    .runAll(CoordinatedShutdown.jvmExitReason())
                    .toCompletableFuture()
                    .orTimeout(60, java.util.concurrent.TimeUnit.SECONDS)
                    .exceptionally(late -> null)
                    .join();
            loops.close();
        }
    }

    private static List<Node> three() {
        var nodes = new ArrayList<Node>();
        for (int i = 0; i < 3; i++) {
            nodes.add(Node.start(nodes.isEmpty() ? null : nodes.getFirst(), Map.of()));
        }
        return nodes;
    }

    private static List<Answer> takes(List<Node> nodes, String name, int times) {
        var asked = IntStream.range(0, times)
                .mapToObj(i -> nodes.get(i % nodes.size()).quotas().take(ANNA, name + i))
                .toList();
        return asked.stream().map(Rig::await).toList();
    }

    @Test
    void aUserBeginsFiveSessionsAnHourWhereverItCallsAndWhateverRestarts() {
        var nodes = three();
        try {
            var answers = takes(nodes, "a", 20);

            assertThat(answers).filteredOn(Answer.Granted.class::isInstance).hasSize(5);
            assertThat(answers)
                    .filteredOn(answer -> answer.equals(new Answer.Refused(5, Duration.ofHours(1))))
                    .hasSize(15);
            assertThat(nodes.stream().mapToLong(node -> node.quotas().refused()).sum())
                    .isEqualTo(15);
            assertThat(Rig.await(nodes.getLast().quotas().take(new CallerId("anna", "other"), "b")))
                    .as("another tenant's anna")
                    .isEqualTo(new Answer.Granted());
        } finally {
            nodes.forEach(Node::stop);
        }

        now = Rig.NOON.plus(Duration.ofMinutes(59));
        nodes = three();
        try {
            assertThat(takes(nodes, "c", 3))
                    .as("after a full restart")
                    .containsOnly(new Answer.Refused(5, Duration.ofMinutes(1)));

            now = Rig.NOON.plus(Duration.ofMinutes(60));
            assertThat(takes(nodes, "d", 20))
                    .as("the hour is over")
                    .filteredOn(Answer.Granted.class::isInstance)
                    .hasSize(5);
        } finally {
            nodes.forEach(Node::stop);
        }
    }

    @Test
    void whenWhoeverCountsDoesNotAnswerNobodyIsLetInUncountedUnlessTheOperatorWantsIt() throws SQLException {
        var closed = Node.start(null, Map.of("parley.admission.quota.ask-timeout", "200ms"));
        var open = Node.start(
                closed,
                Map.of(
                        "parley.admission.quota.ask-timeout",
                        "200ms",
                        "parley.admission.quota.admit-when-silent",
                        true));
        try {
            Databases.run(journal, "ALTER TABLE event_journal RENAME TO away");
            try {
                assertThat(Rig.await(closed.quotas().take(new CallerId("ben", "acme"), "x")))
                        .isEqualTo(new Answer.Unanswered(Duration.ofSeconds(5)));
                assertThat(Rig.await(open.quotas().take(new CallerId("carl", "acme"), "y")))
                        .isEqualTo(new Answer.Granted());
                assertThat(closed.quotas().unanswered()).isEqualTo(1);
                assertThat(open.quotas().unanswered()).isEqualTo(1);
            } finally {
                Databases.run(journal, "ALTER TABLE away RENAME TO event_journal");
            }
        } finally {
            closed.stop();
            open.stop();
        }
    }
}
