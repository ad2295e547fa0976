package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import parley.admission.Rollout.Phase;
import parley.admission.Rollout.Suspension;
import parley.admission.Rollouts.Waiting;

/** L3, R3, R5, R9, R10: who does what, and when. */
@Tag("unit")
class RampTest {
    private static final Instant NOON = Instant.parse("2026-09-01T12:00:00Z");
    private static final Plan PLAN = new Plan(
            List.of(
                    new Plan.Step(5, Duration.ofMinutes(15), 59, false),
                    new Plan.Step(25, Duration.ofMinutes(15), 59, false),
                    new Plan.Step(50, Duration.ofMinutes(15), 59, true),
                    new Plan.Step(100, Duration.ofDays(1), 59, true)),
            Duration.ofHours(2));
    private static final Guardrail CONNECTION = guardrail("connection_success", Signal.CONNECTION, false);
    private static final Guardrail ERROR = guardrail("error_rate", Signal.ERROR, false);
    private static final Guardrail WATCHED = guardrail("watched", Signal.CREATION, true);
    private static final Judgement GOOD = says(Verdict.PASS, Cause.NONE, 60);
    private static final Judgement OWN = says(Verdict.FAIL, Cause.OWN, 60);
    private static final Judgement SHARED = says(Verdict.INCONCLUSIVE, Cause.SHARED, 60);
    private static final Judgement TENANT = says(Verdict.INCONCLUSIVE, Cause.tenant("acme"), 60);
    private static final Judgement FEW = says(Verdict.INCONCLUSIVE, Cause.NONE, 12);
    private static final Judgement NOTHING = says(Verdict.NO_DATA, Cause.NONE, 0);
    private static final Judgement BROKEN = says(Verdict.ERROR, Cause.NONE, 60);

