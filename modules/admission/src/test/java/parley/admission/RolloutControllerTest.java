package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.apache.pekko.serialization.jackson.JacksonObjectMapperProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Rollout.Phase;
import parley.admission.RolloutEvent.Audit;
import parley.admission.RolloutEvent.Recorded;
import parley.admission.Rollouts.Action;
import parley.admission.Rollouts.Changed;
import parley.admission.Rollouts.GuardrailReport;
import parley.admission.Rollouts.Proposal;
import parley.admission.Rollouts.Refusal;
import parley.admission.Rollouts.Request;

/** L3, L4, R9, R11, R16. */
@Tag("entity")
class RolloutControllerTest {
    private static final Instant NOON = Instant.parse("2026-09-01T12:00:00Z");
    private static final Duration A_MINUTE = Duration.ofMinutes(1);
    private static final Actor AMIR = new Actor("user", "amir", "operator", "api");
    private static final Actor BEA = new Actor("user", "bea", "operator", "ui");

    private final List<Rollout> published = new CopyOnWriteArrayList<>();
    private final List<GuardrailReport> reports = new CopyOnWriteArrayList<>();
    private final HeldClock clock = new HeldClock(NOON);
    private final ActorTestKit kit = ActorTestKit.create(EventSourcedBehaviorTestKit.config()
            .withFallback(ConfigFactory.parseString("pekko.loglevel = off"))
            .withFallback(ConfigFactory.load()));
    private final TestProbe<EvidenceKeeper.Command> keeper = kit.createTestProbe();
    private final EventSourcedBehaviorTestKit<RolloutController.Command, RolloutEvent, RolloutState> controller =
            EventSourcedBehaviorTestKit.create(
                    kit.system(),
                    RolloutController.create(
                            clock,
                            configured(0),
                            AdmissionSettings.from(ConfigFactory.load()).guardrails(),
                            false,
                            () -> Kill.NEVER,
                            published::add,
                            reports::add));

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    @Test
    void aChangeIsJournaledWithWhoWhyFromAndToAndTold() {
        var changed = change(percentage(25), request(AMIR, "ramp", 0L, null, false));

        var now = ((Changed.Applied) changed).now();
        assertThat(now.flag().percentage()).isEqualTo(25);
        assertThat(now.phase()).isEqualTo(Phase.PAUSED);
        assertThat(now.step()).isEqualTo(1);
        assertThat(now.revision()).isEqualTo(1);
        assertThat(now.changed()).isEqualTo(new Rollout.Change(AMIR, NOON, "ramp"));
        assertThat(((Changed.Applied) changed).entering()).isEqualTo(25);
        assertThat(((Changed.Applied) changed).diff()).contains(new Rollout.Diff("/percentage", "0", "25"));
        assertThat(published).last().isEqualTo(now);
        assertThat(last().actor()).isEqualTo(AMIR);
        assertThat(last().reason()).isEqualTo("ramp");
    }

    @Test
    void whereNobodyHasChangedAnythingNobodyWasFaster() {
        assertThat(change(percentage(25), request(AMIR, "ramp", 7L, null, false)))
                .isInstanceOfSatisfying(
                        Changed.Refused.class,
                        refused -> assertThat(refused.detail()).isEqualTo("revision: 7 (expected: 0, as configured)"));
    }

    @Test
    void ofTwoOperatorsTheSlowerIsToldWhoWasFaster() {
        change(percentage(25), request(AMIR, "ramp", 0L, null, false));

        var late = change(percentage(30), request(BEA, "more", 0L, null, false));

        assertThat(late)
                .isEqualTo(new Changed.Refused(
                        Refusal.STALE, "revision: 0 (expected: 1, changed by amir: ramp)", published.getLast()));
        assertThat(last().outcome()).isEqualTo("failed");
        assertThat(last().actor()).isEqualTo(BEA);
    }

    @Test
    void theSameKeyIsAnsweredOnceAndAnotherQuestionWithItRefused() {
        var first = (Changed.Applied) act(Action.PROMOTE, request(AMIR, "go", null, "key", false));
        var again = (Changed.Applied) act(Action.PROMOTE, request(AMIR, "go", null, "key", false));
        var other = act(Action.ROLLBACK, request(AMIR, "go", null, "key", false));

        assertThat(again.now()).isEqualTo(first.now());
        assertThat(again.repeated()).isTrue();
        assertThat(((Changed.Refused) other).why()).isEqualTo(Refusal.KEY_REUSED);
        assertThat(published.getLast().flag().percentage()).isEqualTo(5);
    }

