package parley.admission;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Money that several sessions spend together: a tenant's, or everybody's.
 *
 * <p>Each session asks at each of its turns and every {@code parley.session.cost.ask-every}, on its event loop: the answer
 * comes from the memory of this node. Thread-safe; never blocks, never throws.
 */
public interface Budget {
    /** Whether nothing is left for this caller. Then its session ends after the running turn. */
    boolean spent(CallerId caller);

    /**
     * A session of this caller has cost so much more. Told once of each cost, by the node where the session lives.
     *
     * @param costMicros in millionths of a US dollar
     */
    void report(CallerId caller, long costMicros);

    /**
     * Brings what this node has been told of to where it is counted, now: to be called when its last session has ended or
     * moved, and before it leaves the cluster. Completed, never failed, when all of it is in the journal, or after {@code
     * atMost}.
     */
    default CompletionStage<Void> flush(Duration atMost) {
        return CompletableFuture.completedFuture(null);
    }

    /** Nobody counts, and nothing is ever used up. */
    static Budget none() {
        return new Budget() {
            @Override
            public boolean spent(CallerId caller) {
                return false;
            }

            @Override
            public void report(CallerId caller, long costMicros) {}
        };
    }
}
