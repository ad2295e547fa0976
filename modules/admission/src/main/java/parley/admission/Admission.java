package parley.admission;

/** The one question every face asks before it lets a connection in. Thread-safe; never blocks. */
public interface Admission {
    /** Decides, and when the answer is yes takes a place that the face gives back when the connection ends. */
    Decision admit(CallerId caller);

    /**
     * The same for one who comes back to a session. Its old connection may hold its place until the new one has taken
     * over, and nobody is to lose a conversation because a node is full: so a place is there up to twice each limit.
     */
    Decision readmit(CallerId caller);

    /** Connections that hold a place on this node now. */
    int connections();

    /** Admission by what this node knows. */
    static Admission create(AdmissionSettings settings) {
        return new NodeAdmission(settings);
    }
}