    @Test
    void aDryRunTellsWhatWouldHappenAndDoesNothing() {
        var changed = controller.<Changed>runCommand(
                to -> new RolloutController.Change(percentage(40), request(AMIR, "", 0L, null, true), to));

        assertThat(((Changed.Applied) changed.reply()).entering()).isEqualTo(40);
        assertThat(((Changed.Applied) changed.reply()).dryRun()).isTrue();
        assertThat(changed.hasNoEvents()).isTrue();
    }

    // ---- four eyes

    /** A controller of its own, where letting more users in takes two people. */
    private EventSourcedBehaviorTestKit<RolloutController.Command, RolloutEvent, RolloutState> withFourEyes() {
        return EventSourcedBehaviorTestKit.create(
                kit.system(),
                RolloutController.create(
                        clock,
                        configured(10),
                        AdmissionSettings.from(ConfigFactory.load()).guardrails(),
                        true,
                        () -> Kill.NEVER,
                        published::add,
                        reports::add));
    }

    @Test
    void whatLetsMoreUsersInIsProposedByOneAndDoneWhenAnotherApproves() {
        var careful = withFourEyes();

        var would = (Changed.Applied) careful.<Changed>runCommand(
                        to -> new RolloutController.Change(percentage(25), request(AMIR, "", 0L, null, true), to))
                .reply();
        var proposed = careful.<Changed>runCommand(
                to -> new RolloutController.Change(percentage(25), request(AMIR, "ramp", 0L, null, false), to));
        var own = careful.<Changed>runCommand(
                to -> new RolloutController.Act(Action.APPROVE, request(AMIR, "", null, null, false), to));
        var approved = careful.<Changed>runCommand(
                to -> new RolloutController.Act(Action.APPROVE, request(BEA, "seen", 1L, null, false), to));

        assertThat(would.waits()).isTrue();
        assertThat(would.now().flag().percentage()).isEqualTo(25);
        var waiting = (Changed.Applied) proposed.reply();
        assertThat(waiting.waits()).isTrue();
        assertThat(waiting.now().flag().percentage()).isEqualTo(10);
        assertThat(waiting.now().revision()).isEqualTo(1);
        assertThat(waiting.now().proposedDiff()).contains(new Rollout.Diff("/percentage", "10", "25"));
        assertThat(((RolloutEvent.Recorded) proposed.event()).audit().outcome()).isEqualTo("proposed");
        assertThat(proposed.state().era()).as("nothing begins with it").isZero();
        assertThat(((Changed.Refused) own.reply()).why()).isEqualTo(Refusal.NOT_NOW);
        var done = ((Changed.Applied) approved.reply()).now();
        assertThat(done.flag().percentage()).isEqualTo(25);
        assertThat(done.phase()).isEqualTo(Phase.PAUSED);
        assertThat(done.proposed()).isNull();
        assertThat(done.changed()).isEqualTo(new Rollout.Change(BEA, NOON, "seen (amir proposed: ramp)"));
        assertThat(published).last().isEqualTo(done);
    }

    @Test
    void whatLetsFewerInNeverWaitsAndTakesAProposalAway() {
        var careful = withFourEyes();
        careful.<Changed>runCommand(
                to -> new RolloutController.Act(Action.PROMOTE, request(AMIR, "ramp", null, null, false), to));

        var lowered = careful.<Changed>runCommand(
                to -> new RolloutController.Change(percentage(1), request(BEA, "stop", 1L, null, false), to));
        var late = careful.<Changed>runCommand(
                to -> new RolloutController.Act(Action.APPROVE, request(BEA, "", null, null, false), to));

        assertThat(((Changed.Applied) lowered.reply()).waits()).isFalse();
        assertThat(((Changed.Applied) lowered.reply()).now().flag().percentage())
                .isEqualTo(1);
        assertThat(((Changed.Refused) late.reply()).detail()).startsWith("nothing is proposed");
    }

