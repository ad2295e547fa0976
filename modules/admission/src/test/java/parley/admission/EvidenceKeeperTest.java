package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.persistence.testkit.PersistenceTestKitSnapshotPlugin;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.EvidenceKeeper.Batch;
import parley.admission.EvidenceKeeper.Begin;
import parley.admission.EvidenceKeeper.Weigh;
import parley.admission.OutcomeReporter.Acknowledged;

/** R3, R4, R19: evidence from many nodes, counted once. */
@Tag("entity")
class EvidenceKeeperTest {
    private static final Instant NOON = Instant.parse("2026-09-01T12:00:00Z");
    private static final Duration A_MINUTE = Duration.ofMinutes(1);
    private static final List<Guardrail> GUARDRAILS = Guardrail.DEFAULTS;

    private final ActorTestKit kit = ActorTestKit.create(EventSourcedBehaviorTestKit.config()
            .withFallback(PersistenceTestKitSnapshotPlugin.config())
            .withFallback(ConfigFactory.parseString("pekko.loglevel = off"))
            .withFallback(ConfigFactory.load()));
    private final HeldClock clock = new HeldClock(NOON);
    private final TestProbe<RolloutController.Command> controller = kit.createTestProbe();
    private final TestProbe<OutcomeReporter.Command> node = kit.createTestProbe();
    private volatile Set<String> up = Set.of("n1", "n2");
    private volatile int split = EvidenceKeeper.NO_SPLIT;
    private final EventSourcedBehaviorTestKit<EvidenceKeeper.Command, EvidenceEvent, EvidenceState> keeper =
            EventSourcedBehaviorTestKit.create(
                    kit.system(), EvidenceKeeper.create(clock, GUARDRAILS, () -> up, () -> split, controller.getRef()));

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    @Test
    void aBatchIsJournaledAcknowledgedAndCountedOnceHoweverOftenItComes() {
        var first = keeper.runCommand(batch("a", "n1", 1, good(10)));
        var again = keeper.runCommand(batch("a", "n1", 1, good(10)));
        var other = keeper.runCommand(batch("b", "n2", 1, good(5)));

        assertThat(first.events()).containsExactly(new EvidenceEvent.Seen("a", 1, good(10), NOON, 0, 0));
        assertThat(again.hasNoEvents()).isTrue();
        assertThat(other.hasNoEvents()).isFalse();
        assertThat(acknowledged(3))
                .containsExactly(new Acknowledged("a", 1), new Acknowledged("a", 1), new Acknowledged("b", 1));
        assertThat(samples()).isEqualTo(15);
    }

    @Test
    void anEmptyBatchSaysThatANodeLivesAndIsNotJournaled() {
        var empty = keeper.runCommand(batch("a", "n1", 1, List.of()));

        assertThat(empty.hasNoEvents()).isTrue();
        assertThat(acknowledged(1)).containsExactly(new Acknowledged("a", 1));
    }

    @Test
    void aRestartForgetsNeitherTheEvidenceNorWhatWasCounted() {
        keeper.runCommand(batch("a", "n1", 1, good(10)));
        var before = keeper.getState();

        var after = keeper.restart().state();
        var again = keeper.runCommand(batch("a", "n1", 1, good(10)));

        assertThat(after).isEqualTo(before);
        assertThat(again.hasNoEvents()).isTrue();
        assertThat(samples()).isEqualTo(10);
    }

    @Test
    void withoutAJournalNothingIsAcknowledgedAndNothingIsLost() {
        PersistenceTestKit.create(kit.system()).failNextPersisted(EvidenceKeeper.ID.id());
        // Not by the test kit, which waits for what a command comes to: the keeper of a cluster fails and begins again.
        var failing = kit.spawn(EvidenceKeeper.create(clock, GUARDRAILS, () -> up, () -> split, controller.getRef()));
        var batch = batch("a", "n1", 1, good(10));

        failing.tell(batch);
        node.expectNoMessage(Duration.ofMillis(100));
        failing.tell(batch);

        assertThat(node.expectMessageClass(Acknowledged.class, A_MINUTE)).isEqualTo(new Acknowledged("a", 1));
        failing.tell(new Weigh());
        assertThat(judged().judgements().getFirst().samples()).isEqualTo(10);
    }

