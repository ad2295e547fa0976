package parley.admission;

/** Which side of the rollout a session belongs to. Decided once, at admission, and kept for the session's life. */
public enum Arm {
    /** Gets realtime voice as the rollout brings it. */
    VOICE,
    /** Does not: is refused and offered what works without, or served as before where {@link ControlArm#SERVE} says so. */
    CONTROL
}
