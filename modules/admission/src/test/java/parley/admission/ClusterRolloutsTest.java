package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.query.javadsl.CurrentEventsByPersistenceIdQuery;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.query.javadsl.PersistenceTestKitReadJournal;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parley.admission.Rollouts.Changed;
import parley.admission.Rollouts.Proposal;
import parley.admission.Rollouts.Request;

/**
 * L1, L2, R2, R4, R9: three nodes in one JVM. Each has a journal of its own, unless a test says otherwise: what they share,
 * they tell each other.
 */
@Tag("cluster")
class ClusterRolloutsTest {
    private static final Actor AMIR = new Actor("user", "amir", "operator", "api");
    private static final CallerId ANNA = new CallerId("anna", "default");

    private record Node(ActorSystem<Void> system, ClusterRollouts rollouts) {}

    @TempDir
    private Path directory;

    private final List<Node> nodes = new ArrayList<>();
    private Map<String, String> besides = Map.of();

    @AfterEach
    void stop() {
        nodes.forEach(node -> node.system().terminate());
        nodes.forEach(node -> get(node.system().getWhenTerminated()));
    }

    @Test
    void whatIsChangedOnOneNodeIsDecidedByOnAll() {
        start(3);

        var changed = get(nodes.get(2)
                .rollouts()
                .change(
                        new Proposal(null, 0, null, null, null, null, null, null),
                        new Request(AMIR, "off", null, null, false)));

        assertThat(changed).isInstanceOf(Changed.Applied.class);
        nodes.forEach(node -> await(() -> node.rollouts().current().revision() == 1));
        nodes.forEach(node ->
                assertThat(node.rollouts().admission().admit(ANNA, Set.of())).isInstanceOf(Decision.Refused.class));
    }

    @Test
    void aKillIsKnownEverywhereWhenItIsAnsweredAndAfterARestartFromTheDisk() {
        start(3);

        var killed = get(nodes.get(1).rollouts().kill(true, Kill.Live.CLOSE, AMIR, "fire"));

        assertThat(killed.missing()).isEmpty();
        assertThat(killed.acked()).hasSize(3);
        nodes.forEach(node -> assertThat(node.rollouts().kill().on()).isTrue());
        assertThat(Files.exists(directory.resolve("0").resolve("kill.json"))).isTrue();
        assertThat(new Memory(
                                directory.resolve("2"),
                                new com.fasterxml.jackson.databind.ObjectMapper().findAndRegisterModules())
                        .kill())
                .isEqualTo(killed.kill());
    }

    @Test
    void aNodeThatComesLaterLearnsOfTheKillAndOfTheRollout() {
        start(1);
        get(nodes.getFirst().rollouts().kill(true, Kill.Live.GO_ON, AMIR, "fire"));
        get(nodes.getFirst()
                .rollouts()
                .change(
                        new Proposal(null, 3, null, null, null, null, null, null),
                        new Request(AMIR, "few", null, null, false)));

        start(1);

        await(() -> nodes.get(1).rollouts().kill().on());
        await(() -> nodes.get(1).rollouts().current().flag().percentage() == 3);
    }

    /** The oldest node holds the controller: it is gone, and nobody has noticed yet. */
    @Test
    void aKillNeedsNoControllerAndReportsWhoDidNotSayThatItKnows() {
        start(3);
        var gone = Cluster.get(nodes.getFirst().system()).selfMember().address().toString();
        nodes.getFirst().system().terminate();
        get(nodes.getFirst().system().getWhenTerminated());

        var killed = get(nodes.get(2).rollouts().kill(true, Kill.Live.GO_ON, AMIR, "fire"));

        assertThat(killed.missing()).containsExactly(gone);
        assertThat(nodes.get(1).rollouts().kill().on()).isTrue();
        assertThat(nodes.get(2).rollouts().kill().on()).isTrue();
    }

