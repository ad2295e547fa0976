package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** R16. */
@Tag("unit")
class PowerTest {
    @ParameterizedTest
    @CsvSource({"0.99, 0.98, 1826", "0.99, 0.97, 605", "0.99, 0.95, 224", "0.99, 0.90, 78", "0.95, 0.90, 342"})
    void takesAsManySessionsToSeeADropAsPublished(double from, double to, long sessions) {
        assertThat(Power.sessionsToSee(from, to)).isEqualTo(sessions);
        assertThat(Power.visible(from, sessions)).isEqualTo(to, within(0.0005));
    }

    @Test
    void oneSessionShowsNextToNothingAndManyShowMore() {
        assertThat(Power.visible(0.99, 0)).isZero();
        assertThat(Power.visible(0.99, 1)).isZero();
        assertThat(Power.visible(0.99, 50)).isLessThan(Power.visible(0.99, 500));
        assertThat(Power.visible(0.99, 1_000_000)).isBetween(0.989, 0.99);
    }

    @Test
    void aGuardrailSeesTheDropToItsBoundAfterSoManySessionsAndLittleBefore() {
        var connections = Guardrail.DEFAULTS.getFirst();

        assertThat(Power.of(connections, 0)).isEqualTo(new Rollouts.Detection(0.99, 0.9, 78, 0));
        assertThat(Power.of(connections, 78).visible()).isEqualTo(0.9, within(0.001));
        assertThat(Power.of(connections, 30).visible()).isBetween(0.7, 0.9);
    }

    @Test
    void aRiseIsNoDrop() {
        assertThatThrownBy(() -> Power.sessionsToSee(0.9, 0.95))
                .hasMessage("from, to: 0.9, 0.95 (expected: 0 <= to < from <= 1)");
    }
}
