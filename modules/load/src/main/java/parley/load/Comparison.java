package parley.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Two sides, figure by figure. A side is one run or several repetitions of it: then each figure is the median of theirs,
 * and counts of what went wrong are sums. Reads the files of {@code --json}, also those of earlier releases.
 */
final class Comparison {
    /** One file. */
    private record Run(Path file, JsonNode report) {}

    /**
     * A line of the table.
     *
     * @param of a run's figure; a missing node when it has none
     */
    private record Figure(String name, int digits, Function<JsonNode, JsonNode> of) {
        static Figure at(String name, int digits, String pointer) {
            return new Figure(name, digits, report -> report.at(pointer));
        }

        /** Of all processes that were watched: the last one is their sum. */
        static Figure cost(String name, int digits, String field) {
            return new Figure(name, digits, report -> {
                var processes = report.path("processes");
                return processes.path(processes.size() - 1).path(field);
            });
        }

        double[] values(List<Run> side) {
            return side.stream()
                    .map(run -> of.apply(run.report()))
                    .filter(JsonNode::isNumber)
                    .mapToDouble(JsonNode::asDouble)
                    .sorted()
                    .toArray();
        }
    }

    private static final List<Figure> FIGURES = List.of(
            Figure.cost("CPU, µs per frame", 2, "cpu_micros_per_frame"),
            Figure.cost("CPU, % of one processor", 1, "cpu_percent"),
            Figure.cost("memory, KiB per session", 1, "kib_per_session"),
            Figure.at("round trip from due, P50 ms", 3, "/latencies/round_trip/p50"),
            Figure.at("round trip from due, P90 ms", 3, "/latencies/round_trip/p90"),
            Figure.at("round trip from due, P99 ms", 3, "/latencies/round_trip/p99"),
            Figure.at("round trip from due, P99.9 ms", 3, "/latencies/round_trip/p999"),
            Figure.at("round trip from due, max ms", 3, "/latencies/round_trip/max"),
            Figure.at("round trip from sent, P99 ms", 3, "/latencies/service/p99"),
            Figure.at("first audio, P50 ms", 1, "/latencies/first_audio/p50"),
            Figure.at("first audio, P99 ms", 1, "/latencies/first_audio/p99"),
            Figure.at("connect to created, P50 ms", 2, "/latencies/connect/p50"),
            Figure.at("connect to created, P99 ms", 2, "/latencies/connect/p99"),
            Figure.at("frames sent per second", 1, "/frames/sent_per_second"),
            Figure.at("frames heard per second", 1, "/frames/heard_per_second"),
            Figure.at("generator: sent late, %", 2, "/generator/late_percent"),
            Figure.at("generator: busiest loop, %", 1, "/generator/busiest_loop_percent"),
            Figure.at("machine: busy, %", 1, "/machine/busy_percent"));

    private static final List<Figure> COUNTS = List.of(
            Figure.at("frames lost", 0, "/frames/lost"),
            Figure.at("frames not sent", 0, "/frames/not_sent"),
            Figure.at("frames doubled", 0, "/frames/doubled"),
            Figure.at("frames reordered", 0, "/frames/reordered"),
            Figure.at("frames corrupt", 0, "/frames/corrupt"),
            Figure.at("sessions failed", 0, "/sessions/failed"),
            Figure.at("sessions cut", 0, "/sessions/cut"));

    /** Where these differ, so do the figures, whoever was measured. */
    private static final List<Figure> CONDITIONS = List.of(
            Figure.at("mode", 0, "/setup/mode"),
            Figure.at("sessions", 0, "/setup/sessions"),
            Figure.at("ms of a frame", 0, "/setup/frame_ms"),
            Figure.at("seconds measured", 0, "/setup/seconds_asked"),
            Figure.at("seconds of warm-up", 0, "/setup/warmup_s"),
            Figure.at("processors", 0, "/machine/processors"));

    private static final double LATE_PERCENT = 2;

    private final List<Run> a;
    private final List<Run> b;
    private final List<String> objections = new ArrayList<>();

    private Comparison(List<Run> a, List<Run> b) {
        this.a = a;
        this.b = b;
        for (var condition : CONDITIONS) compare(condition);
        each("A", a, this::examine);
        each("B", b, this::examine);
    }

    /**
     * Reads both sides.
     *
     * @param a files with commas between them
     */
    static Comparison of(String a, String b) {
        return new Comparison(read(a), read(b));
    }

    private static List<Run> read(String files) {
        return Arrays.stream(files.split(",", -1)).map(Comparison::read1).toList();
    }

