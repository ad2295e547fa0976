package parley.admission;

/** What follows {@link Verdict#FAIL}. */
enum OnFail {
    ROLLBACK_PREVIOUS,
    ROLLBACK_ZERO,
    PAUSE
}