    @Test
    void aFileThatCannotBeReadIsTakenForAKill() throws Exception {
        Files.createDirectories(directory.resolve("0"));
        Files.writeString(directory.resolve("0").resolve("kill.json"), "{half");

        start(1);

        assertThat(nodes.getFirst().rollouts().kill().on()).isTrue();
        get(nodes.getFirst().rollouts().kill(false, Kill.Live.GO_ON, AMIR, "looked"));
        assertThat(nodes.getFirst().rollouts().kill().on()).isFalse();
    }

    @Test
    void theAuditKnowsOfKillsAndOfThoseWhoWereRefused() {
        start(1);
        var rollouts = nodes.getFirst().rollouts();

        get(rollouts.kill(true, Kill.Live.CLOSE, AMIR, "fire"));
        rollouts.denied(new Actor("user", "eve", "", "api"), "admin", "needs the role operator");

        await(() -> get(rollouts.history(0, 10)).size() == 2);
        var lines = get(rollouts.history(0, 10));
        assertThat(lines).extracting(Rollouts.Recorded::outcome).containsExactlyInAnyOrder("applied", "denied");
        assertThat(lines).extracting(line -> line.actor().id()).containsExactlyInAnyOrder("amir", "eve");
        assertThat(get(rollouts.verify())).isEqualTo(new Rollouts.Verified(2, 0));
        assertThat(get(rollouts.history(1, 10))).hasSize(1);
    }

    @Test
    void theAuditIsReadFromItsEndHoweverLongItIs() {
        start(1);
        var rollouts = nodes.getFirst().rollouts();
        assertThat(get(rollouts.latest(Long.MAX_VALUE, 20))).isEmpty();

        for (int i = 1; i <= 150; i++) {
            rollouts.denied(new Actor("user", "eve", "", "api"), "GET /admin/costs", "attempt");
            if (i == 1 || i == 64 || i == 65) {
                long written = i;
                await(() -> get(rollouts.latest(Long.MAX_VALUE, 1)).stream().anyMatch(line -> line.seq() == written));
            }
        }
        await(() -> get(rollouts.history(149, 1)).size() == 1);

        assertThat(get(rollouts.latest(Long.MAX_VALUE, 3)))
                .extracting(Rollouts.Recorded::seq)
                .containsExactly(150L, 149L, 148L);
        assertThat(get(rollouts.latest(1000, 1)))
                .extracting(Rollouts.Recorded::seq)
                .containsExactly(150L);
        assertThat(get(rollouts.latest(148, 2)))
                .extracting(Rollouts.Recorded::seq)
                .containsExactly(147L, 146L);
        assertThat(get(rollouts.latest(3, 20)))
                .extracting(Rollouts.Recorded::seq)
                .containsExactly(2L, 1L);
        assertThat(get(rollouts.latest(1, 20))).isEmpty();
    }

    @Test
    void aDecisionIsExplainedByTheRuleThatMade() {
        start(1);
        get(nodes.getFirst()
                .rollouts()
                .change(
                        new Proposal(null, 50, null, null, Set.of("eve"), null, null, null),
                        new Request(AMIR, "half", null, null, false)));
        await(() -> nodes.getFirst().rollouts().current().revision() == 1);

        var eve = nodes.getFirst().rollouts().explain(new CallerId("eve", "default"), Set.of());
        var other = nodes.getFirst().rollouts().explain(new CallerId("user-2", "default"), Set.of());

        assertThat(eve.rule()).isEqualTo(Decision.Why.DENIED);
        assertThat(eve.arm()).isEqualTo(Arm.CONTROL);
        assertThat(other.rule()).isEqualTo(Decision.Why.BUCKET);
        assertThat(other.bucket()).isEqualTo(75);
    }