    private static Run read1(String file) {
        try {
            var report = new ObjectMapper().readTree(Files.readString(Path.of(file)));
            if (report.at("/setup/mode").isTextual()) return new Run(Path.of(file), report);
        } catch (IOException unreadable) {
            throw new IllegalArgumentException("--compare: " + file + " (expected: a file of --json)", unreadable);
        }
        throw new IllegalArgumentException("--compare: " + file + " (expected: the report of one run, as of --json)");
    }

    private void compare(Figure condition) {
        var different = Stream.concat(a.stream(), b.stream())
                .map(run -> condition.of.apply(run.report()).asText())
                .filter(text -> !text.isEmpty())
                .collect(Collectors.toCollection(LinkedHashSet::new));
        if (different.size() > 1) objections.add(condition.name + ": " + String.join(" and ", different));
    }

    private static void each(String name, List<Run> side, BiConsumer<String, Run> examine) {
        side.forEach(run -> examine.accept(name + ", " + run.file().getFileName(), run));
    }

    private void examine(String name, Run run) {
        var report = run.report();
        if (!report.path("clean").asBoolean()) objections.add(name + ": not clean");
        var setup = report.path("setup");
        if (setup.path("seconds_run").asDouble()
                < Report.LEAST_SHARE_RUN * setup.path("seconds_asked").asDouble()) {
            objections.add(name + ": was cut short");
        }
        if (report.at("/generator/late_percent").asDouble() > LATE_PERCENT) {
            objections.add(name + ": the generator was late too often");
        }
    }

    /** Whether the ratios mean what they seem to. */
    boolean isSound() {
        return objections.isEmpty();
    }

    String table() {
        var out = new StringBuilder();
        describe(out, "A", a);
        describe(out, "B", b);
        boolean several = a.size() > 1 || b.size() > 1;
        var ranges = several
                ? String.format(Locale.ROOT, "   %-22s %-22s", "A, least to most", "B, least to most")
                        .stripTrailing()
                : "";
        out.append(String.format(
                Locale.ROOT, "%n%-30s %12s %12s %8s%s%n", several ? "medians" : "", "A", "B", "B/A", ranges));
        for (var figure : FIGURES) line(out, figure, several);
        out.append(System.lineSeparator());
        for (var count : COUNTS) {
            var left = count.values(a);
            var right = count.values(b);
            if (left.length + right.length == 0) continue;
            out.append(String.format(
                    Locale.ROOT,
                    "%-30s %12.0f %12.0f%n",
                    count.name,
                    DoubleStream.of(left).sum(),
                    DoubleStream.of(right).sum()));
        }
        if (!objections.isEmpty()) {
            out.append(String.format(Locale.ROOT, "%nNOT COMPARABLE%n"));
            objections.forEach(objection -> out.append(String.format(Locale.ROOT, "  %s%n", objection)));
        }
        return out.toString();
    }

    private static void describe(StringBuilder out, String name, List<Run> side) {
        var setup = side.getFirst().report().path("setup");
        out.append(String.format(
                Locale.ROOT,
                "%s  %d run%s, %s, %s sessions, frames of %s ms, %s%n",
                name,
                side.size(),
                side.size() == 1 ? "" : "s",
                setup.path("mode").asText(),
                setup.path("sessions").asText(),
                setup.path("frame_ms").asText(),
                setup.path("url").asText()));
    }

    private void line(StringBuilder out, Figure figure, boolean several) {
        var left = figure.values(a);
        var right = figure.values(b);
        if (left.length + right.length == 0) return;
        var from = median(left);
        var to = median(right);
        boolean both = from.isPresent() && to.isPresent() && from.getAsDouble() != 0;
        var text = String.format(
                Locale.ROOT,
                "%-30s %12s %12s %8s",
                figure.name,
                shown(from, figure.digits),
                shown(to, figure.digits),
                both ? String.format(Locale.ROOT, "%.2f", to.getAsDouble() / from.getAsDouble()) : "-");
        if (several)
            text += String.format(
                    Locale.ROOT, "   %-22s %-22s", range(left, figure.digits), range(right, figure.digits));
        out.append(text.stripTrailing()).append(System.lineSeparator());
    }

    private static OptionalDouble median(double[] sorted) {
        int middle = sorted.length / 2;
        if (sorted.length == 0) return OptionalDouble.empty();
        return OptionalDouble.of(sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2);
    }

    private static String range(double[] sorted, int digits) {
        return sorted.length == 0 ? "-" : number(sorted[0], digits) + " … " + number(sorted[sorted.length - 1], digits);
    }

    private static String shown(OptionalDouble value, int digits) {
        return value.isPresent() ? number(value.getAsDouble(), digits) : "-";
    }

    private static String number(double value, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }
}