    @Test
    void aProposalIsDroppedByWhoeverRejectsItAndSurvivesARestart() {
        var careful = withFourEyes();
        careful.<Changed>runCommand(
                to -> new RolloutController.Act(Action.PROMOTE, request(AMIR, "ramp", null, null, false), to));

        var kept = careful.restart().state().rollout();
        var rejected = (Changed.Applied) careful.<Changed>runCommand(
                        to -> new RolloutController.Act(Action.REJECT, request(AMIR, "no", null, null, false), to))
                .reply();

        assertThat(kept.proposed()).isNotNull();
        assertThat(rejected.now().proposed()).isNull();
        assertThat(rejected.now().flag().percentage()).isEqualTo(10);
        assertThat(rejected.diff()).isEmpty();
    }

    @Test
    void namesAndPlansMayLetMoreInAsWell() {
        var now = configured(10);
        var flag = now.flag();

        assertThat(now.letsMoreIn(with(now, new Flag(true, 10, "", Set.of("otto"), Set.of(), Set.of(), Map.of()))))
                .isTrue();
        assertThat(now.letsMoreIn(with(now, new Flag(true, 10, "", Set.of(), Set.of("otto"), Set.of(), Map.of()))))
                .isFalse();
        assertThat(with(now, new Flag(true, 10, "", Set.of(), Set.of("otto"), Set.of(), Map.of()))
                        .letsMoreIn(with(now, flag)))
                .as("who was denied")
                .isTrue();
        assertThat(now.letsMoreIn(with(now, new Flag(true, 10, "", Set.of(), Set.of(), Set.of("all"), Map.of()))))
                .isTrue();
        assertThat(now.letsMoreIn(
                        with(now, new Flag(true, 10, "", Set.of(), Set.of(), Set.of(), Map.of("red", Flag.Tenant.ON)))))
                .isTrue();
        assertThat(now.letsMoreIn(with(
                        now, new Flag(true, 10, "", Set.of(), Set.of(), Set.of(), Map.of("red", Flag.Tenant.OFF)))))
                .isFalse();
        assertThat(now.letsMoreIn(with(now, new Flag(true, 10, "other", Set.of(), Set.of(), Set.of(), Map.of()))))
                .as("other people")
                .isTrue();
        assertThat(now.letsMoreIn(with(now, new Flag(false, 10, "", Set.of("otto"), Set.of(), Set.of(), Map.of()))))
                .as("nobody gets in")
                .isFalse();
    }

    private static Rollout with(Rollout now, Flag flag) {
        return new Rollout(now.revision(), now.phase(), flag, now.plan(), now.step(), now.since(), now.changed());
    }

    // ---- the plan

    @Test
    void promotionsClimbThePlanAndEndAtItsLastStep() {
        var climbed = new ArrayList<Integer>();
        for (int step = 0; step < 4; step++) {
            climbed.add(((Changed.Applied) act(Action.PROMOTE, request(AMIR, "go", null, null, false)))
                    .now()
                    .flag()
                    .percentage());
        }
        var beyond = act(Action.PROMOTE, request(AMIR, "go", null, null, false));

        assertThat(climbed).containsExactly(5, 25, 50, 100);
        assertThat(((Changed.Refused) beyond).why()).isEqualTo(Refusal.NOT_NOW);
    }

