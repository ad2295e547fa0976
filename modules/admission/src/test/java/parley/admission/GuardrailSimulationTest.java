package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** R4, R5, R8: days of sessions, many times over. Seeded, so that it says the same each time. */
@Tag("unit")
class GuardrailSimulationTest {
    private static final Guardrail ABSOLUTE = guardrail(Comparator.ABSOLUTE);
    private static final Guardrail CONTROL = guardrail(Comparator.CONTROL);
    private static final int HOURS = 24;
    private static final double HEALTHY = 0.01;

    /** None in 400 days is, at 95 % confidence, at most 0.75 %. */
    @ParameterizedTest
    @ValueSource(ints = {5, 20, 50, 200, 500, 2_000})
    void aHealthyServiceIsLeftAloneAllDay(int sessionsPerHour) {
        var random = new Random(sessionsPerHour);
        var cusum = Cusum.of(ABSOLUTE.bound());
        int rolledBack = 0;
        for (int day = 0; day < 400; day++) {
            double score = 0;
            for (int session = 0; session < sessionsPerHour * HOURS && score <= ABSOLUTE.limit(); session++) {
                score = cusum.step(score, random.nextDouble() < HEALTHY ? 1 : 0);
            }
            rolledBack += score > ABSOLUTE.limit() ? 1 : 0;
        }

        assertThat(rolledBack).isZero();
    }

    /** The same with all of the evidence, judged after every session of the candidate. */
    @ParameterizedTest
    @CsvSource({"5, 1, 20", "50, 10, 5", "100, 10, 1"})
    void aHealthyServicePassesAndIsNeverJudgedToFail(int sessionsPerHour, int tenants, int days) {
        for (var guardrail : new Guardrail[] {ABSOLUTE, CONTROL}) {
            for (int day = 0; day < days; day++) {
                var service = new Service(guardrail, tenants, 0.5, day);

                assertThat(service.sessionsUntilItFails(sessionsPerHour * HOURS))
                        .isEqualTo(Service.NEVER);
                assertThat(service.judgement().verdict()).isEqualTo(Verdict.PASS);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"0.4, 1", "0.4, 10", "0.2, 1", "0.2, 10", "0, 1", "0, 10"})
    void aDeadServiceIsCaughtWithinTenSessions(double success, int tenants) {
        assertThat(median(run -> {
                    var service = new Service(ABSOLUTE, tenants, 0, run);
                    service.sessionsUntilItFails(50);
                    service.failing = (arm, tenant) -> 1 - success;
                    return service.sessionsUntilItFails(1_000);
                }))
                .isLessThanOrEqualTo(10);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10})
    void aReleaseThatFailsHalfOfItsSessionsCostsThirtyBeforeTheControlConfirmsIt(int tenants) {
        assertThat(median(run -> {
                    var service = new Service(CONTROL, tenants, 0.5, run);
                    service.sessionsUntilItFails(50);
                    service.failing = (arm, tenant) -> arm == Arm.VOICE ? 0.5 : HEALTHY;
                    return service.sessionsUntilItFails(1_000);
                }))
                .isLessThanOrEqualTo(30);
    }

