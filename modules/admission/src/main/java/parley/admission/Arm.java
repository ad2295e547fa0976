package parley.admission;

/** Which side of the rollout a session belongs to. Decided once, at admission, and kept for the session's life. */
public enum Arm {
    /** Gets realtime voice. */
    VOICE,
    /** Does not, and is offered what works without. */
    CONTROL
}
