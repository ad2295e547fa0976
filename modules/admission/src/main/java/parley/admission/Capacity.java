package parley.admission;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import parley.admission.Decision.Admitted;
import parley.admission.Decision.Refused;
import parley.admission.Decision.Why;

/**
 * An admission that also sees to it that no tenant takes every place of the node, and tells when places become few.
 * Thread-safe.
 */
public final class Capacity implements Admission {
    private final Admission admission;
    private final CapacitySettings settings;
    private final ConcurrentHashMap<String, Integer> perTenant = new ConcurrentHashMap<>();

    private Capacity(Admission admission, CapacitySettings settings) {
        this.admission = admission;
        this.settings = settings;
    }

    /** @param admission is asked first; whom it refuses takes no place of the tenant */
    public static Capacity of(Admission admission, CapacitySettings settings) {
        return new Capacity(admission, settings);
    }

    @Override
    public Decision admit(CallerId caller, Set<String> cohorts) {
        return within(admission.admit(caller, cohorts), caller.tenant(), 1);
    }

    @Override
    public Decision readmit(CallerId caller, Set<String> cohorts) {
        return within(admission.readmit(caller, cohorts), caller.tenant(), 2);
    }

    @Override
    public int connections() {
        return admission.connections();
    }

    @Override
    public void onKill(Consumer<Kill> action) {
        admission.onKill(action);
    }

    /** Of this node's places, how many are taken: 0, and up to 2 while many come back at once. */
    public double used() {
        return (double) admission.connections() / settings.maxConnections();
    }

    /** Whether more than {@code near-capacity} of this node's places are taken. */
    public boolean isNear() {
        return used() > settings.near();
    }

    /** @param share how many times the limit may be used */
    private Decision within(Decision decision, String tenant, long share) {
        if (settings.perTenant() == 0 || !(decision instanceof Admitted admitted)) {
            return decision;
        }
        long limit = share * settings.perTenant();
        if (perTenant.merge(tenant, 1, Integer::sum) > limit) {
            leave(tenant);
            admitted.place().leave();
            return new Refused(
                    Why.TENANT_FULL,
                    "this tenant has " + limit + " live connections on this node, which is the limit",
                    settings.retryAfter(),
                    settings.offer());
        }
        var left = new AtomicBoolean();
        return new Admitted(admitted.arm(), admitted.why(), admitted.revision(), () -> {
            if (left.compareAndSet(false, true)) {
                leave(tenant);
                admitted.place().leave();
            }
        });
    }

    private void leave(String tenant) {
        perTenant.computeIfPresent(tenant, (who, count) -> count > 1 ? count - 1 : null);
    }
}
