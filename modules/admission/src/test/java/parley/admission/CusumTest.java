package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.DoubleStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** R4. */
@Tag("unit")
class CusumTest {
    @ParameterizedTest
    @CsvSource({"0.10, 1.609, -0.236", "0.05, 1.609, -0.108", "0.01, 1.609, -0.020"})
    void addsAsPublished(double bound, double failure, double success) {
        var cusum = Cusum.of(bound);

        assertThat(cusum.failure()).isEqualTo(failure, within(0.0005));
        assertThat(cusum.success()).isEqualTo(success, within(0.0005));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.01, 0.05, 0.10, 0.39})
    void fiveFailuresInARowAlwaysTripAndFourDoNot(double bound) {
        assertThat(after(bound, 0, 1, 1, 1, 1)).isLessThan(7);
        assertThat(after(bound, 0, 1, 1, 1, 1, 1)).isGreaterThan(7);
    }

    @Test
    void aLongGoodPastDoesNotHideABadPresent() {
        assertThat(after(
                        0.10,
                        DoubleStream.concat(DoubleStream.generate(() -> 0).limit(10_000), ones(5))
                                .toArray()))
                .isEqualTo(5 * Math.log(5), within(1e-9));
    }

    @Test
    void aSessionThatFailsInPartAddsThePartOfBoth() {
        var cusum = Cusum.of(0.05);

        assertThat(cusum.step(3, 0.25)).isEqualTo(3 + 0.25 * cusum.failure() + 0.75 * cusum.success(), within(1e-12));
    }

    /** Means of millions of sessions cannot be simulated, so they are computed exactly. */
    @ParameterizedTest
    @CsvSource({
        "0.010, 0.10, 7, 99e6", "0.010, 0.10, 9, 13e9", "0.005, 0.05, 7, 270e6", "0.005, 0.05, 9, 33e9",
        "0.001, 0.01, 7, 1600e6", "0.020, 0.10, 7, 2.4e6", "0.020, 0.10, 9, 94e6", "0.010, 0.05, 7, 5.8e6",
        "0.010, 0.05, 9, 232e6", "0.002, 0.01, 7, 32e6", "0.050, 0.10, 7, 14400", "0.050, 0.10, 9, 109000",
        "0.025, 0.05, 7, 30400", "0.025, 0.05, 9, 224000", "0.005, 0.01, 7, 154000", "0.100, 0.10, 7, 408",
        "0.100, 0.10, 9, 865", "0.050, 0.05, 7, 822", "0.050, 0.05, 9, 1697", "0.010, 0.01, 7, 4101",
        "0.200, 0.10, 7, 46", "0.200, 0.10, 9, 61", "0.100, 0.05, 7, 96", "0.100, 0.05, 9, 127",
        "0.020, 0.01, 7, 493", "0.400, 0.10, 7, 14", "0.400, 0.10, 9, 19", "0.200, 0.05, 7, 31",
        "0.200, 0.05, 9, 39", "0.040, 0.01, 7, 159", "0.600, 0.10, 7, 9", "0.600, 0.10, 9, 11",
        "0.600, 0.05, 7, 8", "0.600, 0.05, 9, 10", "0.600, 0.01, 7, 8", "1.000, 0.10, 7, 5",
        "1.000, 0.10, 9, 6", "1.000, 0.05, 7, 5", "1.000, 0.05, 9, 6", "1.000, 0.01, 7, 5"
    })
    void takesAsManySessionsToTripAsDocumented(double failing, double bound, double limit, double sessions) {
        assertThat(sessionsUntilItTrips(failing, bound, limit)).isCloseTo(sessions, Percentage.withPercentage(6));
    }

    /**
     * The mean length of a cycle, from a score of zero to zero again or to a trip, over the probability that a cycle ends
     * in a trip. Within a cycle the score is known from the number of failures and of sessions alone.
     */
    private static double sessionsUntilItTrips(double failing, double bound, double limit) {
        var cusum = Cusum.of(bound);
        var alive = new double[] {1};
        double length = 0;
        double trips = 0;
        for (int sessions = 1; DoubleStream.of(alive).sum() > 1e-14; sessions++) {
            length += DoubleStream.of(alive).sum();
            var next = new double[alive.length + 1];
            for (int failed = 0; failed < next.length; failed++) {
                double here = (failed < alive.length ? alive[failed] * (1 - failing) : 0)
                        + (failed > 0 ? alive[failed - 1] * failing : 0);
                double score = failed * cusum.failure() + (sessions - failed) * cusum.success();
                if (score > limit) {
                    trips += here;
                } else if (score > 0) {
                    next[failed] = here;
                }
            }
            alive = next;
        }
        return length / trips;
    }

    private static double after(double bound, double... failed) {
        var cusum = Cusum.of(bound);
        double score = 0;
        for (double failure : failed) {
            score = cusum.step(score, failure);
        }
        return score;
    }

    private static DoubleStream ones(int count) {
        return DoubleStream.generate(() -> 1).limit(count);
    }
}
