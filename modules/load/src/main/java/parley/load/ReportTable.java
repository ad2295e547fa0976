package parley.load;

import java.util.Formatter;
import java.util.Locale;
import java.util.Map;

/** A {@link Report} for people: one aligned table. */
final class ReportTable {
    private final Formatter out = new Formatter(new StringBuilder(), Locale.ROOT);
    private final Report report;

    private ReportTable(Report report) {
        this.report = report;
    }

    static String of(Report report) {
        return new ReportTable(report).table();
    }

    private String table() {
        var setup = report.setup();
        out.format(
                "%s, %s, %d sessions, frames of %d ms%n", setup.url(), setup.mode(), setup.sessions(), setup.frameMs());
        if (!report.isEmpty()) {
            out.format("measured %.1f s after %d s of warm-up%n", setup.secondsRun(), setup.warmupS());
        }
        out.format("%n");
        var sessions = report.sessions();
        figures("sessions", "connected", sessions.connected(), "failed", sessions.failed(), "cut", sessions.cut());
        reasons("failed to connect", sessions.failures());
        if (report.isEmpty()) {
            reasons("errors heard", report.errors());
            out.format("%nNOT CLEAN: nobody was connected, so nothing was measured%n");
            return out.toString();
        }
        latencies();
        frames();
        turns();
        reasons("closes by code", report.closes());
        reasons("errors heard", report.errors());
        costs();
        warnings();
        out.format("%n");
        out.format("%s%n", verdict());
        return out.toString();
    }

    /** Whoever reads one line reads this one. */
    private String verdict() {
        var reservations = report.reservations();
        var verdict = report.clean() ? "clean" : "NOT CLEAN";
        return reservations.isEmpty()
                ? verdict
                : verdict + (report.clean() ? ", but" : ", and") + " NOT COMPARABLE: "
                        + String.join(", ", reservations);
    }

    private void latencies() {
        if (report.latencies().isEmpty()) return;
        out.format("%n");
        out.format(
                "%-24s %10s %10s %10s %10s %10s %10s%n", "milliseconds", "P50", "P90", "P99", "P99.9", "max", "count");
        latency("connect", "connect to created");
        latency("round_trip", "round trip from due");
        latency("service", "round trip from sent");
        latency("first_audio", "first audio from speech");
        latency("first_audio_after_stop", "first audio from stopped");
    }

    private void latency(String key, String name) {
        var latency = report.latencies().get(key);
        if (latency == null) return;
        out.format(
                "%-24s %10.2f %10.2f %10.2f %10.2f %10.2f %10d%n",
                name, latency.p50(), latency.p90(), latency.p99(), latency.p999(), latency.max(), latency.count());
    }

    private void frames() {
        var frames = report.frames();
        if (frames.sent() == 0) return;
        out.format("%n");
        figures("frames", "sent", frames.sent(), "heard", frames.heard(), "not sent", frames.notSent());
        figures("", "lost", frames.lost(), "doubled", frames.doubled(), "reordered", frames.reordered());
        figures("", "corrupt", frames.corrupt(), "compared", frames.compared());
        out.format(
                "%-24s %10.1f sent %13.1f heard%n",
                "frames per second", frames.sentPerSecond(), frames.heardPerSecond());
    }

    private void turns() {
        var turns = report.turns();
        if (!report.setup().mode().equals(Mode.TURN.toString())) return;
        out.format("%n");
        figures("turns", "completed", turns.completed(), "failed", turns.failed(), "unfinished", turns.unfinished());
        figures("", "barge-ins", turns.bargeIns());
        reasons("failed turns", turns.failures());
        reasons("out of order", turns.disorder());
    }

    private void costs() {
        out.format("%n");
        out.format(
                "%-24s %10s %10s %10s %10s %10s%n",
                "process", "CPU %", "µs/frame", "MiB before", "MiB after", "KiB/sess.");
        for (var cost : report.processes()) {
            out.format(
                    "%-24s %10.1f %10.1f %10.1f %10.1f %10.1f%n",
                    cost.name(),
                    cost.cpuPercent(),
                    cost.cpuMicrosPerFrame(),
                    cost.residentMibBefore(),
                    cost.residentMibAfter(),
                    cost.kibPerSession());
        }
        var own = report.generator();
        out.format("%-24s %10.1f %10.1f%n", "this generator", own.cpuPercent(), own.cpuMicrosPerFrame());
        headroom();
    }

    /** How far this program was from being what was measured. */
    private void headroom() {
        var own = report.generator();
        out.format("%n");
        out.format("%-24s %9.2f%%%n", "sent over 5 ms late", own.latePercent());
        out.format("%-24s %9.1f%%", "its busiest event loop", own.busiestLoopPercent());
        // A loop that had to wait for a processor says nothing of what it could have done.
        if (report.frames().sent() > 0 && own.busiestLoopPercent() > 0 && !own.isLate()) {
            out.format(" busy: %.1f times as many frames would fill it", 100 / own.busiestLoopPercent());
        }
        out.format("%n");
        var machine = report.machine();
        if (machine == null) return;
        out.format(
                "%-24s %9.1f%% busy, %d processors, load %.2f%n",
                "the whole machine", machine.busyPercent(), machine.processors(), machine.load());
    }

    private void warnings() {
        if (report.generator().isLate()) {
            warn("the generator was late too often: it was measured more than the gateway was");
        }
        if (report.generator().isFull()) {
            warn("an event loop of the generator was full: "
                    + report.generator().advice(report.processors()));
        }
        if (report.machine() != null && report.machine().isFull()) {
            warn("the machine was full: the milliseconds are as much its own as the gateway's");
        }
        if (report.frames().notSent() > 0) {
            warn("the far side stopped reading, so that frames were given up unsent");
        }
    }

    private void warn(String what) {
        out.format("%n");
        out.format("WARNING: %s%n", what);
    }

    private void figures(String name, Object... wordsAndCounts) {
        var text = new StringBuilder(String.format(Locale.ROOT, "%-24s", name));
        for (int i = 0; i < wordsAndCounts.length; i += 2) {
            text.append(String.format(Locale.ROOT, " %10s %-10s", wordsAndCounts[i + 1], wordsAndCounts[i]));
        }
        out.format("%s%n", text.toString().stripTrailing());
    }

    private void reasons(String name, Map<String, Long> reasons) {
        var label = name;
        for (var reason : reasons.entrySet()) {
            out.format("%-24s %10d %s%n", label, reason.getValue(), reason.getKey());
            label = "";
        }
    }
}
