package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Rollout.Phase;
import parley.admission.RolloutEvent.Audit;
import parley.admission.RolloutEvent.Recorded;
import parley.admission.Rollouts.Action;
import parley.admission.Rollouts.Changed;
import parley.admission.Rollouts.Proposal;
import parley.admission.Rollouts.Refusal;
import parley.admission.Rollouts.Request;

/** L3, L4, R9, R11, R16. */
@Tag("entity")
class RolloutControllerTest {
    private static final Instant NOON = Instant.parse("2026-09-01T12:00:00Z");
    private static final Actor AMIR = new Actor("user", "amir", "operator", "api");
    private static final Actor BEA = new Actor("user", "bea", "operator", "ui");

    private final List<Rollout> published = new ArrayList<>();
    private final ActorTestKit kit = ActorTestKit.create(EventSourcedBehaviorTestKit.config()
            .withFallback(ConfigFactory.parseString("pekko.loglevel = off"))
            .withFallback(ConfigFactory.load()));
    private final EventSourcedBehaviorTestKit<RolloutController.Command, RolloutEvent, RolloutState> controller =
            EventSourcedBehaviorTestKit.create(
                    kit.system(),
                    RolloutController.create(Clock.fixed(NOON, ZoneOffset.UTC), configured(0), published::add));

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
