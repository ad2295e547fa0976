package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.admission.Evidence.Samples;
import parley.admission.Evidence.Tally;

/** R4, R8. */
@Tag("unit")
class ConfidenceSequenceTest {
    @ParameterizedTest
    @CsvSource({
        "1, 500, 3.035208990",
        "0.0001, 50, 0.0385505463",
        "0.0001, 500, 0.0303520899",
        "0.0001, 5000, 0.0324172315",
        "0, 50, 0"
    })
    void isAsWideAsItsFormulaSays(double variance, long sessions, double half) {
        assertThat(ConfidenceSequence.halfWidth(variance, sessions)).isEqualTo(half, within(1e-9));
    }

    @Test
    void saysWhichArmIsWorseAndByHowMuch() {
        var bad = evenly(64, 10, 2);
        var good = evenly(64, 10, 0);

        assertThat(ConfidenceSequence.between(bad, good).difference()).isEqualTo(0.2, within(1e-12));
        assertThat(ConfidenceSequence.between(bad, good).worse()).isTrue();
        assertThat(ConfidenceSequence.between(good, bad).worse()).isFalse();
        assertThat(ConfidenceSequence.between(bad, bad).worse()).isFalse();
    }

    @Test
    void saysNothingOfFewSessionsOrFewUsers() {
        var good = evenly(64, 10, 0);

        assertThat(ConfidenceSequence.between(evenly(49, 1, 1), good).worse()).isFalse();
        assertThat(ConfidenceSequence.between(evenly(50, 1, 1), good).worse()).isTrue();
        assertThat(ConfidenceSequence.between(evenly(19, 50, 40), good).worse()).isFalse();
        assertThat(ConfidenceSequence.between(evenly(20, 50, 40), good).worse()).isTrue();
    }

    @Test
    void toleratesADifferenceOfOnePoint() {
        assertThat(ConfidenceSequence.between(evenly(64, 1_000_000, 9_000), evenly(64, 1_000_000, 0))
                        .worse())
                .isFalse();
        assertThat(ConfidenceSequence.between(evenly(64, 1_000_000, 12_000), evenly(64, 1_000_000, 0))
                        .worse())
                .isTrue();
    }

    @Test
    void scattersAtLeastAsIndependentSessionsDo() {
        assertThat(evenly(64, 10, 1).variance()).isEqualTo(0.1 * 0.9 / 640, within(1e-12));
        assertThat(Samples.NONE.variance()).isZero();
    }

    @Test
    void scattersMoreWhenOneSubBucketFailsAlone() {
        var tallies = IntStream.range(0, 64)
                .mapToObj(bucket -> new Tally(10, bucket == 0 ? 10 : 0))
                .toList();
        double share = 1 / 64.0;
        double squares = 63 * Math.pow(10 * share, 2) + Math.pow(10 - 10 * share, 2);

        assertThat(new Samples(tallies, Tally.NONE).variance())
                .isEqualTo(64 / 63.0 * squares / (640.0 * 640), within(1e-12));
    }

    /** Users come by Zipf's law (1.6, up to 400 sessions each), and one in a hundred fails in three of ten sessions. */
    @Test
    void aNoisyUserDoesNotMakeEqualArmsLookDifferent() {
        var random = new Random(26);
        var sessionsPerUser = zipf();
        int runs = 1_000;
        int byUser = 0;
        int bySession = 0;
        for (int run = 0; run < runs; run++) {
            var one = arm(1_000, sessionsPerUser, random);
            var other = arm(1_000, sessionsPerUser, random);
            double difference = Math.abs(one.total().share() - other.total().share());
            if (difference > 1.96 * Math.sqrt(one.variance() + other.variance())) {
                byUser++;
            }
            if (difference > 1.96 * Math.sqrt(ifIndependent(one.total()) + ifIndependent(other.total()))) {
                bySession++;
            }
        }

        assertThat(byUser / (double) runs).isLessThanOrEqualTo(0.07);
        assertThat(bySession / (double) runs).isGreaterThan(0.12);
    }

    private static double ifIndependent(Tally tally) {
        return tally.share() * (1 - tally.share()) / tally.sessions();
    }

    private static Samples arm(int users, double[] sessionsPerUser, Random random) {
        var sessions = new long[64];
        var failed = new double[64];
        for (int user = 0; user < users; user++) {
            int bucket = random.nextInt(64);
            double failing = random.nextInt(100) == 0 ? 0.3 : 0.01;
            int count = 1 + pick(sessionsPerUser, random.nextDouble());
            sessions[bucket] += count;
            for (int session = 0; session < count; session++) {
                failed[bucket] += random.nextDouble() < failing ? 1 : 0;
            }
        }
        return new Samples(
                IntStream.range(0, 64)
                        .mapToObj(bucket -> new Tally(sessions[bucket], failed[bucket]))
                        .toList(),
                Tally.NONE);
    }

    private static int pick(double[] cumulative, double at) {
        int place = 0;
        while (cumulative[place] < at) {
            place++;
        }
        return place;
    }

    private static double[] zipf() {
        var cumulative = IntStream.rangeClosed(1, 400)
                .mapToDouble(count -> Math.pow(count, -1.6))
                .toArray();
        for (int place = 1; place < cumulative.length; place++) {
            cumulative[place] += cumulative[place - 1];
        }
        double all = cumulative[cumulative.length - 1];
        for (int place = 0; place < cumulative.length; place++) {
            cumulative[place] /= all;
        }
        cumulative[cumulative.length - 1] = 1;
        return cumulative;
    }

    private static Samples evenly(int filled, long sessions, double failed) {
        return new Samples(
                IntStream.range(0, 64)
                        .mapToObj(bucket -> bucket < filled ? new Tally(sessions, failed) : Tally.NONE)
                        .toList(),
                Tally.NONE);
    }
}
