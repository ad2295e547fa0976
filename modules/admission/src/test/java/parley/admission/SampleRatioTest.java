package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** R8. */
@Tag("unit")
class SampleRatioTest {
    @ParameterizedTest
    @CsvSource({
        "60, 40, 50, 0.0455002639",
        "61, 39, 50, 0.0278068950",
        "70, 30, 50, 6.33424837e-5",
        "40, 60, 25, 5.32005506e-4",
        "5, 95, 10, 0.0955807045",
        "1300, 8700, 12, 2.08893877e-3",
        "250, 750, 25, 1"
    })
    void knowsHowOftenChanceAloneIsSoFarOff(long voice, long control, int percentage, double p) {
        assertThat(new SampleRatio(voice, control, percentage).p()).isCloseTo(p, Percentage.withPercentage(0.001));
    }

    @Test
    void holdsOnlyWhenItIsSureAndSawAHundredUsers() {
        assertThat(new SampleRatio(70, 30, 50).mismatch()).isTrue();
        assertThat(new SampleRatio(61, 39, 50).mismatch()).isFalse();
        assertThat(new SampleRatio(90, 9, 50).mismatch()).isFalse();
        assertThat(new SampleRatio(0, 0, 50).mismatch()).isFalse();
    }

    @Test
    void whereOneArmMustBeEmptyItIs() {
        assertThat(new SampleRatio(500, 0, 100).mismatch()).isFalse();
        assertThat(new SampleRatio(0, 500, 0).mismatch()).isFalse();
        assertThat(new SampleRatio(500, 1, 100).mismatch()).isTrue();
    }

    @Test
    void aPercentageBeyondTheScaleIsNamed() {
        assertThatThrownBy(() -> new SampleRatio(1, 1, 101)).hasMessage("percentage: 101 (expected: 0..100)");
        assertThatThrownBy(() -> new SampleRatio(-1, 1, 50)).hasMessageContaining("voice, control: -1, 1");
    }
}
