package parley.admission;

/** What a guardrail says. Only {@link #PASS} promotes and only {@link #FAIL} rolls back; the others hold. */
enum Verdict {
    /** There is evidence that the bound is kept. */
    PASS,
    /** There is evidence that this release harms. */
    FAIL,
    /** There are samples, and they do not decide. */
    INCONCLUSIVE,
    /** There is no sample, or not every node has reported. */
    NO_DATA,
    /** The evidence cannot be judged by this guardrail. */
    ERROR
}
