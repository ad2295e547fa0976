package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.admission.Evidence.Tally;
import parley.admission.Evidence.Tenant;

/** R4, R8, R19. */
@Tag("unit")
class EvidenceTest {
    private static final Guardrail ERRORS = Guardrail.DEFAULTS.get(2);
    private static final Guardrail FIRST_AUDIO = Guardrail.DEFAULTS.get(1);
    private static final Evidence NOTHING = Evidence.of(ERRORS);

    /** The first six bits from the right of what {@code printf %s alice | sha256sum} begins with, and so on. */
    @ParameterizedTest
    @CsvSource(
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "'',35",
                "user-1,6",
                "user-2,25",
                "user-42,45",
                "alice,43",
                "ALICE,39",
                "用户,13",
                "550e8400-e29b-41d4-a716-446655440000,35",
                " user-1,63",
                "user-1 ,34"
            })
    void aUserFallsIntoTheSameSubBucketEverywhere(String user, int subBucket) {
        assertThat(Observation.subBucket(user)).isEqualTo(subBucket);
    }

    /** χ² with 63 degrees of freedom is below 103 in 999 of 1,000 cases. */
    @Test
    void theUsersOfAStepFillAllSubBucketsAlike() {
        var users = IntStream.range(0, 200_000)
                .mapToObj(number -> "user-" + number)
                .filter(user -> Flag.bucket(user) < 10)
                .toList();
        var counts = new long[Observation.SUB_BUCKETS];
        users.forEach(user -> counts[Observation.subBucket(user)]++);
        double expected = users.size() / 64.0;
        double squares = 0;
        for (long count : counts) {
            squares += (count - expected) * (count - expected) / expected;
        }

        assertThat(squares).isLessThan(103);
    }

    @Test
    void anObservationBeyondTheScaleIsNamed() {
        assertThatThrownBy(() -> session(Signal.ERROR, 64, "t", 0)).hasMessage("subBucket: 64 (expected: 0..63)");
        assertThatThrownBy(() -> session(Signal.ERROR, 0, "t", Double.NaN)).hasMessage("failed: NaN (expected: 0..1)");
        assertThatThrownBy(() -> session(Signal.ERROR, 0, "t", 1.5)).hasMessage("failed: 1.5 (expected: 0..1)");
        assertThatThrownBy(() -> session(Signal.ERROR, 0, "", 0)).hasMessage("tenant: empty (expected: a name)");
    }

    @Test
    void whatIsNoSampleChangesNothing() {
        var forced = new Observation(Signal.ERROR, Arm.VOICE, 1, "t", 1, true, false, false);
        var slowAtStart = new Observation(Signal.FIRST_AUDIO, Arm.VOICE, 1, "t", 1, false, true, false);

        assertThat(NOTHING.after(forced)).isEqualTo(NOTHING);
        assertThat(NOTHING.after(session(Signal.COST, 1, "t", 1))).isEqualTo(NOTHING);
        assertThat(Evidence.of(FIRST_AUDIO).after(slowAtStart)).isEqualTo(Evidence.of(FIRST_AUDIO));
    }

    @Test
    void anErrorCountsFromTheFirstSessionOfANode() {
        var early = new Observation(Signal.ERROR, Arm.VOICE, 1, "t", 1, false, true, false);

        assertThat(NOTHING.after(early).candidate().total()).isEqualTo(new Tally(1, 1));
    }

    @Test
    void aProbeIsNobodysSession() {
        var evidence = NOTHING.after(new Observation(Signal.ERROR, Arm.VOICE, 1, "t", 1, false, false, true));

        assertThat(evidence.probes().total()).isEqualTo(new Tally(1, 1));
        assertThat(evidence.candidate().total()).isEqualTo(Tally.NONE);
        assertThat(evidence.score()).isZero();
        assertThat(evidence.tenants()).isEmpty();
    }

    @Test
    void theComparisonIsAskedSinceTheScoreLeftZero() {
        var calm = after(NOTHING, voice("t", 0), voice("t", 0), control("t", 1));
        var changed = after(calm, voice("t", 1), control("t", 0), voice("t", 0), control("t", 1));

        assertThat(calm.candidate().sinceChange()).isEqualTo(Tally.NONE);
        assertThat(calm.control().sinceChange()).isEqualTo(Tally.NONE);
        assertThat(calm.changePoint()).isEqualTo(2);
        assertThat(changed.candidate().sinceChange()).isEqualTo(new Tally(2, 1));
        assertThat(changed.control().sinceChange()).isEqualTo(new Tally(2, 1));
        assertThat(changed.candidate().total()).isEqualTo(new Tally(4, 1));
        assertThat(changed.control().total()).isEqualTo(new Tally(3, 2));
        assertThat(changed.changePoint()).isEqualTo(2);
        assertThat(changed.score())
                .isEqualTo(Cusum.of(0.05).failure() + Cusum.of(0.05).success(), within(1e-12));
    }

    @Test
    void theChangePointIsForgottenWhenTheScoreIsBackAtZero() {
        var evidence = after(NOTHING, voice("t", 1), control("t", 1));
        for (int session = 0; session < 15; session++) {
            evidence = evidence.after(voice("t", 0));
        }

        assertThat(evidence.score()).isZero();
        assertThat(evidence.candidate().sinceChange()).isEqualTo(Tally.NONE);
        assertThat(evidence.control().sinceChange()).isEqualTo(Tally.NONE);
        assertThat(evidence.changePoint()).isEqualTo(16);
    }

    @Test
    void knowsTheScoreThatTheOthersHaveWithoutATenant() {
        var evidence = after(NOTHING, voice("good", 0), voice("bad", 1), voice("bad", 1), voice("good", 1));
        var cusum = Cusum.of(0.05);

        assertThat(evidence.tenants().get("bad"))
                .isEqualTo(new Tenant(new Tally(2, 2), Tally.NONE, cusum.failure(), 2));
        assertThat(evidence.tenants().get("good"))
                .isEqualTo(new Tenant(new Tally(2, 1), Tally.NONE, 2 * cusum.failure(), 1));
    }

    @Test
    void aTenantWhoFailsFindsAPlaceAmongManyAndNobodyIsLostFromTheCount() {
        var evidence = NOTHING;
        for (int round = 0; round < 20; round++) {
            for (int tenant = 0; tenant < 100; tenant++) {
                evidence = evidence.after(voice("tenant-" + tenant, round == 7 ? 1 : 0));
                evidence = evidence.after(voice("bad", 1));
            }
        }
        var kept = evidence.tenants().values().stream()
                .map(Tenant::candidate)
                .reduce(evidence.others().candidate(), Tally::plus);

        assertThat(evidence.tenants()).hasSize(Evidence.TENANTS).containsKey("bad");
        assertThat(evidence.tenants().get("bad").candidate().sessions()).isGreaterThan(1_900);
        assertThat(kept).isEqualTo(evidence.candidate().total());
    }

    @Test
    void theOrderOfTheSessionsDoesNotMatterForTheSamples() {
        var random = new Random(8);
        for (int run = 0; run < 50; run++) {
            var sessions = new ArrayList<>(IntStream.range(0, 200)
                    .mapToObj(number -> new Observation(
                            Signal.ERROR,
                            random.nextBoolean() ? Arm.VOICE : Arm.CONTROL,
                            random.nextInt(64),
                            "tenant-" + random.nextInt(Evidence.TENANTS),
                            random.nextInt(5) / 4.0,
                            random.nextInt(10) == 0,
                            random.nextBoolean(),
                            random.nextInt(10) == 0))
                    .toList());
            var one = after(NOTHING, sessions.toArray(Observation[]::new));
            Collections.shuffle(sessions, random);
            var other = after(NOTHING, sessions.toArray(Observation[]::new));

            assertThat(samples(other)).isEqualTo(samples(one));
        }
    }

    @Test
    void aResetForgetsEverythingButWhatItIsAbout() {
        assertThat(after(NOTHING, voice("t", 1), control("t", 1)).reset()).isEqualTo(NOTHING);
    }

    private static List<Object> samples(Evidence evidence) {
        var tenants = evidence.tenants().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        tenant -> List.of(
                                tenant.getValue().candidate(), tenant.getValue().control())));
        return List.of(
                evidence.candidate().bySubBucket(),
                evidence.control().bySubBucket(),
                evidence.probes().bySubBucket(),
                tenants);
    }

    private static Evidence after(Evidence evidence, Observation... sessions) {
        for (var session : sessions) {
            evidence = evidence.after(session);
        }
        return evidence;
    }

    private static Observation voice(String tenant, double failed) {
        return session(Signal.ERROR, 3, tenant, failed);
    }

    private static Observation control(String tenant, double failed) {
        return new Observation(Signal.ERROR, Arm.CONTROL, 3, tenant, failed, false, false, false);
    }

    private static Observation session(Signal signal, int subBucket, String tenant, double failed) {
        return new Observation(signal, Arm.VOICE, subBucket, tenant, failed, false, false, false);
    }
}
