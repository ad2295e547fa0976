package parley.admission;

import java.util.Set;
import java.util.function.Consumer;

/** The one question every face asks before it lets a connection in. Thread-safe; never blocks. */
public interface Admission {
    /**
     * Decides, and when the answer is yes takes a place that the face gives back when the connection ends. Whom the
     * percentage leaves out is refused, or admitted to {@link Arm#CONTROL} where {@link ControlArm#SERVE} says so.
     *
     * @param cohorts what the caller's token says it belongs to
     */
    Decision admit(CallerId caller, Set<String> cohorts);

    /**
     * The same for one who comes back to a session. Its old connection may hold its place until the new one has taken
     * over, and nobody is to lose a conversation because a node is full: so a place is there up to twice each limit. A
     * kill that lets live sessions go on lets them in, too; and nobody is put out by a percentage that was lowered.
     */
    Decision readmit(CallerId caller, Set<String> cohorts);

    /** Connections that hold a place on this node now. */
    int connections();

    /** Calls {@code action} with the kill switch as it is, and with each change from now on. On any thread. */
    void onKill(Consumer<Kill> action);

    /** Admission by the configuration alone: a node without a cluster. */
    static Admission create(AdmissionSettings settings) {
        return new NodeAdmission(settings, RolloutView.of(settings.initial()));
    }
}
