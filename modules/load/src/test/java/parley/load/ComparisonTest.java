package parley.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("unit")
class ComparisonTest {
    @TempDir
    Path directory;

    @Test
    void eachFigureOfOneRunIsSetAgainstTheOthers() throws Exception {
        var comparison = Comparison.of(file("a", report(100, 20, 4, true)), file("b", report(100, 25, 5, true)));

        assertThat(comparison.isSound()).isTrue();
        assertThat(lines(comparison))
                .contains("CPU, µs per frame 20.00 25.00 1.25", "round trip from due, P99 ms 4.000 5.000 1.25")
                .contains("memory, KiB per session 64.0 64.0 1.00", "frames lost 0 0");
    }

    @Test
    void severalRunsOfASideCountByTheirMedian() throws Exception {
        var a = file("a1", report(100, 90, 4, true))
                + "," + file("a2", report(100, 20, 4, true))
                + "," + file("a3", report(100, 10, 4, true));
        var b = file("b1", report(100, 30, 4, true)) + "," + file("b2", report(100, 50, 4, true));

        assertThat(lines(Comparison.of(a, b)))
                .contains("CPU, µs per frame 20.00 40.00 2.00 10.00 … 90.00 30.00 … 50.00");
    }

    @Test
    void runsUnderDifferentConditionsAreNotComparable() throws Exception {
        var comparison = Comparison.of(file("a", report(100, 20, 4, true)), file("b", report(200, 20, 4, true)));

        assertThat(comparison.isSound()).isFalse();
        assertThat(lines(comparison)).contains("NOT COMPARABLE", "sessions: 100 and 200");
    }

    @Test
    void aRunThatLostSomethingIsNotComparable() throws Exception {
        var comparison = Comparison.of(file("a", report(100, 20, 4, true)), file("b", report(100, 20, 4, false)));

        assertThat(comparison.isSound()).isFalse();
        assertThat(lines(comparison)).contains("B, b.json: not clean", "frames lost 0 3");
    }

    @Test
    void aReportOfAnEarlierReleaseIsReadForWhatItHas() throws Exception {
        var old = directory.resolve("old.json");
        Files.writeString(old, """
                {"setup": {"url": "ws://h/", "mode": "duplex", "sessions": 100, "frame_ms": 100, "warmup_s": 5,
                  "seconds_asked": 10, "seconds_run": 10.0},
                 "latencies": {"round_trip": {"p50": 1.0, "p99": 8.0}}, "generator": {"late_percent": 0.1},
                 "processes": [], "clean": true}
                """);
        var comparison = Comparison.of(old.toString(), file("b", report(100, 20, 4, true)));

        assertThat(comparison.isSound()).isTrue();
        assertThat(lines(comparison))
                .contains("round trip from due, P99 ms 8.000 4.000 0.50", "CPU, µs per frame - 20.00 -");
    }

    @Test
    void aFileThatIsNoReportIsNamed() throws Exception {
        var good = file("a", report(100, 20, 4, true));
        var ramp = directory.resolve("ramp.json");
        Files.writeString(ramp, "{\"steps\": []}");

        assertThatThrownBy(() -> Comparison.of(good, ramp.toString()))
                .hasMessage("--compare: " + ramp + " (expected: the report of one run, as of --json)");
        assertThatThrownBy(() -> Comparison.of("nowhere.json", good))
                .hasMessage("--compare: nowhere.json (expected: a file of --json)");
    }

    /** With one space between words. */
    private static List<String> lines(Comparison comparison) {
        return comparison
                .table()
                .lines()
                .map(line -> line.strip().replaceAll(" +", " "))
                .toList();
    }

    private String file(String name, Report report) throws IOException {
        return Files.writeString(directory.resolve(name + ".json"), report.json())
                .toString();
    }

    private static Report report(int sessions, double cpuMicros, double p99, boolean clean) {
        var trip = new Report.Latency(10_000, 1, 2, p99, 40, 50);
        return new Report(
                new Report.Setup("ws://host/x", "duplex", sessions, 100, 5, 10, 10),
                new Report.Sessions(sessions, 0, 0, Map.of()),
                Map.of("round_trip", trip, "service", trip),
                new Report.Frames(10_000, 10_000, clean ? 0 : 3, 0, 0, 0, 0, 200, 1000, 1000),
                new Report.Turns(0, 0, 0, 0, Map.of(), Map.of()),
                Map.of(),
                Map.of(),
                new Report.Generator(0.1, 45, 20, 40, 1),
                new Report.Machine(2, 80, 1.5),
                List.of(new Report.Cost("17", 40, cpuMicros, 100, 110, 64)),
                clean);
    }
}
