package parley.provider;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The providers of a node in the order in which they are tried, each behind a circuit breaker.
 *
 * <p>A provider that fails {@code breaker.failures} times in a row within {@code breaker.within} is left alone for
 * {@code breaker.open-for}; then one call tries it. What is a failure is told by who makes the calls: {@link #succeeded}
 * when a provider has taken a conversation and spoken, {@link #failed} when it was lost or fell silent, {@link #refused}
 * when it did not take one. Whoever got a provider from {@link #next} reports one of the three, once. Thread-safe, and
 * never blocks for longer than another thread needs to note a number.
 */
public final class ProviderPool {
    /** Of a provider's breaker. */
    public enum State {
        /** Calls pass. */
        CLOSED,
        /** No call passes. */
        OPEN,
        /** One call passes, and decides. */
        HALF_OPEN
    }

    /** The refusal of a deployment's own credentials. */
    static final String CREDENTIALS = "upstream_refused";

    private final List<Provider> all;
    private final Map<String, Breaker> breakers = new LinkedHashMap<>();

    /**
     * @param all in the order in which they are tried
     * @param nanos a clock that never goes back, such as {@link System#nanoTime}
     * @throws IllegalArgumentException when there is none, or two have one name
     */
    public ProviderPool(List<? extends Provider> all, BreakerSettings settings, LongSupplier nanos) {
        if (all.isEmpty()) {
            throw new IllegalArgumentException("providers: none (expected: at least one)");
        }
        this.all = List.copyOf(all);
        for (var provider : all) {
            if (breakers.put(provider.name(), new Breaker(settings, nanos)) != null) {
                throw new IllegalArgumentException(
                        "providers: " + provider.name() + " twice (expected: a name of its own for each)");
            }
        }
    }

    /** All of them, in order. */
    public List<Provider> all() {
        return all;
    }

    /** Who is asked first. */
    public Provider first() {
        return all.getFirst();
    }

    /**
     * The first provider whose name is not in {@code tried} and whose breaker lets a call through; of a half-open one
     * the caller has the trial. When no breaker does, the first that was not tried: better than nobody.
     *
     * @return null when all were tried
     */
    public @Nullable Provider next(Set<String> tried) {
        for (var provider : all) {
            if (!tried.contains(provider.name()) && breaker(provider).passes()) return provider;
        }
        // A conversation that is left with nobody gains nothing by sparing a provider that may be well again.
        for (var provider : all) {
            if (!tried.contains(provider.name())) return provider;
        }
        return null;
    }

    /** The provider does what it is there for. */
    public void succeeded(Provider provider) {
        breaker(provider).succeeded();
    }

    /** The provider could not be reached, was lost, or fell silent. */
    public void failed(Provider provider) {
        breaker(provider).failed();
    }

    /**
     * The provider did not take a conversation. It failed when another call might have fared the same: when the refusal
     * is {@link ProviderRefused#retryable retryable} (overloaded, rate limit, out of reach), or when it refused this
     * deployment's credentials ({@code upstream_refused}), which no caller can help. Any other refusal is about the
     * call, such as a model that does not exist, and leaves the provider's standing as it was.
     */
    public void refused(Provider provider, ProviderRefused refusal) {
        if (refusal.retryable() || refusal.code().equals(CREDENTIALS)) {
            breaker(provider).failed();
        } else {
            breaker(provider).undecided();
        }
    }

    /** Where a provider's breaker stands now. */
    public State state(String name) {
        return breaker(name).state();
    }

    /** How often a provider's breaker has opened. */
    public long opened(String name) {
        return breaker(name).opened();
    }

    /** How many calls a provider was not asked to take because of its breaker. */
    public long refused(String name) {
        return breaker(name).refused();
    }

    private Breaker breaker(Provider provider) {
        return breaker(provider.name());
    }

    private Breaker breaker(String name) {
        var breaker = breakers.get(name);
        if (breaker == null) {
            throw new IllegalArgumentException(
                    "provider: " + name + " (expected: one of " + new ArrayList<>(breakers.keySet()) + ")");
        }
        return breaker;
    }
}