    @Test
    void theEvidenceIsJudgedAndIsIncompleteWhileANodeIsSilent() {
        keeper.runCommand(batch("a", "n1", 1, good(29)));
        keeper.runCommand(new Weigh());
        var withoutTheOther = judged();
        keeper.runCommand(batch("b", "n2", 1, List.of()));
        keeper.runCommand(new Weigh());
        var complete = judged();
        clock.now = NOON.plus(EvidenceKeeper.SILENT);
        keeper.runCommand(new Weigh());
        var silent = judged();
        up = Set.of();
        keeper.runCommand(new Weigh());

        assertThat(connection(withoutTheOther).verdict()).isEqualTo(Verdict.NO_DATA);
        assertThat(connection(complete).verdict()).isEqualTo(Verdict.PASS);
        assertThat(connection(silent).verdict()).isEqualTo(Verdict.NO_DATA);
        assertThat(connection(judged()).verdict()).isEqualTo(Verdict.PASS);
        assertThat(complete.judgements()).hasSize(GUARDRAILS.size());
        assertThat(complete.era()).isZero();
    }

    @Test
    void theTimeInWhichANodeWasSilentIsRememberedUntilTheNextEra() {
        keeper.runCommand(new Weigh());
        clock.now = NOON.plus(Duration.ofSeconds(10));
        keeper.runCommand(batch("a", "n1", 1, List.of()));
        keeper.runCommand(new Weigh());
        keeper.runCommand(batch("b", "n2", 1, List.of()));
        var seeing = keeper.runCommand(new Weigh());
        var still = keeper.runCommand(new Weigh());
        keeper.restart();
        keeper.runCommand(new Weigh());

        assertThat(seeing.events()).containsExactly(new EvidenceEvent.Blind(Duration.ofSeconds(10)));
        assertThat(still.hasNoEvents()).isTrue();
        assertThat(List.of(judged(), judged(), judged(), judged(), judged()))
                .extracting(each -> each.blind().toSeconds())
                .containsExactly(0L, 10L, 10L, 10L, 10L);
        keeper.runCommand(new Begin(1));
        keeper.runCommand(new Weigh());
        assertThat(judged().blind()).isZero();
    }

    /** R3. */
    @Test
    void twelveCleanSessionsDoNotPass() {
        keeper.runCommand(batch("a", "n1", 1, good(12)));
        keeper.runCommand(batch("b", "n2", 1, List.of()));
        keeper.runCommand(new Weigh());

        assertThat(connection(judged()).verdict()).isEqualTo(Verdict.INCONCLUSIVE);
    }

    @Test
    void anotherEraBeginsWithoutEvidenceButWhatWasCountedIsNotCountedAgain() {
        keeper.runCommand(batch("a", "n1", 1, good(10)));

        var begun = keeper.runCommand(new Begin(4));
        var same = keeper.runCommand(new Begin(4));
        var again = keeper.runCommand(batch("a", "n1", 1, good(10)));

        assertThat(begun.events()).containsExactly(new EvidenceEvent.Begun(4));
        assertThat(same.hasNoEvents()).isTrue();
        assertThat(again.hasNoEvents()).isTrue();
        assertThat(samples()).isZero();
        keeper.runCommand(new Weigh());
        assertThat(judged().era()).isEqualTo(4);
    }

    @Test
    void evidenceOfAnotherConfigurationIsNotJudged() {
        keeper.runCommand(batch("a", "n1", 1, good(10)));
        var first = GUARDRAILS.getFirst();
        var changed = List.of(new Guardrail(
                first.id(), first.signal(), 0.2, 0, 7, first.comparator(), first.onFail(), first.observeOnly()));

        assertThat(keeper.getState().fits(GUARDRAILS)).isTrue();
        assertThat(keeper.getState().fits(changed)).isFalse();
        assertThat(keeper.getState().after(new EvidenceEvent.Begun(0), changed).fits(changed))
                .isTrue();
    }

    @Test
    void aLifeThatIsNotHeardOfForAnHourIsForgotten() {
        keeper.runCommand(batch("a", "n1", 1, good(1)));
        clock.now = NOON.plus(Duration.ofHours(1)).plusMillis(1);
        keeper.runCommand(batch("b", "n2", 1, good(1)));

        assertThat(keeper.getState().lives()).containsOnlyKeys("b");
    }