    /** The oldest node, which has the controller and the evidence, is gone while the others have something to tell. */
    @Test
    void whatSessionsSaidIsNeitherLostNorCountedTwiceWhenTheControllerMoves() {
        SharedJournal.clear();
        besides = new HashMap<>(SharedJournal.CONFIG);
        // Nobody is removed who can be reached.
        besides.put("pekko.cluster.failure-detector.acceptable-heartbeat-pause", "5s");
        start(3);
        nodes.forEach(node -> report(node, 0, 10));
        nodes.forEach(node -> await(() -> sessions(node) == 30));
        var stay = nodes.subList(1, 3);

        var gone = Cluster.get(nodes.getFirst().system()).selfMember().address();
        nodes.getFirst().system().terminate();
        get(nodes.getFirst().system().getWhenTerminated());
        stay.forEach(node -> report(node, 0, 10));
        Cluster.get(nodes.get(1).system()).manager().tell(new Down(gone));

        stay.forEach(node -> await(() -> sessions(node) == 50));
        report(nodes.get(2), 0, 1);
        stay.forEach(node -> await(() -> sessions(node) == 51));
        stay.forEach(node -> assertThat(
                        node.rollouts().guardrails().guardrails().getFirst().verdict())
                .isEqualTo("pass"));
    }

    @Test
    void aReleaseThatFailsOnSomeNodeIsTakenBackOnAllOfThemOnce() {
        start(3);
        var seen = new CopyOnWriteArrayList<Rollouts.Happening>();
        nodes.get(1).rollouts().watch().runForeach(seen::add, nodes.get(1).system());

        report(nodes.get(2), 1, 20);

        nodes.forEach(node -> await(() -> node.rollouts().current().phase() == Rollout.Phase.ROLLED_BACK));
        // Judged again without what was seen before.
        nodes.forEach(node -> await(() -> sessions(node) == 0));
        nodes.forEach(node ->
                assertThat(node.rollouts().current().flag().percentage()).isEqualTo(50));
        var lines = get(nodes.getFirst().rollouts().history(0, 10));
        assertThat(lines).extracting(Rollouts.Recorded::action).containsExactly("rollout.rollback");
        assertThat(lines.getFirst().actor()).isEqualTo(Actor.guardrail("connection_success"));
        assertThat(lines.getFirst().evidence()).contains("\"samples\":20");
        await(() -> seen.stream().anyMatch(Rollouts.Happening.GuardrailsJudged.class::isInstance));
    }

    /** L6: on every node, those that come later included, and of two who rotate at once one. */
    @Test
    void aSharedTokenIsRotatedOnEveryNodeByOneOfTwoOperators() {
        start(3);
        nodes.forEach(node -> await(() -> node.rollouts().tokens().current() != null));

        var both = List.of(
                nodes.get(1).rollouts().tokens().rotate(rotation("hash-one", Duration.ofMinutes(5), 0)),
                nodes.get(2).rollouts().tokens().rotate(rotation("hash-two", Duration.ZERO, 0)));

        var done = both.stream()
                .map(ClusterRolloutsTest::get)
                .filter(SharedTokens.Rotated.Done.class::isInstance)
                .toList();
        var refused = both.stream()
                .map(ClusterRolloutsTest::get)
                .filter(SharedTokens.Rotated.Refused.class::isInstance)
                .toList();
        assertThat(done).hasSize(1);
        assertThat(refused).singleElement().isInstanceOfSatisfying(SharedTokens.Rotated.Refused.class, loser -> {
            assertThat(loser.why()).isEqualTo(Rollouts.Refusal.STALE);
            assertThat(loser.detail()).contains("rotated by amir");
        });
        var now = ((SharedTokens.Rotated.Done) done.getFirst()).now();
        start(1);
        nodes.forEach(node -> await(() -> now.equals(node.rollouts().tokens().current())));
        var audit = nodes.getFirst().rollouts();
        await(() -> get(audit.history(0, 10)).size() == 2);
        assertThat(get(audit.history(0, 10)))
                .extracting(Rollouts.Recorded::outcome)
                .containsExactlyInAnyOrder("applied", "failed");
        assertThat(get(audit.history(0, 10)))
                .extracting(Rollouts.Recorded::action)
                .containsOnly("token.rotate");
        assertThat(get(audit.history(0, 10)).stream()
                        .filter(line -> line.outcome().equals("applied"))
                        .findFirst()
                        .orElseThrow()
                        .diff())
                .contains(new Rollout.Diff("/token/revision", "0", "1"))
                .extracting(Rollout.Diff::path)
                .containsExactly("/token/revision", "/token/overlap");
        assertThat(get(audit.history(0, 10)).toString()).doesNotContain(now.hash());
    }

