package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class ScheduleTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1000 * MILLI;

    @Test
    void aFrameIsDueAtItsPhaseInItsRound() {
        var schedule = Schedule.starting(7, 100, 1, 2);

        assertThat(schedule.due(0, 0)).isEqualTo(7);
        assertThat(schedule.due(3, 40 * MILLI)).isEqualTo(7 + 340 * MILLI);
    }

    @Test
    void measuresFromTheEndOfTheWarmUpToTheEnd() {
        var schedule = Schedule.starting(0, 100, 1, 2);

        assertThat(schedule.measured(SECOND - 1)).isFalse();
        assertThat(schedule.measured(SECOND)).isTrue();
        assertThat(schedule.measured(3 * SECOND - 1)).isTrue();
        assertThat(schedule.measured(3 * SECOND)).isFalse();
        assertThat(schedule.running(3 * SECOND - 1)).isTrue();
        assertThat(schedule.running(3 * SECOND)).isFalse();
    }

    @Test
    void survivesTheOverflowOfTheClock() {
        var schedule = Schedule.starting(Long.MAX_VALUE - SECOND / 2, 100, 1, 2);

        assertThat(schedule.measured(schedule.due(9, 0))).isFalse();
        assertThat(schedule.measured(schedule.due(10, 0))).isTrue();
        assertThat(schedule.measured(schedule.due(29, 0))).isTrue();
        assertThat(schedule.measured(schedule.due(30, 0))).isFalse();
        assertThat(schedule.running(schedule.due(30, 0))).isFalse();
    }
}
