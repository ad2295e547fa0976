package parley.load.chaos;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** What several faults did to several sets of callers: a table for people, JSON for programs. */
public record ChaosReport(List<Row> rows) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /**
     * One fault.
     *
     * @param twoUpstreams how often a caller had two connections to the provider that worked at the same time; null
     *     where the provider cannot be asked
     * @param complaints of the provider's side and of the cluster's, in words
     */
    public record Row(
            String fault, Findings findings, @Nullable Integer twoUpstreams, List<String> complaints) {
        /** @param twoUpstreams empty where the provider cannot be asked */
        public static Row of(String fault, Findings findings, OptionalInt twoUpstreams, List<String> complaints) {
            return new Row(
                    fault,
                    findings,
                    twoUpstreams.isPresent() ? twoUpstreams.getAsInt() : null,
                    List.copyOf(complaints));
        }

        /** Whether every session went on, every turn was answered once, and the provider saw nothing else. */
        public boolean clean() {
            return findings.clean() && (twoUpstreams == null || twoUpstreams == 0) && complaints.isEmpty();
        }
    }

    public ChaosReport {
        rows = List.copyOf(rows);
    }

    public boolean clean() {
        return rows.stream().allMatch(Row::clean);
    }

    /** The table, and below it what happened to those that something was wrong with. */
    public String table() {
        var out = new Formatter(new StringBuilder(), Locale.ROOT);
        out.format(
                "%-18s %8s %5s %7s %5s %7s %6s %6s  %-27s %-27s %-15s %-14s %4s%n",
                "",
                "sessions",
                "",
                "turns",
                "",
                "",
                "answer",
                "turn",
                "pause in a turn, s",
                "no pong, s",
                "seat again, ms",
                "resumes",
                "two");
        out.format(
                "%-18s %8s %5s %7s %5s %7s %6s %6s  %8s %8s %8s  %8s %8s %8s %7s %7s  %6s %6s %4s%n",
                "fault", "", "lost", "", "lost", "doubled", "again", "again", "P50", "P99", "max", "P50", "P99", "max",
                "P50", "P99", "whole", "not", "ups");
        for (var row : rows) row(out, row);
        for (var row : rows) stories(out, row);
        out.format("%n%s%n", clean() ? "clean" : "NOT CLEAN");
        return out.toString();
    }

    private static void row(Formatter out, Row row) {
        var found = row.findings();
        int whole = found.resumes().getOrDefault("recovered", 0);
        int all = found.resumes().values().stream().mapToInt(Integer::intValue).sum();
        out.format(
                "%-18s %8d %5d %7d %5d %7d %6d %6d  %s  %s %s  %6d %6d %4s%n",
                row.fault(),
                found.sessions(),
                found.sessionsLost(),
                found.turns(),
                found.turnsLost(),
                found.turnsDoubled(),
                found.answersBegunAgain(),
                found.turnsSaidAgain(),
                pause(found.talk()),
                pause(found.probe()),
                found.seating().count() == 0
                        ? String.format("%7s %7s", "-", "-")
                        : String.format(
                                Locale.ROOT,
                                "%7.0f %7.0f",
                                found.seating().p50(),
                                found.seating().p99()),
                whole,
                all - whole,
                row.twoUpstreams() == null ? "-" : row.twoUpstreams());
    }

    private static String pause(Findings.Pause pause) {
        return pause.count() == 0
                ? String.format("%8s %8s %8s", "-", "-", "-")
                : String.format(
                        Locale.ROOT, "%8.2f %8.2f %8.2f", pause.p50() / 1000, pause.p99() / 1000, pause.max() / 1000);
    }

    private static void stories(Formatter out, Row row) {
        var found = row.findings();
        if (!found.trouble().isEmpty()) out.format("%n%s: %s%n", row.fault(), found.trouble());
        if (row.clean()) return;
        out.format("%n%s: %d sessions of which something was wrong%n", row.fault(), found.sessionsWithComplaints());
        found.stories().forEach(story -> out.format("%n%s", story));
        row.complaints().forEach(complaint -> out.format("  ! %s%n", complaint));
    }

    /** The same figures. */
    public String json() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
