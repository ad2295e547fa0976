package parley.gateway;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.crypto.opts.AllowWeakRSAKey;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** An identity provider on this machine: publishes keys, and signs with them. What it publishes can be changed. */
final class Issuer implements AutoCloseable {
    static final RSAKey RSA = rsa("rsa-1", 2048);
    static final ECKey EC = ec("ec-1");

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closing = new CountDownLatch(1);
    final AtomicInteger asked = new AtomicInteger();
    private volatile int status = 200;
    private volatile String body;
    private volatile boolean silent;

    Issuer(JWK... keys) throws IOException {
        body = keys(keys);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/keys", this::answer);
        server.createContext("/elsewhere", this::answer);
        server.start();
    }

    String settings(String... more) {
        return "jwt { jwks-url = \"http://127.0.0.1:" + server.getAddress().getPort() + "/keys\"\n"
                // A slow machine is no slow issuer.
                + "jwks { timeout = 30s, cool-down = 30s, refresh-every = 1h, stale-for = 24h }\n"
                + String.join("\n", more) + "}";
    }

    void publishes(JWK... keys) {
        answers(200, keys(keys));
    }

    void answers(int newStatus, String newBody) {
        body = newBody;
        status = newStatus;
    }

    /** Accepts, and says nothing until it is closed. */
    void fallsSilent() {
        silent = true;
    }

    void speaks() {
        silent = false;
    }

    /** A token as it issues them, for a minute. */
    static String token(JWK key, JWSAlgorithm algorithm, @Nullable String kid) {
        try {
            JWSSigner signer = key instanceof RSAKey rsa
                    ? new RSASSASigner(rsa.toPrivateKey(), Set.of(AllowWeakRSAKey.getInstance()))
                    : new ECDSASigner(key.toECKey());
            var jwt = new SignedJWT(new JWSHeader.Builder(algorithm).keyID(kid).build(), claims());
            jwt.sign(signer);
            return jwt.serialize();
        } catch (JOSEException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static String token(JWK key) {
        return token(key, key instanceof RSAKey ? JWSAlgorithm.RS256 : JWSAlgorithm.ES256, key.getKeyID());
    }

    static JWTClaimsSet claims() {
        return new JWTClaimsSet.Builder()
                .subject("anna")
                .expirationTime(Date.from(Instant.now().plusSeconds(600)))
                .build();
    }

    static RSAKey rsa(String kid, int bits) {
        try {
            return new RSAKeyGenerator(bits, true).keyID(kid).generate();
        } catch (JOSEException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static ECKey ec(String kid) {
        try {
            return new ECKeyGenerator(Curve.P_256).keyID(kid).generate();
        } catch (JOSEException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static String keys(JWK... keys) {
        return new JWKSet(List.of(keys)).toString(true);
    }

    private void answer(HttpExchange exchange) throws IOException {
        asked.incrementAndGet();
        try (exchange) {
            if (silent && closing.await(60, TimeUnit.SECONDS)) {
                return;
            }
            var bytes = body.getBytes(StandardCharsets.UTF_8);
            if (status == 302) {
                exchange.getResponseHeaders().set("Location", "/elsewhere");
            }
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
