package parley.admission;

/**
 * Money that several sessions spend together: a tenant's, or everybody's.
 *
 * <p>Each session asks at each of its turns and every {@code parley.session.cost.ask-every}, on its event loop: the answer
 * comes from the memory of this node. Thread-safe; never blocks, never throws.
 */
public interface Budget {
    /**
     * A session as a budget knows it.
     *
     * @param id the session's, the same wherever it lives
     */
    record SessionRef(String id, CallerId caller) {}

    /** Whether nothing is left for this caller. Then its session ends after the running turn. */
    boolean spent(CallerId caller);

    /**
     * What a session has cost since it was opened. Told after each cost, every {@code ask-every} and when the session ends
     * or leaves this node. A figure may come again, and a smaller one after it from a node that is gone meanwhile: of one
     * session the greatest counts.
     *
     * @param costMicrosSoFar in millionths of a US dollar
     */
    void report(SessionRef session, long costMicrosSoFar);

    /** Nobody counts, and nothing is ever used up. */
    static Budget none() {
        return new Budget() {
            @Override
            public boolean spent(CallerId caller) {
                return false;
            }

            @Override
            public void report(SessionRef session, long costMicrosSoFar) {}
        };
    }
}
