package parley.admission;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.admission.RolloutEvent.Audit;
import parley.admission.RolloutEvent.Recorded;

/**
 * What the controller remembers. Pure.
 *
 * @param last the last line of the audit; null before the first
 * @param answered which keys were used, for what, and in which line; the oldest are forgotten
 * @param era the revision with which the present percentage, step and phase began: evidence of before does not count
 * @param acted when a guardrail last did something; null: never
 */
record RolloutState(
        Rollout rollout,
        @Nullable Audit last,
        Map<String, Answered> answered,
        long era,
        @Nullable Instant acted) implements CborSerializable {
    /** Of each of so many keys the answer is known; published with the API. */
    static final int KEYS = 500;

    /** @param body the hash of what was asked */
    record Answered(String body, Rollout result) {}

    RolloutState {
        answered = new LinkedHashMap<>(answered);
    }

    static RolloutState initial(Rollout configured) {
        return new RolloutState(configured, null, Map.of(), configured.revision(), null);
    }

    RolloutState after(RolloutEvent event) {
        return switch (event) {
            case Recorded r -> {
                var result = r.result() == null ? rollout : r.result();
                yield new RolloutState(
                        result,
                        r.audit(),
                        answered(r, result),
                        result.beginsAfter(rollout) ? result.revision() : era,
                        r.result() != null && r.audit().actor().byGuardrail()
                                ? r.audit().at()
                                : acted);
            }
        };
    }

    long nextSeq() {
        return last == null ? 1 : last.seq() + 1;
    }

    String lastHash() {
        return last == null ? "" : last.hash();
    }

    private Map<String, Answered> answered(Recorded recorded, Rollout result) {
        if (recorded.key() == null || recorded.body() == null) {
            return answered;
        }
        var more = new LinkedHashMap<>(answered);
        more.put(recorded.key(), new Answered(recorded.body(), result));
        while (more.size() > KEYS) {
            more.remove(more.keySet().iterator().next());
        }
        return more;
    }
}