    /** The node that keeps it is lost, and then all are. */
    @Test
    void whatAConfigurationNamesNeverCountsAgainOnceItWasReplaced() {
        SharedJournal.clear();
        besides = new HashMap<>(SharedJournal.CONFIG);
        besides.put("pekko.cluster.failure-detector.acceptable-heartbeat-pause", "5s");
        start(2);
        assertThat(get(nodes.getFirst().rollouts().tokens().rotate(rotation("hash-one", Duration.ZERO, 0))))
                .isInstanceOf(SharedTokens.Rotated.Done.class);
        var gone = Cluster.get(nodes.getFirst().system()).selfMember().address();
        nodes.getFirst().system().terminate();
        get(nodes.getFirst().system().getWhenTerminated());
        Cluster.get(nodes.get(1).system()).manager().tell(new Down(gone));

        await(() -> get(nodes.get(1).rollouts().tokens().rotate(rotation("hash-two", Duration.ofMinutes(5), 1)))
                instanceof SharedTokens.Rotated.Done);
        stop();
        nodes.clear();
        start(1);

        await(() -> nodes.getFirst().rollouts().tokens().current() != null);
        var known = nodes.getFirst().rollouts().tokens().current();
        assertThat(known.revision()).isEqualTo(2);
        var now = java.time.Instant.now();
        assertThat(List.of("first", "hash-one", "hash-two"))
                .filteredOn(hash -> known.admits(hash, now))
                .containsExactly("hash-one", "hash-two");
        assertThat(known.admits("hash-one", now.plus(Duration.ofMinutes(6)))).isFalse();
    }

    @Test
    void anOverlapIsKeptUntilSomebodyRotatesWithoutOne() {
        start(1);
        var tokens = nodes.getFirst().rollouts().tokens();
        get(tokens.rotate(rotation("hash-one", Duration.ofMinutes(5), 0)));
        get(tokens.rotate(rotation("hash-two", Duration.ofMinutes(1), 1)));
        var now = java.time.Instant.now();
        assertThat(List.of("first", "hash-one", "hash-two"))
                .allMatch(hash -> tokens.current().admits(hash, now))
                .filteredOn(hash -> tokens.current().admits(hash, now.plusSeconds(120)))
                .containsExactly("first", "hash-two");
        for (var known : List.of("hash-one", "hash-two")) {
            assertThat(get(tokens.rotate(rotation(known, Duration.ZERO, 2))))
                    .isInstanceOfSatisfying(
                            SharedTokens.Rotated.Refused.class,
                            refused -> assertThat(refused.why()).isEqualTo(Rollouts.Refusal.INVALID));
        }

        get(tokens.rotate(rotation("hash-three", Duration.ZERO, 2)));

        assertThat(List.of("first", "hash-one", "hash-two", "hash-three"))
                .filteredOn(hash -> tokens.current().admits(hash, now))
                .containsExactly("hash-three");
    }

    private static SharedTokens.Rotation rotation(String hash, Duration overlap, long expected) {
        return new SharedTokens.Rotation(hash, "first", overlap, AMIR, "shared with somebody", expected);
    }

    private static void report(Node node, double failed, int sessions) {
        for (int session = 0; session < sessions; session++) {
            node.rollouts()
                    .outcomes()
                    .report(
                            Signal.CONNECTION,
                            new CallerId("user-" + session, "tenant-" + session % 7),
                            Arm.VOICE,
                            false,
                            failed);
        }
    }

