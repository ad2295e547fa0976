package parley.load;

import java.util.List;
import java.util.stream.IntStream;

/**
 * How a {@link Ramp} climbs.
 *
 * @param from sessions of the first step
 * @param to sessions of the last step
 * @param step sessions that each further step adds; the last one may add fewer
 * @param withinMillis what the 99th percentile of round trips may be
 */
record Climb(int from, int to, int step, int withinMillis) {
    private static final String FORM = "[1-9][0-9]{0,4}:[1-9][0-9]{0,4}:[1-9][0-9]{0,4}";

    /** From a text such as {@code 100:2000:100}. */
    static Climb parse(String text, int withinMillis, int most) {
        if (text.matches(FORM)) {
            var parts = text.split(":");
            var climb = new Climb(
                    Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]), withinMillis);
            if (climb.from <= climb.to && climb.to <= most) return climb;
        }
        throw new IllegalArgumentException("--ramp: " + text + " (expected: FROM:TO:STEP, numbers of sessions, FROM"
                + " at most TO, TO at most " + most + ")");
    }

    /** The sessions of each step. */
    List<Integer> steps() {
        int further = (to - from + step - 1) / step;
        return IntStream.rangeClosed(0, further)
                .map(i -> Math.min(to, from + i * step))
                .boxed()
                .toList();
    }
}
