package parley.admission;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What admission says, with its reason, so that it can be logged, shown and tested. */
public sealed interface Decision {
    /**
     * In. The place is taken until it is {@link Place#leave left}.
     *
     * @param revision of the rollout that this was decided by
     */
    record Admitted(Arm arm, Why why, long revision, Place place) implements Decision {}

    /**
     * Not in.
     *
     * @param detail a sentence for the caller: what was found and what was expected
     * @param retryAfter when it makes sense to ask again; null: not by waiting
     * @param offer what still works
     */
    record Refused(Why why, String detail, @Nullable Duration retryAfter, List<String> offer) implements Decision {}

    /** The rule that decided. */
    enum Why {
        /** This node, by its environment. */
        NODE_OFF,
        /** The kill switch. */
        KILLED,
        /** The flag as a whole. */
        SWITCHED_OFF,
        /** Everybody's trouble: voice waits until it is over. */
        SUSPENDED,
        DENIED,
        TENANT,
        ALLOWED,
        COHORT,
        BUCKET,
        /** Nothing is left of what may be spent this month. */
        BUDGET,
        NODE_FULL,
        CALLER_FULL,
        TENANT_FULL
    }

    /** One connection's place among the node's. */
    interface Place {
        /** Gives the place back. Safe to repeat. */
        void leave();
    }
}
