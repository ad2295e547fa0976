package parley.admission;

/** What one session says about the service. Each speaks at most once per session, as a failed share from 0 to 1. */
public enum Signal {
    /** No first agent audio was delivered, or the connection failed. */
    CONNECTION,
    /** The share of the session's turns whose first audio came later than the threshold. */
    FIRST_AUDIO,
    /** Ended by a fault of ours. A drain, the caller's own end and a tenant's budget stop are none. */
    ERROR,
    /** Could not be created. */
    CREATION,
    /** Its cost so far passed the threshold: known before the session ends, so that a runaway counts in time. */
    COST
}
