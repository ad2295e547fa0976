package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** R3, R5, R8. */
@Tag("unit")
class JudgeTest {
    private static final Guardrail ABSOLUTE = guardrail(Comparator.ABSOLUTE);
    private static final Guardrail CONTROL = guardrail(Comparator.CONTROL);
    private static final Guardrail PROBE = guardrail(Comparator.PROBE);

    @Test
    void nothingSeenIsNoDataAndNeverAPass() {
        var judgement = judge(ABSOLUTE, Evidence.of(ABSOLUTE));

        assertThat(judgement)
                .isEqualTo(new Judgement(
                        "connection_success", Verdict.NO_DATA, Cause.NONE, 0, 7, 0, 0, 1, 0, 0, 29, "no session yet"));
    }

    @Test
    void sessionsOfTheControlAloneAreNoData() {
        assertThat(judge(CONTROL, with(CONTROL).control(100, 0)).verdict()).isEqualTo(Verdict.NO_DATA);
    }

    @Test
    void twelveCleanSessionsDoNotPassTenPercent() {
        var judgement = judge(ABSOLUTE, with(ABSOLUTE).voice(12, 0));

        assertThat(judgement.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judgement.cause()).isEqualTo(Cause.NONE);
        assertThat(judgement.samples()).isEqualTo(12);
        assertThat(judgement.needed()).isEqualTo(29);
        assertThat(judgement.why()).isEqualTo("12 sessions of the 29 that it takes to pass");
    }

    @ParameterizedTest
    @CsvSource({"0, 28, INCONCLUSIVE", "0, 29, PASS", "1, 45, INCONCLUSIVE", "1, 46, PASS", "2, 60, INCONCLUSIVE"})
    void passesOnlyWithTheEvidenceThatItTakes(int failed, int sessions, Verdict verdict) {
        var evidence = with(ABSOLUTE).voice(failed, failed).voice(sessions - failed, 0);

        assertThat(judge(ABSOLUTE, evidence).verdict()).isEqualTo(verdict);
    }

    @Test
    void aPassSaysWhatItKnows() {
        var judgement = judge(ABSOLUTE, with(ABSOLUTE).voice(1, 1).voice(99, 0));

        assertThat(judgement.verdict()).isEqualTo(Verdict.PASS);
        assertThat(judgement.observed()).isEqualTo(0.01, within(1e-12));
        assertThat(judgement.low()).isEqualTo(0.0018, within(1e-4));
        assertThat(judgement.high()).isEqualTo(0.0545, within(1e-4));
        assertThat(judgement.needed()).isEqualTo(46);
        assertThat(judgement.why()).isEqualTo("at most 10 % fail, with 95 % confidence");
    }

    @Test
    void aNodeThatDoesNotReportTurnsAPassIntoNoDataAndAFailIntoNothingElse() {
        var good = with(ABSOLUTE).voice(100, 0).evidence;
        var bad = with(ABSOLUTE).voice(5, 5).evidence;

        assertThat(Judge.judge(ABSOLUTE, good, false).verdict()).isEqualTo(Verdict.NO_DATA);
        assertThat(Judge.judge(ABSOLUTE, bad, false).verdict()).isEqualTo(Verdict.FAIL);
    }

