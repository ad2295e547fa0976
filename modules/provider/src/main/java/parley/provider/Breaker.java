package parley.provider;

import java.util.ArrayDeque;
import java.util.function.LongSupplier;

/**
 * Decides whether one provider gets a call.
 *
 * <p>Closed: every call passes; {@code failures} in a row within {@code within} open it. Open: none passes for {@code
 * open-for}, and what is reported of calls that began before changes nothing. Half-open: one call passes, the trial;
 * when it succeeds the breaker closes, when it fails it opens anew, and when nobody has said what became of it within
 * {@code open-for}, the next call is the trial. Thread-safe; remembers {@code failures} instants.
 */
final class Breaker {
    private final BreakerSettings settings;
    private final LongSupplier nanos;
    private final ArrayDeque<Long> failures = new ArrayDeque<>();
    private ProviderPool.State state = ProviderPool.State.CLOSED;
    private long openedAt;
    private long triedAt;
    private boolean trying;
    private long opened;
    private long refused;

    Breaker(BreakerSettings settings, LongSupplier nanos) {
        this.settings = settings;
        this.nanos = nanos;
    }

    /** Whether a call may be made now; in half-open, a call that may be made is the trial. */
    synchronized boolean passes() {
        long now = nanos.getAsLong();
        boolean passes = switch (stateAt(now)) {
            case CLOSED -> true;
            case OPEN -> false;
            case HALF_OPEN -> !trying || now - triedAt >= settings.openFor().toNanos();
        };
        if (passes && stateAt(now) == ProviderPool.State.HALF_OPEN) {
            state = ProviderPool.State.HALF_OPEN;
            trying = true;
            triedAt = now;
        }
        if (!passes) refused++;
        return passes;
    }

    synchronized void succeeded() {
        if (stateAt(nanos.getAsLong()) == ProviderPool.State.OPEN) return;
        state = ProviderPool.State.CLOSED;
        trying = false;
        failures.clear();
    }

    synchronized void failed() {
        long now = nanos.getAsLong();
        switch (stateAt(now)) {
            case CLOSED -> {
                failures.add(now);
                if (failures.size() > settings.failures()) failures.remove();
                boolean enough = failures.size() == settings.failures()
                        && now - failures.getFirst() <= settings.within().toNanos();
                if (enough) open(now);
            }
            case HALF_OPEN -> open(now);
            case OPEN -> {}
        }
    }

    /** A call ended in a way that says nothing about the provider: if it was the trial, the next one is. */
    synchronized void undecided() {
        trying = false;
    }

    synchronized ProviderPool.State state() {
        return stateAt(nanos.getAsLong());
    }

    synchronized long opened() {
        return opened;
    }

    synchronized long refused() {
        return refused;
    }

    private void open(long now) {
        state = ProviderPool.State.OPEN;
        openedAt = now;
        trying = false;
        failures.clear();
        opened++;
    }

    private ProviderPool.State stateAt(long now) {
        boolean over = state == ProviderPool.State.OPEN
                && now - openedAt >= settings.openFor().toNanos();
        return over ? ProviderPool.State.HALF_OPEN : state;
    }
}
