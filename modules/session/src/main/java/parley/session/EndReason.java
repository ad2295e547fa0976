package parley.session;

/** Why a session is over. Names are journaled: never renamed. */
public enum EndReason {
    CALLER_LEFT,
    ENDED_BY_CALLER,
    ENDED_BY_OPERATOR,
    /** Voice was switched off. */
    KILLED,
    MAX_LENGTH,
    IDLE,
    PROVIDER_REFUSED,
    PROVIDER_LOST,
    JOURNAL_LOST,
    /** It has cost what it may, or the budget that it shares is used up. */
    BUDGET
}
