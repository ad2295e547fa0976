package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** R3. */
@Tag("unit")
class BinomialTest {
    @ParameterizedTest
    @CsvSource({
        "0.10, 29, 46, 61, 76, 89, 103",
        "0.05, 59, 93, 124, 153, 181, 208",
        "0.02, 149, 236, 313, 386, 456, 523",
        "0.01, 299, 473, 628, 773, 913, 1049"
    })
    void needsAsManySessionsToPassAsPublished(
            double bound, long none, long one, long two, long three, long four, long five) {
        assertThat(LongStream.rangeClosed(0, 5).map(failures -> Binomial.needed(bound, failures)))
                .isEqualTo(List.of(none, one, two, three, four, five));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 0.3, 0.7",
        "2, 5, 0.5, 0.5",
        "3, 10, 0.2, 0.8791261184",
        "0, 29, 0.1, 0.04710128697",
        "50, 100, 0.5, 0.5397946187",
        "980, 100000, 0.01, 0.2687651764",
        "-1, 10, 0.2, 0",
        "10, 10, 0.2, 1",
        "3, 10, 0, 1",
        "3, 10, 1, 0"
    })
    void knowsTheProbabilityOfAtMostSoManyFailures(long failures, long sessions, double share, double probability) {
        assertThat(Binomial.atMost(failures, sessions, share)).isEqualTo(probability, within(1e-7));
        assertThat(Binomial.atLeast(failures + 1, sessions, share)).isEqualTo(1 - probability, within(1e-7));
    }

    @Test
    void needsNoLongerForMillionsOfSessions() {
        assertThat(Binomial.needed(0.05, 1_000_000)).isBetween(20_000_000L, 20_050_000L);
    }

    @ParameterizedTest
    @CsvSource({"0, 10, 0, 0.277533", "1, 41, 0.004321, 0.125952", "5, 10, 0.236593, 0.763407", "0, 0, 0, 1"})
    void putsAnIntervalAroundTheShare(double failed, long sessions, double low, double high) {
        var interval = Binomial.wilson(failed, sessions);

        assertThat(interval.low()).isEqualTo(low, within(1e-4));
        assertThat(interval.high()).isEqualTo(high, within(1e-4));
    }

    @Test
    void knowsFactorials() {
        assertThat(Math.exp(Binomial.lnFactorial(0))).isEqualTo(1, within(1e-12));
        assertThat(Math.exp(Binomial.lnFactorial(10))).isEqualTo(3_628_800, within(1e-6));
    }
}