    /** Phase, percentage, what the guardrails say, minutes since it began; what is done, and what it comes to. */
    static Stream<Arguments> cases() {
        return Stream.of(
                // Time and evidence promote, and neither alone.
                arguments(Phase.RUNNING, 5, GOOD, 15, "rollout.promote", Phase.RUNNING, 25),
                arguments(Phase.RUNNING, 25, GOOD, 15, "rollout.promote", Phase.RUNNING, 50),
                arguments(Phase.RUNNING, 5, GOOD, 14, "", null, 0),
                arguments(Phase.RUNNING, 5, FEW, 60, "", null, 0),
                arguments(Phase.RUNNING, 5, NOTHING, 60, "", null, 0),
                arguments(Phase.RUNNING, 5, BROKEN, 60, "", null, 0),
                arguments(Phase.RUNNING, 5, says(Verdict.PASS, Cause.NONE, 58), 60, "", null, 0),
                // A person has to promote it, for ever.
                arguments(Phase.RUNNING, 50, GOOD, 9_999, "", null, 0),
                arguments(Phase.RUNNING, 100, GOOD, 1_439, "", null, 0),
                arguments(Phase.RUNNING, 100, GOOD, 1_440, "rollout.complete", Phase.COMPLETED, 100),
                // Not good to go for too long.
                arguments(Phase.RUNNING, 5, FEW, 134, "", null, 0),
                arguments(Phase.RUNNING, 5, FEW, 135, "rollout.hold", Phase.HOLDING, 5),
                arguments(Phase.RUNNING, 5, NOTHING, 135, "rollout.hold", Phase.HOLDING, 5),
                arguments(Phase.RUNNING, 5, BROKEN, 135, "rollout.hold", Phase.HOLDING, 5),
                // Nothing else promotes by itself.
                arguments(Phase.HOLDING, 5, GOOD, 9_999, "", null, 0),
                arguments(Phase.PAUSED, 5, GOOD, 9_999, "", null, 0),
                arguments(Phase.ROLLED_BACK, 5, GOOD, 9_999, "", null, 0),
                arguments(Phase.COMPLETED, 100, GOOD, 9_999, "", null, 0),
                // The release is at fault: back, in whatever phase.
                arguments(Phase.RUNNING, 50, OWN, 1, "rollout.rollback", Phase.ROLLED_BACK, 25),
                arguments(Phase.RUNNING, 5, OWN, 1, "rollout.rollback", Phase.ROLLED_BACK, 0),
                arguments(Phase.HOLDING, 25, OWN, 1, "rollout.rollback", Phase.ROLLED_BACK, 5),
                arguments(Phase.PAUSED, 25, OWN, 1, "rollout.rollback", Phase.ROLLED_BACK, 5),
                arguments(Phase.COMPLETED, 100, OWN, 1, "rollout.rollback", Phase.ROLLED_BACK, 50),
                arguments(Phase.ROLLED_BACK, 25, OWN, 1, "rollout.rollback", Phase.ROLLED_BACK, 5),
                arguments(Phase.ROLLED_BACK, 0, OWN, 1, "", null, 0),
                arguments(Phase.PAUSED, 3, OWN, 1, "rollout.rollback", Phase.ROLLED_BACK, 0),
                // Everybody's trouble: no rollback.
                arguments(Phase.RUNNING, 25, SHARED, 1, "rollout.suspend", Phase.SUSPENDED, 25),
                arguments(Phase.PAUSED, 25, SHARED, 1, "rollout.suspend", Phase.SUSPENDED, 25),
                arguments(Phase.COMPLETED, 100, SHARED, 1, "rollout.suspend", Phase.SUSPENDED, 100),
                // One tenant's: held.
                arguments(Phase.RUNNING, 25, TENANT, 1, "rollout.hold", Phase.HOLDING, 25),
                arguments(Phase.PAUSED, 25, TENANT, 1, "", null, 0),
                arguments(Phase.COMPLETED, 100, TENANT, 1, "", null, 0));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whatHappensByItself(
            Phase phase, int percentage, Judgement says, int minutes, String action, @Nullable Phase to, int then) {
        var now = rollout(phase, percentage, null);

        var act = ramp(now, NOON.plus(Duration.ofMinutes(minutes)), null, says).act();

        if (action.isEmpty()) {
            assertThat(act).isNull();
        } else {
            assertThat(act).isNotNull();
            assertThat(act.action()).isEqualTo(action);
            assertThat(act.next().phase()).isEqualTo(to);
            assertThat(act.next().flag().percentage()).isEqualTo(then);
            assertThat(act.next().step()).isEqualTo(PLAN.stepAt(then));
            assertThat(act.next().since()).isEqualTo(NOON.plus(Duration.ofMinutes(minutes)));
            assertThat(act.next().revision()).isEqualTo(now.revision() + 1);
            assertThat(act.next().beginsAfter(now)).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(OnFail.class)
    void aFailureDoesWhatItsGuardrailSays(OnFail onFail) {
        var guardrail = new Guardrail("own", Signal.CONNECTION, 0.1, 0, 7, Comparator.CONTROL, onFail, false);
        var ramp = new Ramp(
                settings(guardrail),
                rollout(Phase.RUNNING, 50, null),
                Kill.NEVER,
                List.of(of(guardrail, OWN)),
                null,
                Duration.ZERO,
                NOON,
                null);

        var act = ramp.act();

        assertThat(act).isNotNull();
        assertThat(act.next().flag().percentage())
                .isEqualTo(
                        switch (onFail) {
                            case ROLLBACK_PREVIOUS -> 25;
                            case ROLLBACK_ZERO -> 0;
                            case PAUSE -> 50;
                        });
        assertThat(act.next().phase()).isEqualTo(onFail == OnFail.PAUSE ? Phase.PAUSED : Phase.ROLLED_BACK);
    }

    @Test
    void oneGuardrailThatDoesNotPassIsEnoughToStayAndOneThatFailsToGoBack() {
        var baked = NOON.plus(Duration.ofMinutes(15));
        var running = rollout(Phase.RUNNING, 5, null);

        assertThat(ramp(running, baked, null, GOOD, FEW).act()).isNull();
        var act = ramp(running, baked, null, GOOD, OWN).act();
        assertThat(act).isNotNull();
        assertThat(act.next().changed().by()).isEqualTo(Actor.guardrail("error_rate"));
    }

    @Test
    void aGuardrailThatOnlyWatchesNeitherActsNorStandsInTheWay() {
        var act = ramp(rollout(Phase.RUNNING, 5, null), NOON.plus(Duration.ofMinutes(15)), null, GOOD, GOOD, OWN)
                .act();

        assertThat(act).isNotNull();
        assertThat(act.action()).isEqualTo("rollout.promote");
    }

    @Test
    void aGuardrailWithoutAJudgementDoesNotPass() {
        var ramp = new Ramp(
                settings(CONNECTION, ERROR),
                rollout(Phase.RUNNING, 5, null),
                Kill.NEVER,
                List.of(of(CONNECTION, GOOD)),
                null,
                Duration.ZERO,
                NOON.plus(Duration.ofMinutes(15)),
                null);

        assertThat(ramp.act()).isNull();
    }

    @Test
    void whatFlapsActsOncePerCoolDown() {
        var now = rollout(Phase.COMPLETED, 100, null);
        var acts = new ArrayList<Instant>();
        for (int minute = 0; minute < 30; minute++) {
            var at = NOON.plus(Duration.ofMinutes(minute));
            var act = ramp(now, at, acts.isEmpty() ? null : acts.getLast(), minute % 2 == 0 ? OWN : GOOD)
                    .act();
            if (act != null) {
                acts.add(at);
                now = act.next();
            }
        }

        assertThat(acts).containsExactly(NOON, NOON.plus(Duration.ofMinutes(10)), NOON.plus(Duration.ofMinutes(20)));
        assertThat(now.flag().percentage()).isEqualTo(5);
    }

    @Test
    void aPromotionIsNoReasonToWaitWithARollback() {
        var promoted = ramp(rollout(Phase.RUNNING, 5, null), NOON.plus(Duration.ofMinutes(15)), null, GOOD)
                .act();
        assertThat(promoted).isNotNull();

        var act = ramp(promoted.next(), NOON.plus(Duration.ofMinutes(16)), null, OWN)
                .act();

        assertThat(act).isNotNull();
        assertThat(act.action()).isEqualTo("rollout.rollback");
    }

    @ParameterizedTest
    @EnumSource(
            value = Phase.class,
            names = {"SUSPENDED"},
            mode = EnumSource.Mode.EXCLUDE)
    void aSuspensionGoesBackToThePhaseAndStepItCameFrom(Phase phase) {
        var before = rollout(phase, 25, null);
        var suspended = ramp(before, NOON, null, SHARED).act();
        assertThat(suspended).isNotNull();

        var early = ramp(suspended.next(), NOON.plus(Duration.ofSeconds(299)), NOON, SHARED)
                .act();
        var resumed = ramp(suspended.next(), NOON.plus(Duration.ofMinutes(5)), NOON, NOTHING)
                .act();

        assertThat(suspended.next().effectivePercentage()).isZero();
        assertThat(suspended.next().changed().by()).isEqualTo(Actor.guardrail("connection_success"));
        assertThat(early).isNull();
        assertThat(resumed).isNotNull();
        assertThat(resumed.action()).isEqualTo("rollout.resume");
        assertThat(resumed.next().phase()).isEqualTo(phase);
        assertThat(resumed.next().flag()).isEqualTo(before.flag());
        assertThat(resumed.next().step()).isEqualTo(before.step());
        assertThat(resumed.next().changed().by()).isEqualTo(Actor.SCHEDULE);
    }

    /** L3: a provider that is out for longer than half an hour. */
    @Test
    void troubleThatLastsTakesTheRolloutBackInTheEnd() {
        var done = doneIn42Minutes(SHARED, SHARED);

        assertThat(done)
                .containsExactly(
                        "0 rollout.suspend",
                        "5 rollout.resume",
                        "10 rollout.suspend",
                        "15 rollout.resume",
                        "20 rollout.suspend",
                        "25 rollout.resume",
                        "30 rollout.suspend",
                        "35 rollout.resume",
                        "40 rollout.rollback");
    }

    @Test
    void troubleThatComesBackMuchLaterIsAnother() {
        var done = doneIn42Minutes(SHARED, GOOD);

        assertThat(done)
                .containsExactly(
                        "0 rollout.suspend",
                        "5 rollout.resume",
                        "30 rollout.suspend",
                        "35 rollout.resume",
                        "40 rollout.suspend");
    }

    @Test
    void nothingHappensAndNothingBakesWhileVoiceIsSwitchedOff() {
        var running = rollout(Phase.RUNNING, 5, null);
        var released = NOON.plus(Duration.ofMinutes(60));
        var on = new Kill(true, 1, Kill.Live.CLOSE, "amir", "fire", NOON);
        var off = new Kill(false, 2, Kill.Live.GO_ON, "amir", "out", released);

        assertThat(ramp(running, on, NOON.plus(Duration.ofMinutes(59)), GOOD).act())
                .isNull();
        assertThat(ramp(running, off, released.plus(Duration.ofMinutes(14)), GOOD)
                        .act())
                .isNull();
        assertThat(ramp(running, off, released.plus(Duration.ofMinutes(15)), GOOD)
                        .act())
                .isNotNull();
    }

    @Test
    void aStepDoesNotBakeWhileANodeIsSilentButIsHeldInTime() {
        assertThat(blindFor10Minutes(24, GOOD)).isNull();
        assertThat(blindFor10Minutes(25, GOOD)).isEqualTo("rollout.promote");
        assertThat(blindFor10Minutes(134, NOTHING)).isNull();
        assertThat(blindFor10Minutes(135, NOTHING)).isEqualTo("rollout.hold");
    }

    private static @Nullable String blindFor10Minutes(int minutes, Judgement says) {
        var act = new Ramp(
                        settings(CONNECTION),
                        rollout(Phase.RUNNING, 5, null),
                        Kill.NEVER,
                        List.of(of(CONNECTION, says)),
                        null,
                        Duration.ofMinutes(10),
                        NOON.plus(Duration.ofMinutes(minutes)),
                        null)
                .act();
        return act == null ? null : act.action();
    }

    @Test
    void theAuditSaysWhatAnActRestsOn() {
        var act = ramp(rollout(Phase.RUNNING, 25, null), NOON, null, TENANT).act();

        assertThat(act).isNotNull();
        assertThat(act.next().changed().reason()).isEqualTo("connection_success: because");
        assertThat(act.evidence())
                .isEqualTo("[{\"guardrail\":\"connection_success\",\"verdict\":\"inconclusive\",\"cause\":\"tenant\","
                        + "\"tenant\":\"acme\",\"score\":1.5,\"limit\":7.0,\"samples\":60,\"control_samples\":9,"
                        + "\"observed\":0.1,\"interval\":[0.05,0.2],\"bound\":0.1,\"why\":\"because\"}]");
    }

    @Test
    void evidenceIsJsonWhateverATenantIsCalled() throws Exception {
        var name = "a \"b\" \\ \n Zoë";
        var act = ramp(rollout(Phase.RUNNING, 25, null), NOON, null, says(Verdict.INCONCLUSIVE, Cause.tenant(name), 9))
                .act();

        assertThat(act).isNotNull();
        assertThat(new ObjectMapper()
                        .readTree(act.evidence())
                        .get(0)
                        .path("tenant")
                        .asText())
                .isEqualTo(name);
    }

    @Test
    void everyoneCanSeeWhatTheStepWaitsFor() {
        var five = ramp(rollout(Phase.RUNNING, 5, null), NOON.plus(Duration.ofSeconds(150)), null, FEW, NOTHING, OWN);
        var fifty = ramp(rollout(Phase.RUNNING, 50, null), NOON.plus(Duration.ofHours(1)), null, GOOD, GOOD, GOOD);
        var paused = ramp(rollout(Phase.PAUSED, 5, null), NOON, null, TENANT, NOTHING, GOOD);

        assertThat(five.report().waitingFor())
                .containsExactly(
                        new Waiting("bake", "", "PT2M", "PT15M"),
                        new Waiting("evidence", "", "12", "59"),
                        new Waiting("evidence", "connection_success", "12", "59"),
                        new Waiting("verdict", "error_rate", "no_data", "pass"));
        assertThat(fifty.report().waitingFor()).containsExactly(new Waiting("approval", "", "", "promote"));
        assertThat(paused.report().waitingFor())
                .containsExactly(new Waiting("tenant", "connection_success", "acme", ""));
        assertThat(five.report().guardrails())
                .extracting(Rollouts.GuardrailView::verdict)
                .containsExactly("inconclusive", "no_data", "fail");
    }

    /** With this said at first and from minute 30, and that between. */
    private static List<String> doneIn42Minutes(Judgement first, Judgement until30) {
        var now = rollout(Phase.RUNNING, 25, null);
        Instant acted = null;
        var done = new ArrayList<String>();
        for (int minute = 0; minute <= 42; minute++) {
            var at = NOON.plus(Duration.ofMinutes(minute));
            var act = ramp(now, at, acted, minute > 5 && minute < 30 ? until30 : first)
                    .act();
            if (act != null && !act.action().equals("rollout.promote")) {
                done.add(minute + " " + act.action());
                now = act.next();
                acted = now.changed().by().byGuardrail() ? at : acted;
            }
        }
        return done;
    }

    private static Ramp ramp(Rollout rollout, Instant now, @Nullable Instant acted, Judgement... says) {
        var guardrails = List.of(CONNECTION, ERROR, WATCHED).subList(0, says.length);
        var judgements = new ArrayList<Judgement>();
        for (int number = 0; number < says.length; number++) {
            judgements.add(of(guardrails.get(number), says[number]));
        }
        return new Ramp(
                settings(guardrails.toArray(Guardrail[]::new)),
                rollout,
                Kill.NEVER,
                judgements,
                null,
                Duration.ZERO,
                now,
                acted);
    }

    /** R8: something chooses who is counted. */
    @Test
    void armsThatDoNotFitThePercentageAreNotPromotedAndAreTold() {
        var fits = atItsEnd(new SampleRatio(50, 50, 50));
        var doesNot = atItsEnd(new SampleRatio(70, 30, 50));

        assertThat(fits.act()).extracting(Ramp.Act::action).isEqualTo("rollout.promote");
        assertThat(doesNot.act()).isNull();
        assertThat(doesNot.report().waitingFor())
                .containsExactly(new Rollouts.Waiting("sample_ratio", "", "70 of 100", "50 %"));
        assertThat(doesNot.report().sampleRatio())
                .isNotNull()
                .extracting(Rollouts.SampleRatioView::mismatch)
                .isEqualTo(true);
        assertThat(fits.report().sampleRatio()).isNotNull();
    }

    private static Ramp atItsEnd(SampleRatio ratio) {
        return new Ramp(
                settings(CONNECTION),
                rollout(Phase.RUNNING, 5, null),
                Kill.NEVER,
                List.of(of(CONNECTION, GOOD)),
                ratio,
                Duration.ZERO,
                NOON.plus(Duration.ofMinutes(15)),
                null);
    }

    /** §2.4: who was in for a stage's time is what the next stage's newcomers can be held against. */
    @Test
    void aStageThatHasLastedIsBakedWhenThePercentageRisesAndForgottenWhenItFallsBackToIt() {
        var running = rollout(Phase.RUNNING, 5, null);
        var soon = NOON.plus(Duration.ofMinutes(1));
        var late = NOON.plus(Duration.ofMinutes(15));

        var tooSoon = running.moved(Phase.RUNNING, 25, null, Actor.SCHEDULE, soon, "");
        var promoted = running.moved(Phase.RUNNING, 25, null, Actor.SCHEDULE, late, "");
        var paused = promoted.moved(Phase.PAUSED, 25, null, Actor.SCHEDULE, late, "");
        var lowered = promoted.moved(Phase.PAUSED, 10, null, Actor.SCHEDULE, late, "");
        var back = promoted.moved(Phase.ROLLED_BACK, 5, null, Actor.SCHEDULE, late, "");

        assertThat(List.of(tooSoon, promoted, paused, lowered, back))
                .extracting(Rollout::baked)
                .containsExactly(0, 5, 5, 5, 0);
        // Of bucket 4, and of bucket 5.
        assertThat(promoted.isBaked(new CallerId("user-128", "default"))).isTrue();
        assertThat(promoted.isBaked(new CallerId("user-47", "default"))).isFalse();
    }

    private static Ramp ramp(Rollout rollout, Kill kill, Instant now, Judgement says) {
        return new Ramp(
                settings(CONNECTION), rollout, kill, List.of(of(CONNECTION, says)), null, Duration.ZERO, now, null);
    }

    private static Rollout rollout(Phase phase, int percentage, @Nullable Suspension suspension) {
        return new Rollout(
                7,
                phase,
                new Flag(true, percentage, Set.of(), Set.of()),
                PLAN,
                PLAN.stepAt(percentage),
                NOON,
                new Rollout.Change(Actor.SCHEDULE, NOON, ""),
                suspension,
                null);
    }

    private static GuardrailSettings settings(Guardrail... guardrails) {
        return new GuardrailSettings(
                20, 100, Duration.ofMinutes(10), Duration.ofMinutes(5), Duration.ofMinutes(30), List.of(guardrails));
    }

    private static Guardrail guardrail(String id, Signal signal, boolean observeOnly) {
        return new Guardrail(id, signal, 0.1, 0, 7, Comparator.CONTROL, OnFail.ROLLBACK_PREVIOUS, observeOnly);
    }

    private static Judgement says(Verdict verdict, Cause cause, long samples) {
        return new Judgement("", verdict, cause, 1.5, 7, 0.1, 0.05, 0.2, samples, 9, 59, "because");
    }

    private static Judgement of(Guardrail guardrail, Judgement says) {
        return new Judgement(
                guardrail.id(),
                says.verdict(),
                says.cause(),
                says.score(),
                says.limit(),
                says.observed(),
                says.low(),
                says.high(),
                says.samples(),
                says.controlSamples(),
                says.needed(),
                says.why());
    }
}
