package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Arm;
import parley.admission.Outcomes;
import parley.admission.Signal;

/** R3, R6, R8: what a session says to whoever judges the rollout. */
@Tag("unit")
class SessionOutcomeTest {
    private final List<String> told = new ArrayList<>();
    private final Outcomes outcomes =
            (signal, caller, arm, forced, failed) -> told.add(signal + " " + failed + (forced ? " forced" : ""));
    private final SessionState.Live fresh = opened("BUCKET");
    private SessionOutcome outcome = new SessionOutcome(outcomes, fresh);

    @Test
    void aGoodSessionSaysEachSignalOnce() {
        outcome.created();
        outcome.created();
        answer(0, 1);
        answer(10, 11);
        outcome.cost(5_000_000);
        outcome.ended(EndReason.CALLER_LEFT);
        outcome.ended(EndReason.CALLER_LEFT);

        assertThat(told).containsExactly("CREATION 0.0", "CONNECTION 0.0", "FIRST_AUDIO 0.0", "ERROR 0.0", "COST 0.0");
    }

    @Test
    void howSoonItAnswersIsToldAfterThreeAnswersAndNotAgain() {
        outcome.created();
        answer(0, 4);
        answer(10, 11);
        answer(20, 21);
        answer(30, 39);

        assertThat(told).containsExactly("CREATION 0.0", "CONNECTION 0.0", "FIRST_AUDIO " + 1 / 3.0);
    }

    @Test
    void aSessionThatNoProviderTookCouldNotBeCreated() {
        outcome.ended(EndReason.PROVIDER_REFUSED);

        assertThat(told).containsExactly("CREATION 1.0");
    }

    @Test
    void aProviderThatNeverSpeaksFailsTheConnection() {
        outcome.created();
        outcome.due(true, System.nanoTime());
        outcome.ended(EndReason.PROVIDER_LOST);

        assertThat(told).containsExactly("CREATION 0.0", "CONNECTION 1.0", "ERROR 1.0", "COST 0.0");
    }

    /** A silent provider is replaced after ten seconds: the caller's wait is longer. */
    @Test
    void whoWaitsForAnAnswerWaitsOnWhenTheProviderIsReplacedAndItsTimeCountsAsSlow() {
        long elevenSecondsAgo = System.nanoTime() - TimeUnit.SECONDS.toNanos(11);
        outcome.created();
        outcome.due(true, elevenSecondsAgo);
        outcome.lost();
        outcome.due(false, System.nanoTime());
        outcome.due(true, System.nanoTime());
        outcome.ended(EndReason.CALLER_LEFT);

        assertThat(told).containsExactly("CREATION 0.0", "CONNECTION 1.0", "FIRST_AUDIO 1.0", "ERROR 0.0", "COST 0.0");
    }

    @Test
    void whoLeavesWhileTheNextProviderIsSoughtHasWaited() {
        outcome.created();
        outcome.due(true, System.nanoTime() - TimeUnit.SECONDS.toNanos(5));
        outcome.lost();
        outcome.due(false, System.nanoTime());
        outcome.ended(EndReason.CALLER_LEFT);

        // Longer than three seconds, and not so long that the connection is taken for dead.
        assertThat(told).containsExactly("CREATION 0.0", "FIRST_AUDIO 1.0", "ERROR 0.0", "COST 0.0");
    }

    @Test
    void anAnswerThatTheProviderGaveUpIsAnErrorOfTheSession() {
        outcome.created();
        outcome.answerFailed();
        outcome.ended(EndReason.CALLER_LEFT);

        assertThat(told).containsExactly("CREATION 0.0", "CONNECTION 1.0", "ERROR 1.0", "COST 0.0");
    }

    @Test
    void aCallerWhoLeavesBeforeAnythingWasDueSaysNothingOfTheConnection() {
        outcome.created();
        outcome.ended(EndReason.CALLER_LEFT);

        assertThat(told).containsExactly("CREATION 0.0", "ERROR 0.0", "COST 0.0");
    }

    @Test
    void aKillAnOperatorAndABudgetAreNoErrors() {
        for (var reason : List.of(EndReason.KILLED, EndReason.ENDED_BY_OPERATOR, EndReason.BUDGET)) {
            told.clear();
            outcome = new SessionOutcome(outcomes, fresh);
            outcome.created();
            outcome.ended(reason);

            assertThat(told).as(reason.name()).containsExactly("CREATION 0.0", "COST 0.0");
        }
    }

    @Test
    void whatItCostsIsToldWhenItPassesTheThresholdAndNotAtTheEndAgain() {
        outcome.created();
        outcome.cost(14_999_999);
        outcome.cost(15_000_000);
        outcome.cost(16_000_000);
        outcome.ended(EndReason.MAX_LENGTH);

        assertThat(told).containsExactly("CREATION 0.0", "COST 1.0", "ERROR 0.0");
    }

    @Test
    void aSessionThatHasMovedIsNoNewOne() {
        var moved = (SessionState.Live) fresh.after(Facts.UPSTREAM);
        outcome = new SessionOutcome(outcomes, moved);
        outcome.created();
        answer(0, 9);
        outcome.ended(EndReason.PROVIDER_LOST);

        assertThat(told).containsExactly("ERROR 1.0", "COST 0.0");
    }

    /** A suspension gives everybody the control arm: that is nobody's sample. */
    @Test
    void whoIsServedAsControlBecauseOfASuspensionIsMarked() {
        outcome = new SessionOutcome(outcomes, opened("SUSPENDED"));
        outcome.created();

        assertThat(told).containsExactly("CREATION 0.0 forced");
    }

    @Test
    void whoIsInByAListIsMarked() {
        outcome = new SessionOutcome(outcomes, opened("ALLOWED"));
        outcome.created();

        assertThat(told).containsExactly("CREATION 0.0 forced");
        assertThat(outcomes.threshold(Signal.FIRST_AUDIO)).isEqualTo(3);
    }

    private void answer(long dueAfter, long heardAfter) {
        outcome.due(true, TimeUnit.SECONDS.toNanos(dueAfter));
        outcome.heard(TimeUnit.SECONDS.toNanos(heardAfter));
        outcome.due(false, TimeUnit.SECONDS.toNanos(heardAfter));
    }

    private static SessionState.Live opened(String rule) {
        return SessionState.Live.opened(
                new SessionEvent.Opened(Facts.ANNA, Face.VOICE, Arm.VOICE, "usual", Rig.NOON, rule, null));
    }
}
