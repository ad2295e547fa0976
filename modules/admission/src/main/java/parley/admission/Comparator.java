package parley.admission;

/** Against what a guardrail holds the sessions of {@link Arm#VOICE}. */
enum Comparator {
    /** The sessions of {@link Arm#CONTROL}, at the same time. */
    CONTROL,
    /** Users who were in before the present step, and for a step's bake time: the others are the candidate then. */
    BAKED,
    /** Synthetic sessions with the real provider: they tell the provider's trouble from ours. */
    PROBE,
    /** The bound alone. */
    ABSOLUTE
}
