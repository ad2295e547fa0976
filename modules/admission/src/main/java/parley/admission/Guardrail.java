package parley.admission;

import java.util.ArrayList;
import java.util.List;

/**
 * A bound on the share of sessions that may fail, and what happens beyond it.
 *
 * <p>A service that fails half as often as {@code bound} is healthy, one that fails 2.5 times as often is broken; between
 * the two it will trip some day, so a bound belongs at twice the normal failure share or more.
 *
 * @param id lower case letters, digits and underscores: it names the guardrail in metrics, events and the API
 * @param bound the allowed failure share, above 0 and below 0.4, so that 2.5 times as much is a share below one
 * @param threshold beyond what a session counts as failed, in the signal's unit: seconds for {@link Signal#FIRST_AUDIO},
 *     US dollars for {@link Signal#COST}; 0 for signals that need none
 * @param limit the score beyond which the guardrail trips: 7 up to about 1,000 sessions per hour, 9 above
 * @param observeOnly judged and shown, never acted upon
 */
record Guardrail(
        String id,
        Signal signal,
        double bound,
        double threshold,
        double limit,
        Comparator comparator,
        OnFail onFail,
        boolean observeOnly) {
    static final double LIMIT = 7;
    static final double LIMIT_OF_MANY_SESSIONS = 9;

    /** The bounds at which a rollout stops unless it is told others. */
    static final List<Guardrail> DEFAULTS = List.of(
            standard("connection_success", Signal.CONNECTION, 0.10, 0, Comparator.CONTROL),
            standard("first_audio", Signal.FIRST_AUDIO, 0.05, 3, Comparator.CONTROL),
            standard("error_rate", Signal.ERROR, 0.05, 0, Comparator.CONTROL),
            standard("session_creation", Signal.CREATION, 0.10, 0, Comparator.CONTROL),
            standard("session_cost", Signal.COST, 0.05, 15, Comparator.ABSOLUTE));

    Guardrail {
        var wrong = new ArrayList<String>();
        if (!id.matches("[a-z0-9_]{1,64}")) {
            wrong.add("id: " + id + " (expected: 1..64 of a-z, 0-9 and _)");
        }
        if (!(bound > 0 && bound < 0.4)) {
            wrong.add("bound: " + bound + " (expected: > 0 and < 0.4)");
        }
        if (!(threshold >= 0 && threshold < Double.POSITIVE_INFINITY)) {
            wrong.add("threshold: " + threshold + " (expected: >= 0)");
        }
        if (!(limit > 0 && limit < Double.POSITIVE_INFINITY)) {
            wrong.add("limit: " + limit + " (expected: > 0)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("guardrail " + id + ": " + String.join("; ", wrong));
        }
    }

    /** Back one step, not to zero: where the step before is bad as well, the same guardrail trips there. */
    private static Guardrail standard(String id, Signal signal, double bound, double threshold, Comparator comparator) {
        return new Guardrail(id, signal, bound, threshold, LIMIT, comparator, OnFail.ROLLBACK_PREVIOUS, false);
    }
}
