import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.function.DoubleUnaryOperator;

/**
 * How full each part of a cluster is, by its number of nodes: run by scripts/model-scale, described in docs/scale.md. Each
 * part is a load and a limit, both of them figures of scale.properties; nothing else is known here.
 */
final class ScaleModel {
    /** What was measured, was so with these numbers of nodes. */
    private static final int[] MEASURED = {3, 10, 30, 100};
    /** Of a cluster. */
    private static final int LEAST_NODES = 3;
    /** The model says nothing beyond. */
    private static final int MOST_NODES = 1000;

    private static final int MOST_COLUMNS = 6;

    /** @param whole whether there are no parts of one */
    private record Range(double least, double most, boolean whole) {
        static final Range OTHERS = new Range(0, 1e12, false);

        boolean has(double value) {
            return value >= least && value <= most && (!whole || value == Math.rint(value));
        }

        @Override
        public String toString() {
            return (whole ? "a whole number, " : "a number, ") + shown(least) + ".." + shown(most);
        }

        private static String shown(double bound) {
            return bound == Math.rint(bound) ? String.format(Locale.ROOT, "%.0f", bound) : Double.toString(bound);
        }
    }

    /** Of those that mean nothing everywhere: shares, and what the software itself bounds. */
    private static final Map<String, Range> RANGES = Map.ofEntries(
            Map.entry("sessions.per.node", new Range(1, 100_000, true)),
            Map.entry("turn.seconds", new Range(0.1, 3600, false)),
            Map.entry("session.seconds", new Range(1, 86_400, false)),
            Map.entry("away.share", new Range(0, 1, false)),
            Map.entry("cores.per.node", new Range(0.1, 1024, false)),
            Map.entry("keep.below", new Range(0.01, 1, false)),
            Map.entry("machine.factor", new Range(0.1, 100, false)),
            Map.entry("cells", new Range(1, 333, true)),
            Map.entry("average.of.peak", new Range(0.01, 1, false)),
            Map.entry("retention.days", new Range(0.01, 3650, false)),
            // As the setting has it: ids have three hexadecimal digits for it.
            Map.entry("shards", new Range(1, 4096, true)),
            Map.entry("budget.report.every.seconds", new Range(0.01, 10, false)));

    /**
     * @param load at so many nodes, in the unit
     * @param limit the same
     * @param soft whether beyond its limit it is slower or worse, and nothing breaks
     */
    private record Part(String name, String unit, DoubleUnaryOperator load, DoubleUnaryOperator limit, boolean soft) {
        double use(double nodes) {
            return load.applyAsDouble(nodes) / limit.applyAsDouble(nodes);
        }

        /** The number of nodes, of so many at least, at which it is full; more than there can be: never. */
        int fullAt(int least) {
            int nodes = least;
            while (nodes <= MOST_NODES && use(nodes) < 1) {
                nodes++;
            }
            return nodes;
        }
    }

    private final Properties inputs;

    private ScaleModel(Properties inputs) {
        this.inputs = inputs;
    }