    @Test
    void whatIsInASnapshotIsGoneFromTheJournal() {
        for (int number = 1; number <= 301; number++) {
            keeper.runCommand(batch("a", "n1", number, good(1)));
        }

        controller.awaitAssert(A_MINUTE, () -> {
            assertThat(keeper.persistenceTestKit().persistedInStorage(EvidenceKeeper.ID.id()))
                    .hasSizeLessThan(301);
            return null;
        });
        keeper.restart();
        assertThat(samples()).isEqualTo(301);
    }

    /** R8. */
    @Test
    void usersAreCountedOnceAndTheirNumbersOutliveAMoveAndEndWithTheEra() {
        split = 50;
        keeper.runCommand(arrived("a", 1, Arm.VOICE, 1, 80));
        keeper.runCommand(arrived("a", 1, Arm.VOICE, 1, 80));
        keeper.runCommand(arrived("b", 1, Arm.VOICE, 61, 90));
        keeper.runCommand(arrived("b", 2, Arm.CONTROL, 101, 130));
        keeper.runCommand(new Weigh());
        keeper.restart();
        keeper.runCommand(new Weigh());

        assertThat(judged().ratio()).isEqualTo(new SampleRatio(90, 30, 50));
        var after = judged();
        assertThat(after.ratio()).isEqualTo(new SampleRatio(90, 30, 50));
        assertThat(connection(after).why())
                .contains("of 120 users 90 have voice where 50 % should (p = ")
                .endsWith("the arms cannot be compared");
        keeper.runCommand(new Begin(1));
        keeper.runCommand(arrived("b", 3, Arm.VOICE, 1, 7));
        keeper.runCommand(new Weigh());
        assertThat(judged().ratio()).isEqualTo(new SampleRatio(7, 0, 50));
        split = EvidenceKeeper.NO_SPLIT;
        keeper.runCommand(new Weigh());
        assertThat(judged().ratio()).isNull();
    }

    @Test
    void thoseWhoWereInBeforeAreTheComparisonOfAGuardrailThatAsksForIt() {
        var baked = new Guardrail(
                "new_users", Signal.CONNECTION, 0.1, 0, 7, Comparator.BAKED, OnFail.ROLLBACK_PREVIOUS, false);
        var state = EvidenceState.initial(List.of(baked))
                .after(
                        new EvidenceEvent.Seen(
                                "a",
                                1,
                                List.of(seen(Arm.VOICE, true), seen(Arm.VOICE, false), seen(Arm.CONTROL, false)),
                                NOON,
                                0,
                                0),
                        List.of(baked));

        assertThat(state.evidence().getFirst().candidate().total().sessions()).isEqualTo(1);
        assertThat(state.evidence().getFirst().control().total().sessions()).isEqualTo(1);
    }

    private static Observation seen(Arm arm, boolean baked) {
        return new Observation(Signal.CONNECTION, arm, 7, "acme", 0, false, false, false, baked);
    }

    private Batch arrived(String life, long number, Arm arm, int from, int to) {
        return new Batch(
                life,
                "n1",
                number,
                good(1),
                IntStream.rangeClosed(from, to)
                        .mapToObj(user -> new Arrival(user, arm))
                        .toList(),
                node.getRef());
    }

    private Batch batch(String life, String address, long number, List<Observation> observations) {
        return new Batch(life, address, number, observations, List.of(), node.getRef());
    }

    private RolloutController.Judged judged() {
        return controller.expectMessageClass(RolloutController.Judged.class, A_MINUTE);
    }

    private List<Acknowledged> acknowledged(int count) {
        var all = new ArrayList<Acknowledged>();
        IntStream.range(0, count).forEach(each -> all.add(node.expectMessageClass(Acknowledged.class, A_MINUTE)));
        return all;
    }

    private long samples() {
        return keeper.getState().evidence().getFirst().candidate().total().sessions();
    }

    private static Judgement connection(RolloutController.Judged judged) {
        return judged.judgements().getFirst();
    }

    private static List<Observation> good(int sessions) {
        return Collections.nCopies(
                sessions, new Observation(Signal.CONNECTION, Arm.VOICE, 7, "acme", 0, false, false, false));
    }
}
