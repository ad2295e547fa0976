package parley.meter;

import java.util.List;
import java.util.TreeMap;

/** All series of one name, as they are now. */
record Family(String name, Kind kind, String says, List<Series> series) {
    enum Kind {
        COUNTER,
        GAUGE,
        HISTOGRAM;

        String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    sealed interface Series {
        Labels labels();

        record Single(Labels labels, double value) implements Series {}

        /** @param upTo how many were at most each boundary, the last of which is infinity */
        record Distribution(Labels labels, TreeMap<Double, Long> upTo, long count, double sum) implements Series {}
    }
}