    @Test
    void whatANodeHasSeenIsCountedWhenItHasFlushed() {
        besides = Map.of("parley.admission.control", "serve", "parley.admission.percentage", "40");
        start(1);
        var rollouts = nodes.getFirst().rollouts();
        for (int user = 0; user < OutcomeReporter.BATCH + 3; user++) {
            rollouts.outcomes().report(Signal.CREATION, new CallerId("user-" + user, "default"), Arm.CONTROL, false, 0);
        }

        get(rollouts.flush(Duration.ofMinutes(1)));
        var seen = get(PersistenceQuery.get(nodes.getFirst().system())
                .getReadJournalFor(CurrentEventsByPersistenceIdQuery.class, PersistenceTestKitReadJournal.Identifier())
                .currentEventsByPersistenceId(EvidenceKeeper.ID.id(), 0, Long.MAX_VALUE)
                .map(envelope -> envelope.event() instanceof EvidenceEvent.Seen batch
                        ? batch.observations().size() + batch.controlUsers()
                        : 0L)
                .runFold(0L, Long::sum, nodes.getFirst().system()));

        assertThat(seen).isEqualTo(2 * (OutcomeReporter.BATCH + 3));
        // Nobody of them is in at 40 %: whoever looks at the ratio sees that.
        await(() -> {
            var ratio = rollouts.guardrails().sampleRatio();
            return ratio != null && ratio.mismatch();
        });
        // Of bucket 75.
        var outside = rollouts.explain(new CallerId("user-2", "default"), Set.of());
        assertThat(outside.served()).isTrue();
        assertThat(outside.arm()).isEqualTo(Arm.CONTROL);
        assertThat(outside.rules().getLast().says())
                .isEqualTo("bucket 75 is not below 40; who is outside is served as control");
    }

    /** -1: nobody has judged yet. */
    private static long sessions(Node node) {
        var guardrails = node.rollouts().guardrails().guardrails();
        return guardrails.isEmpty() ? -1 : guardrails.getFirst().samples();
    }

    private void start(int count) {
        for (int number = 0; number < count; number++) {
            nodes.add(node(nodes.isEmpty() ? null : nodes.getFirst().system(), nodes.size()));
        }
        nodes.forEach(node -> await(() -> up(node.system()) == nodes.size()));
    }

    private Node node(@Nullable ActorSystem<Void> seed, int number) {
        var config = ConfigFactory.parseMap(besides)
                .withFallback(ConfigFactory.parseMap(Map.ofEntries(
                        Map.entry("pekko.actor.provider", "cluster"),
                        Map.entry("pekko.loglevel", "off"),
                        Map.entry("pekko.stdout-loglevel", "off"),
                        Map.entry("pekko.remote.artery.canonical.hostname", "127.0.0.1"),
                        Map.entry("pekko.remote.artery.canonical.port", 0),
                        Map.entry("pekko.cluster.jmx.enabled", "off"),
                        Map.entry("pekko.cluster.distributed-data.notify-subscribers-interval", "20ms"),
                        Map.entry("pekko.cluster.failure-detector.acceptable-heartbeat-pause", "60s"),
                        Map.entry("pekko.cluster.shutdown-after-unsuccessful-join-seed-nodes", "off"),
                        Map.entry("pekko.coordinated-shutdown.exit-jvm", "off"),
                        // A system that is terminated is gone as one that has crashed: it takes leave of nobody.
                        Map.entry("pekko.coordinated-shutdown.run-by-actor-system-terminate", "off"),
                        Map.entry("parley.admission.read-journal", PersistenceTestKitReadJournal.Identifier()))))
                .withFallback(PersistenceTestKitPlugin.getInstance().config())
                .withFallback(ConfigFactory.load());
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "parley", config);
        var rollouts = ClusterRollouts.start(
                system, AdmissionSettings.from(config), directory.resolve(Integer.toString(number)));
        var cluster = Cluster.get(system);
        cluster.manager()
                .tell(Join.create(
                        seed == null
                                ? cluster.selfMember().address()
                                : Cluster.get(seed).selfMember().address()));
        return new Node(system, rollouts);
    }

    private static int up(ActorSystem<Void> system) {
        int up = 0;
        for (var member : Cluster.get(system).state().getMembers()) {
            up += member.status().equals(MemberStatus.up()) ? 1 : 0;
        }
        return up;
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(end);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private static <T> T get(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }
}
