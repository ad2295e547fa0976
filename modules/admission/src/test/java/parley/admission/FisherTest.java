package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.admission.Evidence.Tally;

/** R5. */
@Tag("unit")
class FisherTest {
    /** The first is the lady who tastes tea: 17 of 70. The others are those of R and SciPy. */
    @ParameterizedTest
    @CsvSource({
        "3, 4, 1, 4, 0.242857142857",
        "5, 5, 0, 15, 6.44994840e-5",
        "5, 5, 0, 10, 3.33000333e-4",
        "8, 8, 0, 8, 7.77000777e-5",
        "12, 40, 3, 60, 8.44378552e-4",
        "500, 1000, 4500, 10000, 1.39745773e-3",
        "30, 60, 5000, 50000, 5.99855569e-15",
        "1, 10, 5, 10, 0.994582043",
        "60, 100, 500, 1000, 0.0354324075",
        "0, 5, 0, 5, 1",
        "5, 5, 0, 0, 1",
        "0, 0, 3, 5, 1"
    })
    void knowsHowOftenChanceAloneIsSoUnfair(
            double failed, long sessions, double controlFailed, long controlSessions, double p) {
        assertThat(Fisher.worse(new Tally(sessions, failed), new Tally(controlSessions, controlFailed)))
                .isCloseTo(p, Percentage.withPercentage(0.001));
    }

    @Test
    void partsOfAFailureAreRoundedAgainstTheAlarm() {
        assertThat(Fisher.worse(new Tally(5, 4.9), new Tally(9, 0.1)))
                .isEqualTo(Fisher.worse(new Tally(5, 4), new Tally(9, 1)));
    }
}