    @Test
    void fiveFailuresInARowFailAndSayWhy() {
        var judgement = judge(ABSOLUTE, with(ABSOLUTE).voice(200, 0).voice(5, 5));

        assertThat(judgement.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(judgement.cause()).isEqualTo(Cause.OWN);
        assertThat(judgement.why())
                .isEqualTo("score 8.0 passed 7.0, 5 failed of 5 since the change point; judged by the bound alone");
    }

    @Test
    void evidenceOfAnotherGuardrailIsAnError() {
        var other = new Guardrail(
                "connection_success",
                Signal.CONNECTION,
                0.2,
                0,
                7,
                Comparator.ABSOLUTE,
                OnFail.ROLLBACK_PREVIOUS,
                false);

        var judgement = judge(other, with(ABSOLUTE).voice(100, 0));

        assertThat(judgement.verdict()).isEqualTo(Verdict.ERROR);
        assertThat(judgement.why())
                .isEqualTo("the evidence is of connection_success, CONNECTION, bound 0.1"
                        + " (expected: connection_success, CONNECTION, 0.2): reset it");
    }

    @Test
    void withoutAComparisonTheBoundDecidesAndTheReasonSaysSo() {
        var judgement = judge(CONTROL, with(CONTROL).voice(5, 5));

        assertThat(judgement.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(judgement.why()).endsWith("there is no comparison: judged by the bound alone");
    }

    @Test
    void aComparisonThatFellSilentDoesNotProtectForEver() {
        var quiet = with(CONTROL).control(40, 0).voice(20, 0).voice(10, 10);
        var silent = with(CONTROL).control(40, 0).voice(20, 0).voice(21, 21);

        assertThat(judge(CONTROL, quiet).verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judge(CONTROL, silent).verdict()).isEqualTo(Verdict.FAIL);
        assertThat(judge(CONTROL, silent).why()).endsWith("the comparison fell silent: judged by the bound alone");
    }

    @Test
    void aComparisonThatDoesBetterMakesItOurFault() {
        var early = with(CONTROL).both(40, 0, 0).both(7, 7, 0);
        var sure = with(CONTROL).both(40, 0, 0).both(9, 9, 0);

        assertThat(judge(CONTROL, early).verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judge(CONTROL, early).cause()).isEqualTo(Cause.NONE);
        assertThat(judge(CONTROL, sure).verdict()).isEqualTo(Verdict.FAIL);
        assertThat(judge(CONTROL, sure).cause()).isEqualTo(Cause.OWN);
        assertThat(judge(CONTROL, sure).why()).contains("the comparison does better, p = ");
        assertThat(judge(CONTROL, sure).controlSamples()).isEqualTo(49);
    }

    @Test
    void aComparisonThatFailsAsWellMakesItNobodysFaultHere() {
        var judgement = judge(CONTROL, with(CONTROL).both(100, 0, 0).both(20, 20, 20));

        assertThat(judgement.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judgement.cause()).isEqualTo(Cause.SHARED);
        assertThat(judgement.why()).endsWith("the comparison fails as well");
    }

    /** R8: where something chooses who is counted, the other arm's word is worth nothing. */
    @Test
    void armsThatDoNotFitThePercentageAreNotCompared() {
        var evidence = with(CONTROL).both(100, 0, 0).both(20, 20, 20).evidence;

        var fits = Judge.judge(CONTROL, evidence, true, new SampleRatio(50, 50, 50));
        var doesNot = Judge.judge(CONTROL, evidence, true, new SampleRatio(70, 30, 50));

        assertThat(fits.cause()).isEqualTo(Cause.SHARED);
        assertThat(doesNot.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(doesNot.why())
                .contains("judged by the bound alone; of 100 users 70 have voice where 50 % should (p = 6.3e-05)");
    }

    @Test
    void worseThanABadComparisonIsStillOurFault() {
        var judgement = judge(CONTROL, with(CONTROL).both(100, 0, 0).both(60, 60, 15));

        assertThat(judgement.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(judgement.cause()).isEqualTo(Cause.OWN);
    }

    @Test
    void probesTellTheProvidersTroubleFromOurs() {
        var theirs = with(PROBE)
                .voice(100, 0)
                .probes(50, 0)
                .voice(1, 1)
                .probes(10, 10)
                .voice(9, 9);
        var ours = with(PROBE)
                .voice(100, 0)
                .probes(50, 0)
                .voice(1, 1)
                .probes(20, 0)
                .voice(9, 9);

        assertThat(judge(PROBE, theirs).cause()).isEqualTo(Cause.SHARED);
        assertThat(judge(PROBE, ours).verdict()).isEqualTo(Verdict.FAIL);
        assertThat(judge(PROBE, ours).controlSamples()).isEqualTo(70);
    }

    /** 6 against 0 %: never beyond the bound of 10 %, yet surely worse. */
    @Test
    void aDifferenceThatTheScoreNeverSeesIsFoundByTheConfidenceSequence() {
        var sessions = with(CONTROL);
        for (int batch = 0; batch < 40; batch++) {
            sessions.both(1, 1, 0).both(16, 0, 0);
        }
        var judgement = judge(CONTROL, sessions);

        assertThat(judgement.score()).isLessThan(7);
        assertThat(judgement.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(judgement.cause()).isEqualTo(Cause.OWN);
        assertThat(judgement.why()).startsWith("fails 5.9 points more often than the comparison, give or take ");
    }

    /** R19. */
    @Test
    void theFirstSessionsOfFreshNodesChangeNoVerdictOfLatency() {
        var guardrail = Guardrail.DEFAULTS.get(1);
        var evidence = Evidence.of(guardrail);
        for (int session = 0; session < 60; session++) {
            evidence = evidence.after(firstAudio(session, 0, false));
        }
        var before = judge(guardrail, evidence);
        for (int session = 0; session < 60; session++) {
            evidence = evidence.after(firstAudio(session, 1, true));
        }

        assertThat(before.verdict()).isEqualTo(Verdict.PASS);
        assertThat(judge(guardrail, evidence)).isEqualTo(before);
    }

    @Test
    void oneTenantThatFailsIsHeldAndNamed() {
        for (var guardrail : new Guardrail[] {ABSOLUTE, CONTROL}) {
            var sessions = with(guardrail);
            for (int batch = 0; batch < 20; batch++) {
                sessions.from("good").both(7, 0, 0).from("broken").both(3, 3, 0);
            }
            var judgement = judge(guardrail, sessions);

            assertThat(judgement.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
            assertThat(judgement.cause()).isEqualTo(Cause.tenant("broken"));
            assertThat(judgement.why()).isEqualTo("only tenant broken fails: without it there is no alarm");
        }
    }

    @Test
    void oneTenantThatFailsSeldomIsNamedAsWell() {
        var sessions = with(CONTROL);
        for (int batch = 0; batch < 60; batch++) {
            sessions.from("good").both(12, 0, 0).from("bad").both(4, 0, 0).both(1, 1, 0);
        }
        var judgement = judge(CONTROL, sessions);

        assertThat(judgement.score()).isLessThan(7);
        assertThat(judgement.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judgement.cause()).isEqualTo(Cause.tenant("bad"));
    }

    @Test
    void whenEveryTenantFailsNoneIsBlamed() {
        var sessions = with(ABSOLUTE).from("big").voice(70, 0).from("small").voice(30, 0);

        assertThat(judge(
                                ABSOLUTE,
                                sessions.from("big").voice(4, 4).from("small").voice(3, 3))
                        .verdict())
                .isEqualTo(Verdict.FAIL);
    }

    @Test
    void aTenantThatIsNearlyAllOfTheTrafficIsTheService() {
        var sessions = with(ABSOLUTE).from("all").voice(99, 0).from("other").voice(1, 0);

        assertThat(judge(ABSOLUTE, sessions.from("all").voice(5, 5)).verdict()).isEqualTo(Verdict.FAIL);
    }

    private static Observation firstAudio(int session, double slow, boolean warmUp) {
        return new Observation(Signal.FIRST_AUDIO, Arm.VOICE, session, "default", slow, false, warmUp, false);
    }

    private static Judgement judge(Guardrail guardrail, Sessions sessions) {
        return judge(guardrail, sessions.evidence);
    }

    private static Judgement judge(Guardrail guardrail, Evidence evidence) {
        return Judge.judge(guardrail, evidence, true);
    }

    private static Guardrail guardrail(Comparator comparator) {
        return new Guardrail(
                "connection_success", Signal.CONNECTION, 0.10, 0, 7, comparator, OnFail.ROLLBACK_PREVIOUS, false);
    }

    private static Sessions with(Guardrail guardrail) {
        return new Sessions(guardrail);
    }

    /** Tells sessions one after the other, from ever other sub-buckets. */
    private static final class Sessions {
        private Evidence evidence;
        private String tenant = "default";
        private int subBucket;

        Sessions(Guardrail guardrail) {
            evidence = Evidence.of(guardrail);
        }

        Sessions from(String name) {
            tenant = name;
            return this;
        }

        Sessions voice(int sessions, int failed) {
            return tell(sessions, failed, Arm.VOICE, false);
        }

        Sessions control(int sessions, int failed) {
            return tell(sessions, failed, Arm.CONTROL, false);
        }

        Sessions probes(int sessions, int failed) {
            return tell(sessions, failed, Arm.CONTROL, true);
        }

        /** One of the voice arm, one of the control, and so on: the first ones fail. */
        Sessions both(int sessions, int voiceFailed, int controlFailed) {
            for (int session = 0; session < sessions; session++) {
                voice(1, session < voiceFailed ? 1 : 0).control(1, session < controlFailed ? 1 : 0);
            }
            return this;
        }

        private Sessions tell(int sessions, int failed, Arm arm, boolean probe) {
            for (int session = 0; session < sessions; session++) {
                evidence = evidence.after(new Observation(
                        Signal.CONNECTION,
                        arm,
                        subBucket++ % 64,
                        tenant,
                        session < failed ? 1 : 0,
                        false,
                        false,
                        probe));
            }
            return this;
        }
    }
}
