package parley.admission;

/** The one question every face asks before it lets a connection in. Thread-safe; never blocks. */
public interface Admission {
    /** Decides, and when the answer is yes takes a place that the face gives back when the connection ends. */
    Decision admit(CallerId caller);

    /** Connections that hold a place on this node now. */
    int connections();

    /** Admission by what this node knows. */
    static Admission create(AdmissionSettings settings) {
        return new NodeAdmission(settings);
    }
}
