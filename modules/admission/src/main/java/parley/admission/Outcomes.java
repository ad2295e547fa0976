package parley.admission;

/** Where a node says how its sessions fare: what the guardrails judge by. Thread-safe; never blocks. */
@FunctionalInterface
public interface Outcomes {
    /**
     * One session's word by one signal: to be said once per session and signal, by the node where the session began. It is
     * on its way within a second, and is counted once however often it has to be sent; while nobody takes it the node
     * keeps the last {@code parley.admission.guardrails.unsent} of them.
     *
     * @param arm decided at admission, and kept for the session's life
     * @param forced in or out by a list, a cohort or a tenant's rule and not by the bucket: no sample
     * @param failed 0..1: the failed share of the session, 0 or 1 where there is nothing between
     * @throws IllegalArgumentException when {@code failed} is no share
     */
    void report(Signal signal, CallerId caller, Arm arm, boolean forced, double failed);

    /**
     * The same of a synthetic session that took the way by which {@link Arm#CONTROL} is served, or everybody where there
     * is only one: nobody's sample, but what a guardrail with {@code comparator = probe} compares with.
     */
    default void probe(Signal signal, double failed) {}

    /** Beyond what a session counts as failed: seconds for first audio, US dollars for cost; 0 for the other signals. */
    default double threshold(Signal signal) {
        return switch (signal) {
            case FIRST_AUDIO -> 3;
            case COST -> 15;
            case CONNECTION, ERROR, CREATION -> 0;
        };
    }

    /** Nobody judges. */
    static Outcomes none() {
        return (signal, caller, arm, forced, failed) -> {};
    }
}
