package parley.meter;

import java.util.List;
import parley.meter.Family.Kind;
import parley.meter.Family.Series;

/** Writes families down. */
final class Exposition {
    private static final String TOTAL = "_total";

    private final StringBuilder out = new StringBuilder(1 << 16);

    private Exposition() {}

    static String prometheus(List<Family> families) {
        var text = new Exposition();
        families.forEach(family -> text.family(family, family.name()));
        return text.out.toString();
    }

    /** A counter's family is named without what its samples end in. */
    static String openMetrics(List<Family> families) {
        var text = new Exposition();
        families.forEach(family -> text.family(
                family,
                family.kind() == Kind.COUNTER
                        ? family.name().substring(0, family.name().length() - TOTAL.length())
                        : family.name()));
        return text.out.append("# EOF\n").toString();
    }

    private void family(Family family, String called) {
        out.append("# HELP ").append(called).append(' ');
        escaped(family.says(), false);
        out.append("\n# TYPE ")
                .append(called)
                .append(' ')
                .append(family.kind().word())
                .append('\n');
        for (var series : family.series()) {
            switch (series) {
                case Series.Single(var labels, var value) -> sample(family.name(), labels, "", value);
                case Series.Distribution(var labels, var upTo, var count, var sum) -> {
                    upTo.forEach(
                            (bound, below) -> sample(family.name() + "_bucket", labels, number(bound), (double) below));
                    sample(family.name() + "_sum", labels, "", sum);
                    sample(family.name() + "_count", labels, "", (double) count);
                }
            }
        }
    }

    private void sample(String name, Labels labels, String upTo, double value) {
        out.append(name);
        if (!labels.names().isEmpty() || !upTo.isEmpty()) {
            out.append('{');
            for (int at = 0; at < labels.names().size(); at++) {
                out.append(at == 0 ? "" : ",").append(labels.names().get(at)).append("=\"");
                escaped(labels.values().get(at), true);
                out.append('"');
            }
            if (!upTo.isEmpty()) {
                out.append(labels.names().isEmpty() ? "" : ",")
                        .append("le=\"")
                        .append(upTo)
                        .append('"');
            }
            out.append('}');
        }
        out.append(' ').append(number(value)).append('\n');
    }

    private void escaped(String text, boolean quotes) {
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '"' -> out.append(quotes ? "\\\"" : "\"");
                default -> out.append(c);
            }
        }
    }

    /** Whole numbers without a fraction, as other exporters write them: {@code le="1"}. */
    private static String number(double value) {
        if (Double.isInfinite(value)) {
            return value > 0 ? "+Inf" : "-Inf";
        }
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    static String json(List<Family> families) {
        var json = new Exposition();
        json.out.append("{\"metrics\":{");
        var comma = "";
        for (var family : families) {
            json.out.append(comma);
            json.jsonFamily(family);
            comma = ",";
        }
        return json.out.append("}}").toString();
    }

    private void jsonFamily(Family family) {
        quoted(family.name());
        out.append(":{\"type\":");
        quoted(family.kind().word());
        out.append(",\"help\":");
        quoted(family.says());
        out.append(",\"series\":[");
        var comma = "";
        for (var series : family.series()) {
            out.append(comma).append("{\"labels\":{");
            for (int at = 0; at < series.labels().names().size(); at++) {
                out.append(at == 0 ? "" : ",");
                quoted(series.labels().names().get(at));
                out.append(':');
                quoted(series.labels().values().get(at));
            }
            out.append("},");
            switch (series) {
                case Series.Single(var labels, var value) ->
                    out.append("\"value\":").append(number(value));
                case Series.Distribution(var labels, var upTo, var count, var sum) -> {
                    out.append("\"count\":").append(count).append(",\"sum\":").append(number(sum));
                    out.append(",\"buckets\":{");
                    upTo.forEach((bound, below) -> out.append(bound.equals(upTo.firstKey()) ? "" : ",")
                            .append('"')
                            .append(number(bound))
                            .append("\":")
                            .append(below));
                    out.append('}');
                }
            }
            out.append('}');
            comma = ",";
        }
        out.append("]}");
    }

    private void quoted(String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