    /**
     * An hour of good sessions, twenty minutes of the outage, an hour of good sessions. Where half of the sessions fail
     * in both arms, chance alone looks like a difference in one outage of a thousand: here in one of a hundred.
     */
    @ParameterizedTest
    @CsvSource({
        "5, 0, 50, 0, 0",
        "50, 0, 50, 0, 50",
        "500, 0, 5, 0, 5",
        "50, 0.5, 100, 1, 70",
        "500, 0.5, 5, 0, 5",
        "500, 0.9, 5, 0, 0"
    })
    void anOutageThatAllShareIsCalledSharedAndRollsNothingBack(
            int sessionsPerHour, double success, int runs, int mostRolledBack, int leastShared) {
        int rolledBack = 0;
        int shared = 0;
        for (int run = 0; run < runs; run++) {
            var service = new Service(CONTROL, 10, 0.5, run);
            boolean failed = service.sessionsUntilItFails(sessionsPerHour) != Service.NEVER;
            service.failing = (arm, tenant) -> 1 - success;
            failed |= service.sessionsUntilItFails(sessionsPerHour / 3) != Service.NEVER;
            shared += service.judgement().cause().equals(Cause.SHARED) ? 1 : 0;
            service.failing = (arm, tenant) -> HEALTHY;
            failed |= service.sessionsUntilItFails(sessionsPerHour) != Service.NEVER;
            rolledBack += failed ? 1 : 0;
        }

        assertThat(rolledBack).isLessThanOrEqualTo(mostRolledBack);
        assertThat(shared).isGreaterThanOrEqualTo(leastShared);
    }

    /** Three in ten sessions are of the tenant, which fails from its first session, or from its hundredth or so. */
    @ParameterizedTest
    @CsvSource({"ABSOLUTE, 0", "ABSOLUTE, 300", "CONTROL, 0", "CONTROL, 300"})
    void aTenantThatFailsAlwaysIsHeldAndNamedAndNobodyElseIsRolledBack(Comparator comparator, int before) {
        for (int run = 0; run < 20; run++) {
            var service = new Service(guardrail(comparator), 10, 0.5, run);
            service.noisy = 0.3;
            service.sessionsUntilItFails(before);
            service.failing = (arm, tenant) -> tenant.equals(Service.NOISY) ? 1 : HEALTHY;

            assertThat(service.sessionsUntilItFails(300)).isEqualTo(Service.NEVER);
            assertThat(service.judgement().verdict()).isEqualTo(Verdict.INCONCLUSIVE);
            assertThat(service.judgement().cause()).isEqualTo(Cause.tenant(Service.NOISY));
        }
    }

    private static int median(IntUnaryOperator sessions) {
        var all = IntStream.range(0, 101).map(sessions).sorted().toArray();
        return all[all.length / 2];
    }

    private static Guardrail guardrail(Comparator comparator) {
        return new Guardrail(
                "connection_success", Signal.CONNECTION, 0.10, 0, 7, comparator, OnFail.ROLLBACK_PREVIOUS, false);
    }

    /** A service with tenants, of whose sessions a part is the control's. */
    private static final class Service {
        static final int NEVER = Integer.MAX_VALUE;
        static final String NOISY = "noisy";

        private final Guardrail guardrail;
        private final int tenants;
        private final double control;
        private final Random random;
        private Evidence evidence;
        private ToDoubleBiFunction<Arm, String> failing = (arm, tenant) -> HEALTHY;
        private double noisy;

        Service(Guardrail guardrail, int tenants, double control, long seed) {
            this.guardrail = guardrail;
            this.tenants = tenants;
            this.control = control;
            this.random = new Random(seed);
            this.evidence = Evidence.of(guardrail);
        }

        /** How many of the candidate's sessions it takes, judged after each; {@link #NEVER}: more than so many. */
        int sessionsUntilItFails(int most) {
            int sessions = 0;
            while (sessions < most) {
                var arm = random.nextDouble() < control ? Arm.CONTROL : Arm.VOICE;
                String tenant = random.nextDouble() < noisy ? NOISY : "tenant-" + random.nextInt(tenants);
                double failed = random.nextDouble() < failing.applyAsDouble(arm, tenant) ? 1 : 0;
                evidence = evidence.after(new Observation(
                        guardrail.signal(), arm, random.nextInt(64), tenant, failed, false, false, false));
                if (arm == Arm.VOICE) {
                    sessions++;
                    if (judgement().verdict() == Verdict.FAIL) {
                        return sessions;
                    }
                }
            }
            return NEVER;
        }

        Judgement judgement() {
            return Judge.judge(guardrail, evidence, true);
        }
    }
}
