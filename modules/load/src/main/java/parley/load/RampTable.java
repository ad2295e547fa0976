package parley.load;

import java.util.Locale;

/** A ramp for people, as it goes: a head, a line for each step, and what it comes to. */
final class RampTable {
    private RampTable() {}

    static String head(Options options) {
        return String.format(
                Locale.ROOT,
                "%s, %s, frames of %d ms, %d s each step%n%n%8s %8s %8s %10s %8s %9s %8s %8s %8s %8s%n",
                options.shownUrl(),
                options.mode(),
                options.frameMillis(),
                options.seconds(),
                "sessions",
                "P50 ms",
                "P99 ms",
                "frames/s",
                "µs/frame",
                "KiB/sess.",
                "lost",
                "gen. %",
                "late %",
                "machine");
    }

    static String line(RampReport.Step step) {
        var report = step.report();
        if (report.isEmpty()) {
            return String.format(
                    Locale.ROOT,
                    "%8d  %s%n",
                    report.setup().sessions(),
                    step.verdict().why());
        }
        var roundTrip = report.latencies().getOrDefault("round_trip", new Report.Latency(0, 0, 0, 0, 0, 0));
        var frames = report.frames();
        var cost = report.processes().isEmpty() ? null : report.processes().getLast();
        var machine = report.machine();
        return String.format(
                Locale.ROOT,
                "%8d %8.2f %8.2f %10.0f %8s %9s %8d %8.1f %8.2f %8s  %s%n",
                report.setup().sessions(),
                roundTrip.p50(),
                roundTrip.p99(),
                frames.sentPerSecond() + frames.heardPerSecond(),
                cost == null ? "-" : String.format(Locale.ROOT, "%.1f", cost.cpuMicrosPerFrame()),
                cost == null ? "-" : String.format(Locale.ROOT, "%.1f", cost.kibPerSession()),
                frames.lost() + frames.notSent(),
                report.generator().busiestLoopPercent(),
                report.generator().latePercent(),
                machine == null ? "-" : String.format(Locale.ROOT, "%.0f %%", machine.busyPercent()),
                step.verdict().why());
    }

    private static boolean full(RampReport.Step step) {
        var machine = step.report().machine();
        return machine != null && machine.isFull();
    }

    static String conclusion(RampReport report) {
        return String.format(Locale.ROOT, "%n%s%n", words(report));
    }

    private static String words(RampReport report) {
        var last = report.steps().getLast().report();
        var found = String.format(
                Locale.ROOT, "largest N within P99 <= %d ms: %d", report.ramp().withinMillis(), report.largest());
        return switch (report.limit()) {
            case GATEWAY -> {
                if (last.sessions().failed() > 0) {
                    yield report.largest() > 0
                            ? found + "; then " + report.why()
                            : "no N is known: the first step, of "
                                    + last.setup().sessions() + " sessions, was not let in: " + report.why();
                }
                yield full(report.steps().getLast())
                        ? found + "; the machine was full: so much all on it carry together"
                        : found;
            }
            case NONE -> found + " or more: the ramp ended there";
            case INTERRUPTED -> found + " or more: the ramp was interrupted";
            case GENERATOR ->
                found + " or more: the GENERATOR was the limit, not the gateway (" + report.why() + "); "
                        + last.generator().advice(last.processors());
        };
    }
}