    @Test
    void aRollbackLatchesUntilSomebodyGivesAReason() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));

        var back = ((Changed.Applied) act(Action.ROLLBACK, request(AMIR, "slow", null, null, false))).now();
        var without = act(Action.PROMOTE, request(BEA, " ", null, null, false));
        var with = ((Changed.Applied) act(Action.PROMOTE, request(BEA, "mended", null, null, false))).now();

        assertThat(back.flag().percentage()).isEqualTo(5);
        assertThat(back.phase()).isEqualTo(Phase.ROLLED_BACK);
        assertThat(((Changed.Refused) without).why()).isEqualTo(Refusal.NOT_NOW);
        assertThat(with.phase()).isEqualTo(Phase.RUNNING);
        assertThat(with.flag().percentage()).isEqualTo(25);
    }

    /** R9: not by the slider either, nor by way of a lower share; and whoever lowers it in a hurry is not asked. */
    @Test
    void aRollbackLatchesForTheSliderToo() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        var back = ((Changed.Applied) act(Action.ROLLBACK, request(AMIR, "slow", null, null, false))).now();

        var lower = ((Changed.Applied) change(percentage(3), request(BEA, "", back.revision(), null, false))).now();
        var without = change(percentage(25), request(BEA, "", lower.revision(), null, false));
        var tried = change(percentage(25), request(BEA, "", lower.revision(), null, true));
        var further = act(Action.ROLLBACK, request(BEA, "", null, null, false));
        var with = ((Changed.Applied) change(percentage(25), request(BEA, "mended", null, null, false))).now();

        assertThat(lower.phase()).isEqualTo(Phase.ROLLED_BACK);
        assertThat(lower.flag().percentage()).isEqualTo(3);
        assertThat(((Changed.Refused) without).why()).isEqualTo(Refusal.NOT_NOW);
        assertThat(tried).isInstanceOf(Changed.Applied.class);
        assertThat(further).isInstanceOf(Changed.Applied.class);
        assertThat(with.phase()).isEqualTo(Phase.PAUSED);
    }

    @Test
    void whoeverTakesTheSliderEndsWhatWentByItself() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));

        var taken = ((Changed.Applied) change(percentage(7), request(BEA, "a few more", null, null, false))).now();
        var listed = ((Changed.Applied) change(
                        new Proposal(null, null, null, Set.of("anna"), null, null, null, null),
                        request(BEA, "a tester", null, null, false)))
                .now();

        assertThat(taken.phase()).isEqualTo(Phase.PAUSED);
        assertThat(taken.step()).isZero();
        assertThat(listed.flag().allow()).containsExactly("anna");
        assertThat(listed.flag().percentage()).isEqualTo(7);
    }

    @Test
    void aValueBeyondItsBoundsIsNamedAndWrittenDown() {
        var wrong = change(percentage(120), request(AMIR, "", 0L, null, false));

        assertThat(wrong)
                .isEqualTo(new Changed.Refused(Refusal.INVALID, "percentage: 120 (expected: 0..100)", configured(0)));
        assertThat(last().outcome()).isEqualTo("failed");
    }

    @Test
    void everyLineFollowsTheOneBeforeAndATamperedOneDoesNot() {
        change(percentage(10), request(AMIR, "a", 0L, null, false));
        change(percentage(20), request(AMIR, "b", 1L, null, false));
        var first = audit(0);
        var second = audit(1);
        var tampered = new Audit(
                first.seq(),
                first.at(),
                BEA,
                first.action(),
                first.outcome(),
                first.reason(),
                first.revisionFrom(),
                first.revisionTo(),
                first.diff(),
                first.evidence(),
                first.nodes(),
                first.previous(),
                first.hash());

        assertThat(first.follows(null)).isTrue();
        assertThat(second.follows(first)).isTrue();
        assertThat(tampered.follows(null)).isFalse();
        assertThat(second.follows(tampered.sealed())).isFalse();
    }

    /** R9: the journal decides. */
    @Test
    void aGuardrailTakesTheRolloutBackOnceAlsoAcrossARestart() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        var seen = judged(2, Verdict.FAIL, Cause.OWN);

        var first = controller.runCommand(seen);
        var repeated = controller.runCommand(seen);
        controller.restart();
        clock.now = NOON.plus(Duration.ofHours(1));
        var afterwards = controller.runCommand(seen);

        assertThat(first.events()).hasSize(1);
        assertThat(repeated.hasNoEvents()).isTrue();
        assertThat(afterwards.hasNoEvents()).isTrue();
        var now = controller.getState().rollout();
        assertThat(now.phase()).isEqualTo(Phase.ROLLED_BACK);
        assertThat(now.flag().percentage()).isEqualTo(5);
        assertThat(published).last().isEqualTo(now);
        assertThat(last().action()).isEqualTo("rollout.rollback");
        assertThat(last().actor()).isEqualTo(Actor.guardrail("connection_success"));
        assertThat(last().evidence()).contains("\"verdict\":\"fail\"", "\"cause\":\"own\"");
        assertThat(last().diff()).contains(new Rollout.Diff("/percentage", "25", "5"));
        assertThat(keeper.expectMessageClass(EvidenceKeeper.Begin.class, A_MINUTE))
                .isEqualTo(new EvidenceKeeper.Begin(3));
    }

    /** R9: a journal that fails has not heard of it, and hears of it once. */
    @Test
    void whatTheJournalDidNotTakeIsDoneAgainAndOnce() {
        PersistenceTestKit.create(kit.system()).failNextPersisted(RolloutController.ID.id());
        // Not by the test kit, which waits for what a command comes to: the controller of a cluster fails and begins
        // again.
        var failing = kit.spawn(RolloutController.create(
                clock,
                configured(50),
                AdmissionSettings.from(ConfigFactory.load()).guardrails(),
                false,
                () -> Kill.NEVER,
                published::add,
                reports::add));
        var seen = judged(0, Verdict.FAIL, Cause.OWN);

        failing.tell(seen);
        failing.tell(seen);
        failing.tell(seen);

        keeper.expectMessage(A_MINUTE, new EvidenceKeeper.Begin(1));
        keeper.expectMessage(A_MINUTE, new EvidenceKeeper.Begin(1));
        assertThat(controller.persistenceTestKit().persistedInStorage(RolloutController.ID.id()))
                .singleElement()
                .extracting(event -> ((Recorded) event).audit().action())
                .isEqualTo("rollout.rollback");
        assertThat(published)
                .last()
                .extracting(rollout -> rollout.flag().percentage())
                .isEqualTo(25);
    }

    /** R9: and cools down, also across a restart. */
    @Test
    void whatFailsAgainAtOnceWaitsForTheCoolDown() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        controller.runCommand(judged(2, Verdict.FAIL, Cause.OWN));

        controller.restart();
        clock.now = NOON.plus(Duration.ofSeconds(599));
        var early = controller.runCommand(judged(3, Verdict.FAIL, Cause.OWN));
        clock.now = NOON.plus(Duration.ofMinutes(10));
        var later = controller.runCommand(judged(3, Verdict.FAIL, Cause.OWN));

        assertThat(early.hasNoEvents()).isTrue();
        assertThat(later.hasNoEvents()).isFalse();
        assertThat(controller.getState().rollout().flag().percentage()).isZero();
    }

    /** R9: never by what was seen before. */
    @Test
    void aPersonsNewerDecisionIsNotOverriddenByOlderEvidence() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        act(Action.PAUSE, request(BEA, "look", null, null, false));
        act(Action.RESUME, request(BEA, "fine", null, null, false));

        var old = controller.runCommand(judged(1, Verdict.FAIL, Cause.OWN));

        assertThat(old.hasNoEvents()).isTrue();
        assertThat(keeper.expectMessageClass(EvidenceKeeper.Begin.class, A_MINUTE))
                .isEqualTo(new EvidenceKeeper.Begin(3));
    }

    @Test
    void whatTouchesNeitherPercentageNorStepNorPhaseKeepsTheEvidence() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));

        change(
                new Proposal(null, null, null, Set.of("anna"), null, null, null, null),
                request(BEA, "a tester", null, null, false));

        assertThat(controller.getState().era()).isEqualTo(1);
        assertThat(controller.getState().rollout().revision()).isEqualTo(2);
    }

    @Test
    void aRunningStepIsPromotedByTimeAndEvidence() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));

        var early = controller.runCommand(judged(1, Verdict.PASS, Cause.NONE));
        clock.now = NOON.plus(Duration.ofMinutes(15));
        var few = controller.runCommand(judged(1, Verdict.INCONCLUSIVE, Cause.NONE));
        var promoted = controller.runCommand(judged(1, Verdict.PASS, Cause.NONE));

        assertThat(early.hasNoEvents()).isTrue();
        assertThat(few.hasNoEvents()).isTrue();
        assertThat(promoted.hasNoEvents()).isFalse();
        assertThat(last().actor()).isEqualTo(Actor.SCHEDULE);
        assertThat(controller.getState().rollout().flag().percentage()).isEqualTo(25);
    }

    /** R5. */
    @Test
    void everybodysTroubleSuspendsAndIsNotCalledARollback() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));
        act(Action.PAUSE, request(AMIR, "wait", null, null, false));
        var before = controller.getState().rollout();

        controller.runCommand(judged(2, Verdict.INCONCLUSIVE, Cause.SHARED));
        var suspended = controller.getState().rollout();
        var line = last();
        controller.restart();
        clock.now = NOON.plus(Duration.ofMinutes(5));
        controller.runCommand(judged(3, Verdict.NO_DATA, Cause.NONE));
        var resumed = controller.getState().rollout();

        assertThat(suspended.phase()).isEqualTo(Phase.SUSPENDED);
        assertThat(line.action()).isEqualTo("rollout.suspend");
        assertThat(resumed.phase()).isEqualTo(Phase.PAUSED);
        assertThat(resumed.flag()).isEqualTo(before.flag());
        assertThat(resumed.step()).isEqualTo(before.step());
        assertThat(controller.getState().era()).isEqualTo(4);
    }

    /** R10. */
    @Test
    void whatIsPausedOrCompletedIsGuardedStill() {
        change(percentage(50), request(AMIR, "half", 0L, null, false));
        controller.runCommand(judged(1, Verdict.FAIL, Cause.OWN));
        var afterPause = controller.getState().rollout();
        clock.now = NOON.plus(Duration.ofMinutes(10));
        change(percentage(100), request(AMIR, "all", 2L, null, false));
        act(Action.RESUME, request(AMIR, "on", null, null, false));
        clock.now = clock.now.plus(Duration.ofDays(1));
        controller.runCommand(judged(4, Verdict.PASS, Cause.NONE));
        var completed = controller.getState().rollout().phase();
        controller.runCommand(judged(5, Verdict.FAIL, Cause.OWN));

        assertThat(afterPause.flag().percentage()).isEqualTo(25);
        assertThat(completed).isEqualTo(Phase.COMPLETED);
        assertThat(controller.getState().rollout().phase()).isEqualTo(Phase.ROLLED_BACK);
        assertThat(controller.getState().rollout().flag().percentage()).isEqualTo(50);
    }

    @Test
    void aReportIsToldWhenItSaysSomethingElse() {
        act(Action.PROMOTE, request(AMIR, "go", null, null, false));

        controller.runCommand(judged(1, Verdict.INCONCLUSIVE, Cause.NONE));
        controller.runCommand(judged(1, Verdict.INCONCLUSIVE, Cause.NONE));
        controller.runCommand(judged(1, Verdict.PASS, Cause.NONE));

        assertThat(reports)
                .extracting(report -> report.guardrails().getFirst().verdict())
                .containsExactly("inconclusive", "pass");
    }

    @Test
    void aRolloutOfBeforeThereWereSuspensionsIsRead() throws Exception {
        var mapper = JacksonObjectMapperProvider.get(kit.system()).getOrCreate("jackson-cbor", Optional.empty());
        var rollout = controller.getState().rollout();
        var stored = mapper.<ObjectNode>valueToTree(rollout);
        stored.remove("suspension");
        var state = mapper.<ObjectNode>valueToTree(controller.getState());
        state.remove(List.of("era", "acted"));

        assertThat(mapper.treeToValue(stored, Rollout.class)).isEqualTo(rollout);
        assertThat(mapper.treeToValue(state, RolloutState.class)).isEqualTo(controller.getState());
    }

    @Test
    void aRestartForgetsNothing() {
        change(percentage(25), request(AMIR, "ramp", 0L, "key", false));
        var before = controller.getState();

        var after = controller.restart().state();

        assertThat(after).isEqualTo(before);
        assertThat(published).last().isEqualTo(before.rollout());
    }

    private Changed change(Proposal proposal, Request request) {
        return this.controller
                .<Changed>runCommand(to -> new RolloutController.Change(proposal, request, to))
                .reply();
    }

    private Changed act(Action action, Request request) {
        return controller
                .<Changed>runCommand(to -> new RolloutController.Act(action, request, to))
                .reply();
    }

    /** All guardrails of the plan say this. */
    private RolloutController.Judged judged(long era, Verdict verdict, Cause cause) {
        return new RolloutController.Judged(
                era,
                Guardrail.DEFAULTS.stream()
                        .map(guardrail ->
                                new Judgement(guardrail.id(), verdict, cause, 0, 7, 0, 0, 0, 200, 0, 59, "because"))
                        .toList(),
                null,
                Duration.ZERO,
                keeper.getRef());
    }

    private Audit last() {
        var state = controller.getState();
        assertThat(state.last()).isNotNull();
        return state.last();
    }

    private Audit audit(int number) {
        return ((Recorded) controller
                        .persistenceTestKit()
                        .persistedInStorage(RolloutController.ID.id())
                        .get(number))
                .audit();
    }

    private static Proposal percentage(int percentage) {
        return new Proposal(null, percentage, null, null, null, null, null, null);
    }

    private static Request request(
            Actor actor, String reason, @Nullable Long expected, @Nullable String key, boolean dryRun) {
        return new Request(actor, reason, expected, key, dryRun);
    }

    private static Rollout configured(int percentage) {
        return AdmissionSettings.from(ConfigFactory.parseString("parley.admission.percentage = " + percentage)
                        .withFallback(ConfigFactory.load()))
                .initial();
    }
}
