package parley.gateway;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyOperation;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys with which somebody else signs callers' tokens, as they are published (a JWK Set, RFC 7517).
 *
 * <p>Fetched at the start and every {@code refresh-every}, in the background. A token whose key is not among them makes
 * one more fetch, for all who ask meanwhile, and none within {@code cool-down} of the last: a new key is found, and
 * whoever sends names of keys that do not exist causes no more traffic than that. While the keys cannot be fetched those
 * of the last time are good for {@code stale-for}. Nothing here blocks; an answer takes {@code timeout} at most, and is
 * no larger than {@code max-size}.
 *
 * <p>A key has one algorithm: an RSA key of 2048 bits or more RS256, an EC key on P-256 ES256 (RFC 7518 §3). Other keys,
 * and those published for another algorithm or use, are none. Thread-safe.
 */
final class PublishedKeys implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PublishedKeys.class);
    private static final int MIN_RSA_BITS = 2048;

    /** What became of a question for a key. */
    sealed interface Found {
        /** @param id null: it has none */
        record Key(@Nullable String id, JWSAlgorithm algorithm, JWSVerifier verifier) implements Found {}

        record Missing() implements Found {}

        /** The key is not known, and it cannot be found out whether it is published. */
        record Unreachable() implements Found {}
    }

    private record Keys(List<Found.Key> keys, long fetched) {
        /** Without a name, the only one of its algorithm is meant. */
        Found find(@Nullable String id, JWSAlgorithm algorithm) {
            var fitting = keys.stream()
                    .filter(key -> key.algorithm().equals(algorithm) && (id == null || id.equals(key.id())))
                    .toList();
            return fitting.size() == 1 || (id != null && !fitting.isEmpty()) ? fitting.getFirst() : new Found.Missing();
        }
    }

    private final URI url;
    private final TokenSettings settings;
    private final HttpClient client;
    private volatile @Nullable Keys keys;
    private volatile boolean failing;
    private volatile boolean closed;
    // Guarded by this.
    private @Nullable CompletableFuture<Void> flight;
    private @Nullable Long landed;
    private long landings;

    private PublishedKeys(URI url, TokenSettings settings) {
        this.url = url;
        this.settings = settings;
        this.client = HttpClient.newBuilder()
                .connectTimeout(settings.jwksTimeout())
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    /** Begins to fetch them; null when the settings name no place. */
    static @Nullable PublishedKeys start(TokenSettings settings) {
        var url = settings.jwksUrl();
        if (url == null) {
            return null;
        }
        var keys = new PublishedKeys(url, settings);
        keys.fetch();
        return keys;
    }

    /** Completed at once when the key is known; never fails. */
    CompletionStage<Found> find(@Nullable String id, JWSAlgorithm algorithm) {
        var found = known(id, algorithm);
        return found instanceof Found.Key
                ? CompletableFuture.completedFuture(found)
                : fetch().thenApply(done -> known(id, algorithm));
    }

    /** Fetches no more. */
    @Override
    public void close() {
        closed = true;
        client.shutdownNow();
    }

    private Found known(@Nullable String id, JWSAlgorithm algorithm) {
        var present = keys;
        if (present == null || isOver(present.fetched(), settings.jwksStaleFor())) {
            return new Found.Unreachable();
        }
        var found = present.find(id, algorithm);
        // Among the last keys it is not, but perhaps among those that cannot be had.
        return found instanceof Found.Missing && failing ? new Found.Unreachable() : found;
    }

    /** Joins the fetch under way, or begins one unless the last was just now; then there is nothing to wait for. */
    private synchronized CompletionStage<Void> fetch() {
        if (flight != null) {
            return flight;
        }
        if (closed || (landed != null && !isOver(landed, settings.jwksCoolDown()))) {
            return CompletableFuture.completedFuture(null);
        }
        var done = new CompletableFuture<Void>();
        flight = done;
        ask().whenComplete((fetched, failed) -> {
            land(fetched, failed);
            done.complete(null);
        });
        return done;
    }

    private CompletableFuture<Keys> ask() {
        var request = HttpRequest.newBuilder(url)
                .header("Accept", "application/jwk-set+json, application/json")
                .timeout(settings.jwksTimeout())
                .build();
        var exchange = client.sendAsync(request, head -> new Bounded(settings.jwksMaxBytes()));
        return exchange.copy()
                // The client's own timeout ends with the headers.
                .orTimeout(settings.jwksTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((answer, failed) -> {
                    if (failed != null) {
                        exchange.cancel(true);
                    }
                })
                .thenApply(PublishedKeys::read);
    }

    private void land(@Nullable Keys fetched, @Nullable Throwable failed) {
        long mine;
        synchronized (this) {
            if (fetched != null) {
                keys = fetched;
            }
            tell(failed);
            flight = null;
            landed = System.nanoTime();
            mine = ++landings;
        }
        // What failed is tried again as soon as it may be, and a little later, since it may not be sooner.
        var pause = fetched != null
                ? settings.jwksRefreshEvery()
                : settings.jwksCoolDown().plusMillis(10);
        CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> fetchUnlessSince(mine));
    }

    /** Once when it begins to fail, and once when it does no more. */
    private void tell(@Nullable Throwable failed) {
        if (failing == (failed != null) || closed) {
            return;
        }
        failing = failed != null;
        if (failed == null) {
            LOG.info("the keys at {} are to be had again", url.getHost());
        } else {
            var cause = failed instanceof CompletionException && failed.getCause() != null ? failed.getCause() : failed;
            LOG.warn("the keys at {} cannot be fetched: {}", url.getHost(), String.valueOf(cause));
        }
    }

    private synchronized void fetchUnlessSince(long landing) {
        if (landing == landings) {
            fetch();
        }
    }

    private static Keys read(HttpResponse<byte[]> answer) {
        if (answer.statusCode() != 200) {
            throw new CompletionException(new IOException("status " + answer.statusCode() + " (expected: 200)"));
        }
        try {
            var json = JSONObjectUtils.parse(new String(answer.body(), StandardCharsets.UTF_8));
            var published = JSONObjectUtils.getJSONObjectArray(json, "keys");
            if (published == null) {
                throw new ParseException("no keys", 0);
            }
            var keys = new ArrayList<Found.Key>();
            for (var key : published) {
                usable(key, keys);
            }
            if (keys.isEmpty()) {
                LOG.warn("of {} published keys none can be used", published.length);
            }
            return new Keys(List.copyOf(keys), System.nanoTime());
        } catch (ParseException malformed) {
            throw new CompletionException(new IOException("not a JWK Set"));
        }
    }

    /** One that cannot be read is left out; the others are good all the same. */
    private static void usable(Map<String, Object> published, List<Found.Key> keys) {
        try {
            var key = JWK.parse(published);
            if ((key.getKeyUse() != null && !KeyUse.SIGNATURE.equals(key.getKeyUse()))
                    || (key.getKeyOperations() != null
                            && !key.getKeyOperations().contains(KeyOperation.VERIFY))) {
                return;
            }
            if (key instanceof RSAKey rsa && rsa.size() >= MIN_RSA_BITS && isFor(JWSAlgorithm.RS256, rsa)) {
                keys.add(new Found.Key(rsa.getKeyID(), JWSAlgorithm.RS256, new RSASSAVerifier(rsa.toRSAPublicKey())));
            }
            if (key instanceof ECKey ec && Curve.P_256.equals(ec.getCurve()) && isFor(JWSAlgorithm.ES256, ec)) {
                keys.add(new Found.Key(ec.getKeyID(), JWSAlgorithm.ES256, new ECDSAVerifier(ec.toECPublicKey())));
            }
        } catch (ParseException | JOSEException | RuntimeException unreadable) {
            LOG.debug(
                    "a published key cannot be read: {}", unreadable.getClass().getSimpleName());
        }
    }

    private static boolean isFor(JWSAlgorithm algorithm, JWK key) {
        return key.getAlgorithm() == null || algorithm.equals(key.getAlgorithm());
    }

    private static boolean isOver(long since, Duration time) {
        return System.nanoTime() - since > time.toNanos();
    }

    /** A whole body of so many bytes at most; with more it fails, and the rest is not read. */
    private static final class Bounded implements HttpResponse.BodySubscriber<byte[]> {
        private final int limit;
        private final CompletableFuture<byte[]> body = new CompletableFuture<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private Flow.@Nullable Subscription subscription;

        Bounded(int limit) {
            this.limit = limit;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return body;
        }

        @Override
        public void onSubscribe(Flow.Subscription begun) {
            subscription = begun;
            begun.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            for (var buffer : buffers) {
                if (bytes.size() + buffer.remaining() > limit) {
                    if (subscription != null) {
                        subscription.cancel();
                    }
                    body.completeExceptionally(new IOException("too large (expected: at most " + limit + " bytes)"));
                    return;
                }
                var chunk = new byte[buffer.remaining()];
                buffer.get(chunk);
                bytes.writeBytes(chunk);
            }
        }

        @Override
        public void onError(Throwable failure) {
            body.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            body.complete(bytes.toByteArray());
        }
    }
}
