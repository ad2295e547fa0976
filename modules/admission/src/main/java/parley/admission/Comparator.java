package parley.admission;

/** Against what a guardrail holds the sessions of {@link Arm#VOICE}. */
enum Comparator {
    /** The sessions of {@link Arm#CONTROL}, at the same time. */
    CONTROL,
    /** Users who were in before the present step: whoever feeds the evidence names their sessions {@link Arm#CONTROL}. */
    BAKED,
    /** Synthetic sessions with the real provider: they tell the provider's trouble from ours. */
    PROBE,
    /** The bound alone. */
    ABSOLUTE
}
