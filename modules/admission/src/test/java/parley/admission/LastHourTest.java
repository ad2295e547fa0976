package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.QuotaEvent.GivenBack;
import parley.admission.QuotaEvent.Taken;

/** L7. */
@Tag("unit")
class LastHourTest {
    private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");

    private static Taken taken(String session, int minute) {
        return new Taken(session, NOON.plus(Duration.ofMinutes(minute)));
    }

    private static LastHour of(QuotaEvent... events) {
        var hour = LastHour.EMPTY;
        for (var event : events) {
            hour = hour.after(event);
        }
        return hour;
    }

    @Test
    void theHourSlides() {
        var hour = of(taken("a", 0), taken("b", 20), taken("c", 40));

        assertThat(hour.untilNext(3, NOON.plus(Duration.ofMinutes(50)))).isEqualTo(Duration.ofMinutes(10));
        assertThat(hour.untilNext(3, NOON.plus(Duration.ofMinutes(60)))).isZero();
        assertThat(hour.untilNext(4, NOON.plus(Duration.ofMinutes(50)))).isZero();
    }

    @Test
    void aLowerLimitWaitsForAsManyAsAreTooMany() {
        var hour = of(taken("a", 0), taken("b", 20), taken("c", 40));

        assertThat(hour.untilNext(1, NOON.plus(Duration.ofMinutes(50)))).isEqualTo(Duration.ofMinutes(50));
    }

    @Test
    void whatIsOlderThanAnHourIsForgotten() {
        assertThat(of(taken("a", 0), taken("b", 59), taken("c", 60)).taken())
                .containsExactly(taken("b", 59), taken("c", 60));
    }

    @Test
    void whatIsGivenBackDoesNotCount() {
        var hour = of(taken("a", 0), taken("b", 1), new GivenBack("a", NOON), new GivenBack("z", NOON));

        assertThat(hour).isEqualTo(new LastHour(List.of(taken("b", 1))));
        assertThat(hour.has("a")).isFalse();
        assertThat(hour.has("b")).isTrue();
    }

    @Test
    void aClockThatIsBehindTheLastNodesChangesNoOrder() {
        var hour = of(taken("a", 2), taken("b", 0));

        assertThat(hour.untilNext(1, NOON.plus(Duration.ofMinutes(3)))).isEqualTo(Duration.ofMinutes(59));
        assertThat(hour.untilNext(2, NOON.plus(Duration.ofMinutes(3)))).isEqualTo(Duration.ofMinutes(57));
    }
}
