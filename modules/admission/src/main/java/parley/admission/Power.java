package parley.admission;

/**
 * What a step can see: the sessions per arm that tell two success shares apart, in four of five cases (80 % power) and
 * with one false alarm in twenty (one-sided). Two independent proportions, fixed sample; a sequential test needs more.
 */
final class Power {
    private static final double Z_ALPHA = 1.644854;
    private static final double Z_POWER = 0.841621;

    /** What fails of a service that is well: this part of what is allowed to. */
    private static final double WELL = 0.1;

    private Power() {}

    /** @param sessions so far, of the arm that has fewer */
    static Rollouts.Detection of(Guardrail guardrail, long sessions) {
        double from = 1 - WELL * guardrail.bound();
        double to = 1 - guardrail.bound();
        return new Rollouts.Detection(from, to, sessionsToSee(from, to), visible(from, sessions));
    }

    /**
     * @param from the success share expected, 0..1
     * @param to the lower success share to be seen, 0..1
     */
    static long sessionsToSee(double from, double to) {
        if (!(to >= 0 && to < from && from <= 1)) {
            throw new IllegalArgumentException("from, to: " + from + ", " + to + " (expected: 0 <= to < from <= 1)");
        }
        double middle = (from + to) / 2;
        double root =
                Z_ALPHA * Math.sqrt(2 * middle * (1 - middle)) + Z_POWER * Math.sqrt(from * (1 - from) + to * (1 - to));
        double drop = from - to;
        return Math.max(1, Math.round(root * root / (drop * drop)));
    }

    /** The highest success share that so many sessions per arm tell from {@code from}; 0 when nothing would be seen. */
    static double visible(double from, long sessions) {
        double seen = 0;
        double unseen = from;
        if (sessions < 1 || sessionsToSee(from, seen) > sessions) {
            return 0;
        }
        for (int halving = 0; halving < 40; halving++) {
            double middle = (seen + unseen) / 2;
            if (middle < from && sessionsToSee(from, middle) <= sessions) {
                seen = middle;
            } else {
                unseen = middle;
            }
        }
        return seen;
    }
}
