package parley.meter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class MetersTest {
    private static final double[] BOUNDS = {.1, .4, 1};

    private final Meters meters = new Meters();

    @Test
    void aCounterIsThereFromTheStartAndTheSameOneIsGivenAgain() {
        meters.counter("calls_total", "Calls.", "kind", "a");
        meters.counter("calls_total", "Calls.", "kind", "b").increment();
        meters.counter("calls_total", "Calls.", "kind", "b").add(2);

        assertThat(meters.prometheus()).contains("""
                        # HELP calls_total Calls.
                        # TYPE calls_total counter
                        calls_total{kind="a"} 0
                        calls_total{kind="b"} 3
                        """);
    }

    @Test
    void readingTakesNothingAway() {
        meters.counter("calls_total", "Calls.").increment();
        var latency = meters.histogram("wait_seconds", "Waits.", Unit.SECONDS, BOUNDS);
        latency.record(TimeUnit.MILLISECONDS.toNanos(50));
        meters.prometheus();
        latency.record(TimeUnit.MILLISECONDS.toNanos(300));
        latency.record(TimeUnit.SECONDS.toNanos(9));

        assertThat(meters.prometheus())
                .contains("calls_total 1\n")
                .contains("""
                        # TYPE wait_seconds histogram
                        wait_seconds_bucket{le="0.1"} 1
                        wait_seconds_bucket{le="0.4"} 2
                        wait_seconds_bucket{le="1"} 2
                        wait_seconds_bucket{le="+Inf"} 3
                        """)
                .contains("wait_seconds_count 3\n");
    }

    @Test
    void aBoundaryBelongsToWhatIsBelowIt() {
        meters.histogram("wait_seconds", "Waits.", Unit.SECONDS, BOUNDS).record(TimeUnit.MILLISECONDS.toNanos(396));
        meters.histogram("wait_seconds", "Waits.", Unit.SECONDS, BOUNDS).record(TimeUnit.MILLISECONDS.toNanos(405));

        assertThat(meters.prometheus()).contains("le=\"0.4\"} 1\n").contains("le=\"1\"} 2\n");
    }

    @Test
    void moneyHasFractions() {
        meters.counter("cost_usd_total", "Cost.", Unit.DOLLARS).add(250_000);
        meters.histogram("bill_usd", "Bills.", Unit.DOLLARS, new double[] {1, 10})
                .record(1_500_000);

        assertThat(meters.prometheus()).contains("cost_usd_total 0.25\n").contains("bill_usd_bucket{le=\"10\"} 1\n");
    }

    @Test
    void whatIsPolledIsReadWhenSomebodyAsks() {
        var frames = new AtomicLong();
        meters.counted("frames_total", "Frames.", frames::get, "direction", "in");
        meters.gauge("nothing", "Not known.", () -> Double.NaN);
        meters.gauges("members", "Members.", out -> out.add(2, "status", "up").add(1, "status", "leaving"));
        frames.set(7);

        assertThat(meters.prometheus())
                .contains("frames_total{direction=\"in\"} 7\n")
                .contains("members{status=\"up\"} 2\nmembers{status=\"leaving\"} 1\n")
                .doesNotContain("nothing");
    }

    @Test
    void whoCannotSayIsLeftOutAndTheOthersAreHeard() {
        meters.gauge("broken", "Fails.", () -> {
            throw new IllegalStateException("on purpose");
        });
        meters.gauge("sound", "Does not.", () -> 1);

        assertThat(meters.prometheus()).contains("sound 1\n").doesNotContain("broken");
    }

    @Test
    void tooManySeriesAreCountedTogether() {
        for (int user = 0; user < 1000; user++) {
            meters.counter("calls_total", "Calls.", "user", "user-" + user).increment();
        }
        meters.gauges("members", "Members.", out -> {
            for (int number = 0; number < 1000; number++) {
                out.add(1, "number", "n" + number);
            }
        });

        var lines = meters.prometheus().lines().toList();
        assertThat(lines.stream().filter(line -> line.startsWith("calls_total{")))
                .hasSize(Meters.MOST_SERIES);
        assertThat(lines).contains("calls_total{user=\"other\"} " + (1000 - Meters.MOST_SERIES + 1));
        assertThat(lines.stream().filter(line -> line.startsWith("members{"))).hasSize(Meters.MOST_SERIES);
    }

    @Test
    void openMetricsNamesACounterWithoutItsEnding() {
        meters.counter("calls_total", "Calls.").increment();

        assertThat(meters.openMetrics())
                .contains("# TYPE calls counter\ncalls_total 1\n")
                .endsWith("# EOF\n");
    }

    @Test
    void jsonSaysTheSame() throws IOException {
        meters.counter("calls_total", "Calls of \"a\".", "kind", "a\nb").increment();
        meters.histogram("wait_seconds", "Waits.", Unit.SECONDS, BOUNDS).record(TimeUnit.MILLISECONDS.toNanos(50));

        var metrics = new ObjectMapper().readTree(meters.json()).path("metrics");
        var calls = metrics.path("calls_total");
        assertThat(calls.path("help").asText()).isEqualTo("Calls of \"a\".");
        assertThat(calls.at("/series/0/labels/kind").asText()).isEqualTo("a\nb");
        assertThat(calls.at("/series/0/value").asInt()).isEqualTo(1);
        assertThat(metrics.at("/wait_seconds/series/0/buckets/0.4").asInt()).isEqualTo(1);
        assertThat(metrics.at("/wait_seconds/series/0/count").asInt()).isEqualTo(1);
    }

    @Test
    void anUnfitNameIsRefused() {
        assertThatThrownBy(() -> meters.counter("calls", "Calls.")).hasMessageContaining("calls (expected: ");
        assertThatThrownBy(() -> meters.gauge("calls_total", "Calls.", () -> 1)).hasMessageContaining("calls_total");
        assertThatThrownBy(() -> meters.counter("Calls_total", "Calls.")).hasMessageContaining("Calls_total");
        assertThatThrownBy(() -> meters.counter("calls_total", "Calls.", "le", "1"))
                .hasMessageContaining("le");
        assertThatThrownBy(() -> meters.histogram("wait_seconds", "Waits.", Unit.SECONDS, new double[] {1, 1}))
                .hasMessageContaining("rising");
        meters.counter("calls_total", "Calls.");
        assertThatThrownBy(() -> meters.counted("calls_total", "Calls.", () -> 1))
                .hasMessageContaining("is a pushed counter (expected: no polled counter)");
    }
}
