package parley.admission;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import parley.admission.Decision.Admitted;
import parley.admission.Decision.Refused;
import parley.admission.Decision.Why;

/** Flag first, then the node's capacity, then the caller's. */
final class NodeAdmission implements Admission {
    private final AdmissionSettings settings;
    private final AtomicInteger connections = new AtomicInteger();
    private final ConcurrentHashMap<CallerId, Integer> perCaller = new ConcurrentHashMap<>();

    NodeAdmission(AdmissionSettings settings) {
        this.settings = settings;
    }

    @Override
    public Decision admit(CallerId caller) {
        return decide(caller, 1);
    }

    @Override
    public Decision readmit(CallerId caller) {
        return decide(caller, 2);
    }

    /** @param share how many times each limit may be used */
    private Decision decide(CallerId caller, long share) {
        var assignment = settings.flag().assign(caller);
        if (assignment.arm() == Arm.CONTROL) {
            return switch (assignment.why()) {
                case SWITCHED_OFF -> refused(Why.SWITCHED_OFF, "voice is switched off");
                case DENIED -> new Refused(Why.DENIED, "this user may not use voice", null, settings.offer());
                default -> new Refused(assignment.why(), "voice is not open to this user yet", null, settings.offer());
            };
        }
        if (connections.incrementAndGet() > share * settings.maxConnections()) {
            connections.decrementAndGet();
            return refused(
                    Why.NODE_FULL, "all " + share * settings.maxConnections() + " places of this node are taken");
        }
        if (perCaller.merge(caller, 1, Integer::sum) > share * settings.maxConnectionsPerCaller()) {
            leave(caller);
            return refused(
                    Why.CALLER_FULL,
                    "this user has " + share * settings.maxConnectionsPerCaller()
                            + " live connections, which is the limit");
        }
        var left = new AtomicBoolean();
        return new Admitted(assignment.arm(), assignment.why(), () -> {
            if (left.compareAndSet(false, true)) {
                leave(caller);
            }
        });
    }

    @Override
    public int connections() {
        return connections.get();
    }

    private void leave(CallerId caller) {
        connections.decrementAndGet();
        perCaller.computeIfPresent(caller, (who, count) -> count > 1 ? count - 1 : null);
    }

    private Refused refused(Why why, String detail) {
        return new Refused(why, detail, settings.retryAfter(), List.copyOf(settings.offer()));
    }
}
