package parley.admission;

/** What becomes of those whom the percentage leaves out. */
public enum ControlArm {
    /** They are refused, and offered what works without. */
    REFUSE,
    /** They are let in, as {@link Arm#CONTROL}: somebody else may answer them, and their sessions are compared with. */
    SERVE
}
