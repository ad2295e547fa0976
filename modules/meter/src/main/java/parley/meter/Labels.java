package parley.meter;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Names and values of one series, in order. */
record Labels(List<String> names, List<String> values) {
    static final Labels NONE = new Labels(List.of(), List.of());
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]*");

    /** @param pairs name, value, name, value … */
    static Labels of(String... pairs) {
        if (pairs.length == 0) {
            return NONE;
        }
        if (pairs.length % 2 != 0) {
            throw new IllegalArgumentException(pairs.length + " words (expected: names and values in turn)");
        }
        var names = new ArrayList<String>(pairs.length / 2);
        var values = new ArrayList<String>(pairs.length / 2);
        for (int at = 0; at < pairs.length; at += 2) {
            if (!NAME.matcher(pairs[at]).matches() || pairs[at].equals("le")) {
                throw new IllegalArgumentException("label: " + pairs[at] + " (expected: a-z, 0-9 and _, and not le)");
            }
            names.add(pairs[at]);
            values.add(pairs[at + 1]);
        }
        return new Labels(List.copyOf(names), List.copyOf(values));
    }

    /** The same names, for all series that there are too many of. */
    Labels other() {
        return new Labels(names, names.stream().map(name -> Meters.OTHER).toList());
    }
}