    public static void main(String[] arguments) throws IOException {
        var inputs = new Properties();
        for (var argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals > 0) {
                var key = argument.substring(0, equals);
                if (!inputs.containsKey(key)) {
                    wrong(key + ": no such input (expected: one of scripts/lib/scale.properties)");
                }
                inputs.setProperty(key, argument.substring(equals + 1));
            } else {
                try (Reader file = Files.newBufferedReader(Path.of(argument))) {
                    inputs.load(file);
                } catch (IOException unreadable) {
                    wrong(argument + ": cannot be read (expected: a file of inputs, or input=number)");
                }
            }
        }
        new ScaleModel(inputs).print();
    }

    private static void wrong(String what) {
        System.err.println("model-scale: " + what);
        System.exit(2);
    }

    private double in(String key) {
        var range = RANGES.getOrDefault(key, Range.OTHERS);
        try {
            double value = Double.parseDouble(inputs.getProperty(key, ""));
            if (range.has(value)) {
                return value;
            }
        } catch (NumberFormatException missing) {
            // As any other value that is none.
        }
        wrong(key + ": " + inputs.getProperty(key) + " (expected: " + range + ")");
        throw new IllegalStateException();
    }

    /** The columns of the table, in their order. */
    private int[] nodes() {
        var text = inputs.getProperty("nodes", "");
        var names = text.split(",", -1);
        int least = LEAST_NODES * (int) in("cells");
        var nodes = new int[names.length];
        for (int i = 0; i < names.length; i++) {
            nodes[i] = names[i].matches("[0-9]{1,4}") ? Integer.parseInt(names[i]) : 0;
            if (nodes[i] < LEAST_NODES || nodes[i] > MOST_NODES || names.length > MOST_COLUMNS
                    || (i > 0 && nodes[i] <= nodes[i - 1])) {
                wrong("nodes: " + text + " (expected: whole numbers, " + LEAST_NODES + ".." + MOST_NODES
                        + ", rising, as in 20 or 3,10,30; at most " + MOST_COLUMNS + ")");
            }
        }
        if (nodes[nodes.length - 1] < least) {
            wrong("nodes: " + text + " (expected: " + least + " or more, three for each of the cells)");
        }
        return nodes;
    }

    /** What was measured at some numbers of nodes, at any other: on the line through the two beside it. */
    private double measured(String key, double nodes) {
        double below = MEASURED[0];
        double above = MEASURED[1];
        for (int i = 1; i < MEASURED.length; i++) {
            below = MEASURED[i - 1];
            above = MEASURED[i];
            if (nodes <= above) {
                break;
            }
        }
        double from = in(key + "." + (int) below);
        double to = in(key + "." + (int) above);
        return Math.max(0, from + (to - from) * (nodes - below) / (above - below));
    }

    private double sessions(double nodes) {
        return nodes * in("sessions.per.node");
    }

    private double turns(double nodes) {
        return sessions(nodes) / in("turn.seconds");
    }

    private double begun(double nodes) {
        return sessions(nodes) / in("session.seconds");
    }

    private double facts(double nodes) {
        return turns(nodes) * in("facts.per.turn") + begun(nodes) * in("facts.per.session");
    }

    /** Of the coordinator's table, to each of the other nodes of a majority. */
    private double homeBytes(double nodes) {
        var shards = (int) in("shards");
        // Measured for two tables; between them and beyond by the line through both.
        double small = measured("coordinator.write.bytes.1000", nodes);
        double large = measured("coordinator.write.bytes.4096", nodes);
        return small + (large - small) * (shards - 1000) / 3096.0;
    }

    private double homeSeconds(double nodes) {
        return in("home.seconds") + Math.floor(nodes / 2) * homeBytes(nodes) * in("home.seconds.per.byte");
    }

    private List<Part> parts() {
        double cells = in("cells");
        double spare = in("keep.below");
        var parts = new ArrayList<Part>();
        parts.add(new Part(
                "journal: PostgreSQL's processors",
                "cores",
                n -> (facts(n) * in("journal.cpu.us.per.fact") + turns(n) * in("tables.cpu.us.per.turn")) / 1e6 / cells,
                n -> in("database.cores") * spare,
                false));
        parts.add(new Part(
                "journal: its log",
                "MB/s",
                n -> turns(n) * in("wal.bytes.per.turn") / 1e6 / cells,
                n -> in("database.write.mb.per.second") * spare,
                false));
        parts.add(new Part(
                "journal: its disk",
                "TB",
                n -> turns(n) * in("average.of.peak") * in("disk.bytes.per.turn") * in("retention.days") * 86400 / 1e12
                        / cells,
                n -> in("database.disk.tb") * spare,
                false));
        parts.add(new Part(
                "journal: connections",
                "",
                n -> n * in("connections.per.node") / cells,
                n -> in("database.connections"),
                false));
        parts.add(new Part(
                "tables: the four writers",
                "turns/s",
                n -> turns(n) / cells,
                n -> in("slices") * in("projection.turns.per.second.per.slice") * in("machine.factor"),
                true));
        parts.add(new Part(
                "sweep: one look",
                "s",
                n -> begun(n) / cells * in("sweep.window.seconds") * in("sweep.us.per.session") / 1e6
                        / in("machine.factor"),
                n -> in("sweep.timeout.seconds"),
                false));
        parts.add(new Part(
                "sweep: one round of looks",
                "s",
                n -> Math.ceil(sessions(n) / cells / in("sweep.sessions"))
                        * (1 + begun(n) / cells * in("sweep.window.seconds") * in("sweep.us.per.session") / 1e6
                                / in("machine.factor")),
                n -> in("sweep.round.seconds"),
                true));
        parts.add(new Part(
                "budget: the one who adds up",
                "writes/s",
                n -> n / cells / in("budget.report.every.seconds"),
                n -> 1 / (in("write.seconds") + measured("budget.tell.us", n) / 1e6),
                true));
        parts.add(new Part(
                "guardrails: the keeper of the evidence",
                "writes/s",
                n -> n / cells,
                n -> 1 / in("write.seconds"),
                true));
        parts.add(new Part(
                "shards: sessions that share one",
                "sessions",
                n -> sessions(n) / cells / in("shards"),
                n -> in("sessions.per.shard.wanted"),
                true));
        parts.add(new Part(
                "shards: the table in one message",
                "kB",
                n -> homeBytes(n / cells) / 1e3,
                n -> in("frame.bytes") / 1e3,
                false));
        parts.add(new Part(
                "shards: new homes when a node leaves",
                "s",
                n -> Math.ceil(in("shards") / (n / cells)) * 2 * homeSeconds(n / cells) / in("machine.factor"),
                n -> in("hand.over.seconds"),
                false));
        parts.add(new Part(
                "shards: homes for all after a full stop",
                "s",
                n -> in("shards") * homeSeconds(n / cells) / in("machine.factor"),
                n -> in("start.seconds"),
                true));
        parts.add(new Part(
                "coordinator: who asks where shards are",
                "MB/s",
                n -> n / cells / in("look.every.seconds") * in("look.bytes.per.shard") * in("shards") / 1e6,
                n -> in("network.mb.per.second") * spare,
                false));
        parts.add(new Part(
                "gossip: the whole state in one message",
                "kB",
                n -> measured("gossip.bytes", n / cells) / 1e3,
                n -> in("frame.bytes") / 1e3,
                false));
        parts.add(new Part(
                "gossip and heartbeats of one node",
                "MB/s",
                n -> (in("gossip.per.second") * measured("gossip.status.bytes", n / cells)
                                + 2 * in("heartbeats.per.second") * in("heartbeat.bytes")
                                + 2 * (n / cells) * in("handshake.bytes"))
                        / 1e6,
                n -> in("network.mb.per.second") * spare,
                false));
        parts.add(new Part(
                "link: connections of one node",
                "",
                n -> 2 * (n / cells - 1) * in("cores.per.node"),
                n -> in("open.files") * spare,
                false));
        parts.add(new Part(
                "node: processors for audio",
                "cores",
                n -> in("sessions.per.node")
                        * in("frames.per.second")
                        * (in("frame.us") + in("away.share") * (in("frame.away.us") - in("frame.us")))
                        / 1e6,
                n -> in("cores.per.node") * spare,
                false));
        parts.add(new Part(
                "node: memory for sessions",
                "MB",
                n -> in("sessions.per.node") * in("session.kb") / 1e3,
                n -> in("memory.mb.per.node") * spare,
                false));
        parts.add(new Part(
                "Prometheus: series",
                "",
                n -> n * in("prometheus.series.per.node"),
                n -> in("prometheus.series"),
                true));
        return parts;
    }

    private void print() {
        var columns = nodes();
        int last = columns[columns.length - 1];
        var parts = new ArrayList<>(parts());
        parts.sort(Comparator.<Part>comparingDouble(part -> part.use(last)).reversed());
        var table = new StringBuilder("| part |");
        for (int nodes : columns) {
            table.append(' ').append(nodes).append(nodes == last ? " nodes |" : " |");
        }
        table.append(" full at | at ").append(last).append(" nodes |\n|---|").append("---|".repeat(columns.length + 2)).append('\n');
        for (var part : parts) {
            var row = new StringBuilder("| ").append(part.name()).append(part.soft() ? " (*)" : "").append(" |");
            for (int nodes : columns) {
                row.append(nodes < LEAST_NODES * in("cells") ? " " : " " + percent(part.use(nodes)) + " ").append('|');
            }
            int full = part.fullAt((int) (LEAST_NODES * in("cells")));
            row.append(full > MOST_NODES ? " |" : " " + full + " |");
            row.append(' ')
                    .append(number(part.load().applyAsDouble(last)))
                    .append(" of ")
                    .append(number(part.limit().applyAsDouble(last)))
                    .append(part.unit().isEmpty() ? "" : " " + part.unit())
                    .append(" |");
            table.append(row).append('\n');
        }
        System.out.print(table);
    }

    private static String percent(double use) {
        if (!Double.isFinite(use)) {
            wrong("a limit of 0 (expected: inputs above 0)");
        }
        double percent = use * 100;
        return percent < 1 ? "<1 %" : String.format(Locale.ROOT, "%,.0f %%", percent);
    }

    private static String number(double value) {
        return value >= 100
                ? String.format(Locale.ROOT, "%,.0f", value)
                : String.format(Locale.ROOT, value >= 10 ? "%.0f" : "%.2g", value);
    }
}
