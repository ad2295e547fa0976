package parley.gateway;

import io.netty.handler.codec.http.FullHttpRequest;
import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.gateway.RateSettings.Rate;
import parley.wire.HttpServer;

/**
 * How fast the clients of this node call: HTTP requests and WebSocket upgrades, each counted apart, per address.
 *
 * <p>A token bucket for each address and kind. So many addresses are remembered as the setting says; beyond it the one that
 * has not called for longest is forgotten, and begins anew. Thread-safe: a lookup under one lock.
 */
public final class Rates {
    private static final Logger LOG = LoggerFactory.getLogger(Rates.class);

    /** What those who watch over a node ask. */
    private static final Set<String> WATCHED =
            Set.of("/health", "/health/voice", "/v1/voice/health", "/api/voice/health", "/metrics");

    private final RateSettings settings;
    private final Clients clients;
    private final LongSupplier nanos;
    private final LinkedHashMap<Address, Buckets> buckets;
    private final LongAdder requestsRefused = new LongAdder();
    private final LongAdder upgradesRefused = new LongAdder();
    private final AtomicBoolean warned = new AtomicBoolean();

    Rates(RateSettings settings, LongSupplier nanos) {
        this.settings = settings;
        this.clients = new Clients(settings.proxies(), settings.forwardedHeader());
        this.nanos = nanos;
        this.buckets = new LinkedHashMap<>(64, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Address, Buckets> eldest) {
                return size() > settings.clients();
            }
        };
    }

    /** HTTP requests that were refused since this node started. */
    public long requestsRefused() {
        return requestsRefused.sum();
    }

    /** WebSocket upgrades that were refused since this node started. */
    public long upgradesRefused() {
        return upgradesRefused.sum();
    }

    /** Addresses that are remembered. */
    public int clients() {
        synchronized (buckets) {
            return buckets.size();
        }
    }

    /**
     * Counts a request.
     *
     * @return zero when it is taken, else when the next one will be
     */
    Duration take(FullHttpRequest request, InetAddress peer) {
        boolean upgrade = HttpServer.isUpgrade(request);
        var rate = upgrade ? settings.upgrades() : settings.requests();
        if (rate.perSecond() == 0) {
            return Duration.ZERO;
        }
        var from = Address.of(peer);
        var client = clients.of(from, request.headers());
        if (client.isLoopback() && WATCHED.contains(Targets.path(request))) {
            // Whoever watches over this node from beside it must always get an answer.
            return Duration.ZERO;
        }
        long wait = take(client.client(), upgrade, rate);
        if (wait > 0) {
            (upgrade ? upgradesRefused : requestsRefused).increment();
            warn(request, from);
        }
        return Duration.ofNanos(wait);
    }

    /** Who asks: the peer, or whom a proxy of ours names. */
    Address client(FullHttpRequest request, InetAddress peer) {
        return clients.of(Address.of(peer), request.headers());
    }

    private long take(Address client, boolean upgrade, Rate rate) {
        synchronized (buckets) {
            var both = buckets.computeIfAbsent(client, first -> new Buckets());
            return upgrade ? both.upgrades.take(rate, nanos.getAsLong()) : both.requests.take(rate, nanos.getAsLong());
        }
    }

    /** A proxy that nobody has named looks like one client that calls too often. */
    private void warn(FullHttpRequest request, Address from) {
        if (!clients.isProxy(from)
                && request.headers().contains(settings.forwardedHeader().header())
                && warned.compareAndSet(false, true)) {
            LOG.warn("a client that calls too often forwards requests of others: if it is a proxy of yours, name its"
                    + " address in parley.gateway.trusted-proxies");
        }
    }

    private static final class Buckets {
        final Bucket requests = new Bucket();
        final Bucket upgrades = new Bucket();
    }

    /** Full at first. */
    private static final class Bucket {
        /** When it is full again; any time before: it is full. */
        private long fullAt;

        private boolean used;

        /** Nanoseconds until there is something to take; 0: it was taken. */
        long take(Rate rate, long now) {
            long each = 1_000_000_000L / rate.perSecond();
            if (!used || fullAt - now < 0) {
                fullAt = now;
                used = true;
            }
            long wait = fullAt - now - each * (rate.burst() - 1);
            if (wait > 0) {
                return wait;
            }
            fullAt += each;
            return 0;
        }
    }
}
