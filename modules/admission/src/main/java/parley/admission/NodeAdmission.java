package parley.admission;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parley.admission.Decision.Admitted;
import parley.admission.Decision.Refused;
import parley.admission.Decision.Why;
import parley.admission.Rollouts.Happening;

/** This node's environment, the kill switch, the flag, the node's capacity, the caller's: in this order. */
final class NodeAdmission implements Admission {
    private final AdmissionSettings settings;
    private final RolloutView view;
    private final AtomicInteger connections = new AtomicInteger();
    private final ConcurrentHashMap<CallerId, Integer> perCaller = new ConcurrentHashMap<>();

    NodeAdmission(AdmissionSettings settings, RolloutView view) {
        this.settings = settings;
        this.view = view;
    }

    @Override
    public Decision admit(CallerId caller, Set<String> cohorts) {
        var off = switchedOff(false);
        if (off != null) {
            return off;
        }
        var rollout = view.rollout();
        var assignment = rollout.assign(caller, cohorts);
        return assignment.arm() == Arm.CONTROL && !settings.servesControl(assignment.why())
                ? without(assignment.why())
                : place(caller, assignment.arm(), assignment.why(), rollout.revision(), 1);
    }

    @Override
    public Decision readmit(CallerId caller, Set<String> cohorts) {
        var off = switchedOff(true);
        if (off != null) {
            return off;
        }
        var rollout = view.rollout();
        var why = rollout.assign(caller, cohorts).why();
        // A session keeps its arm; only a person that was denied by name loses it.
        return why == Why.DENIED ? without(Why.DENIED) : place(caller, Arm.VOICE, why, rollout.revision(), 2);
    }

    /** What beats every list; null: nothing. */
    private @Nullable Refused switchedOff(boolean again) {
        if (settings.nodeOff()) {
            return refused(Why.NODE_OFF, "voice is switched off on this node");
        }
        var kill = view.kill();
        return kill.on() && !(again && kill.live() == Kill.Live.GO_ON)
                ? refused(Why.KILLED, "voice is switched off")
                : null;
    }

    private Refused without(Why why) {
        return switch (why) {
            case SWITCHED_OFF -> refused(Why.SWITCHED_OFF, "voice is switched off");
            case SUSPENDED -> refused(Why.SUSPENDED, "voice is suspended until a disturbance is over");
            case DENIED -> new Refused(Why.DENIED, "this user may not use voice", null, settings.offer());
            case TENANT -> new Refused(Why.TENANT, "voice is off for this tenant", null, settings.offer());
            default -> new Refused(why, "voice is not open to this user yet", null, settings.offer());
        };
    }

    /** @param share how many times each limit may be used */
    private Decision place(CallerId caller, Arm arm, Why why, long revision, long share) {
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
        return new Admitted(arm, why, revision, new Seat(caller));
    }

    /** True once it was left. */
    private final class Seat extends AtomicBoolean implements Decision.Place {
        private final transient CallerId caller;

        Seat(CallerId caller) {
            this.caller = caller;
        }

        @Override
        public void leave() {
            if (compareAndSet(false, true)) {
                NodeAdmission.this.leave(caller);
            }
        }
    }

    @Override
    public int connections() {
        return connections.get();
    }

    @Override
    public void onKill(Consumer<Kill> action) {
        view.watch(happening -> {
            if (happening instanceof Happening.KillChanged(var kill)) {
                action.accept(kill);
            }
        });
        action.accept(view.kill());
    }

    private void leave(CallerId caller) {
        connections.decrementAndGet();
        perCaller.computeIfPresent(caller, (who, count) -> count > 1 ? count - 1 : null);
    }

    private Refused refused(Why why, String detail) {
        return new Refused(why, detail, settings.retryAfter(), settings.offer());
    }
}
