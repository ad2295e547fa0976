package parley.gateway;

import com.typesafe.config.Config;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code parley.gateway.jwt} in reference.conf, where each key is explained. {@link GatewaySettings} checks it together
 * with everything else.
 *
 * @param previousSecret checked, never signed with; null: none
 * @param previousUntil when the previous secret ends; null: while it is set
 * @param algorithms of callers' tokens
 * @param jwksUrl null: nobody else signs
 * @param maxLife zero: unlimited
 * @param refreshFor zero: never
 */
public record TokenSettings(
        String secret,
        @Nullable String previousSecret,
        @Nullable Instant previousUntil,
        @Nullable String issuer,
        @Nullable String audience,
        Duration clockSkew,
        Set<String> algorithms,
        @Nullable URI jwksUrl,
        Duration jwksRefreshEvery,
        Duration jwksCoolDown,
        Duration jwksStaleFor,
        Duration jwksTimeout,
        int jwksMaxBytes,
        Duration maxLife,
        Duration life,
        Duration refreshFor,
        Duration ticketLife) {
    /** HS256 wants a key at least as long as its hash (RFC 7518 §3.2). */
    static final int MIN_SECRET = 32;

    static final String HS256 = "HS256";
    static final String RS256 = "RS256";
    static final String ES256 = "ES256";

    /** A token outlives its expiry by this at most. */
    private static final Duration MAX_SKEW = Duration.ofMinutes(1);

    private static final Duration MAX_TICKET = Duration.ofMinutes(1);
    private static final int MAX_JWKS = 16 * 1024 * 1024;
    private static final Set<String> KNOWN = Set.of(HS256, RS256, ES256);

    public TokenSettings {
        algorithms = Set.copyOf(algorithms);
    }

    static TokenSettings from(Config jwt) {
        return new TokenSettings(
                jwt.getString("secret"),
                orNull(jwt.getString("previous-secret")),
                instant(jwt.getString("previous-until")),
                orNull(jwt.getString("issuer")),
                orNull(jwt.getString("audience")),
                jwt.getDuration("clock-skew"),
                Set.copyOf(GatewaySettings.list(jwt.getString("algorithms"))),
                url(jwt.getString("jwks-url")),
                jwt.getDuration("jwks.refresh-every"),
                jwt.getDuration("jwks.cool-down"),
                jwt.getDuration("jwks.stale-for"),
                jwt.getDuration("jwks.timeout"),
                Math.toIntExact(Math.min(Integer.MAX_VALUE, jwt.getBytes("jwks.max-size"))),
                jwt.getDuration("max-life"),
                jwt.getDuration("life"),
                jwt.getDuration("refresh-for"),
                jwt.getDuration("ticket-life"));
    }

    /** What is wrong with it, in the words of its keys. */
    List<String> complaints(boolean production) {
        var wrong = new ArrayList<String>();
        secret("jwt.secret", secret, production, wrong);
        if (previousSecret != null) {
            secret("jwt.previous-secret", previousSecret, production, wrong);
        }
        if (clockSkew.isNegative() || clockSkew.compareTo(MAX_SKEW) > 0) {
            wrong.add("jwt.clock-skew: " + clockSkew + " (expected: 0 to " + MAX_SKEW.toSeconds() + " seconds)");
        }
        if (algorithms.isEmpty() || !KNOWN.containsAll(algorithms)) {
            wrong.add("jwt.algorithms: "
                    + String.join(",", algorithms.stream().sorted().toList())
                    + " (expected: some of HS256, RS256 and ES256, separated by commas)");
        } else if (jwksUrl == null && !algorithms.contains(HS256)) {
            wrong.add("jwt.algorithms: HS256 is left out, and jwks-url is not set (expected: one of the two)");
        }
        if (jwksUrl != null && !mayBeAsked(jwksUrl, production)) {
            wrong.add("jwt.jwks-url: " + jwksUrl + " (expected: https"
                    + (production ? "" : ", or http to this machine, 127.0.0.1") + ", without user and fragment)");
        }
        positive("jwt.jwks.refresh-every", jwksRefreshEvery, wrong);
        positive("jwt.jwks.cool-down", jwksCoolDown, wrong);
        positive("jwt.jwks.timeout", jwksTimeout, wrong);
        if (jwksStaleFor.compareTo(jwksRefreshEvery) < 0) {
            wrong.add("jwt.jwks.stale-for: " + jwksStaleFor + " (expected: at least jwks.refresh-every, "
                    + jwksRefreshEvery + ")");
        }
        if (jwksMaxBytes < 1 || jwksMaxBytes > MAX_JWKS) {
            wrong.add("jwt.jwks.max-size: " + jwksMaxBytes + " (expected: 1 to " + MAX_JWKS + " bytes)");
        }
        if (maxLife.isNegative()) {
            wrong.add("jwt.max-life: " + maxLife + " (expected: 0 or more)");
        }
        if (life.compareTo(Duration.ofSeconds(1)) < 0) {
            wrong.add("jwt.life: " + life + " (expected: at least 1 second)");
        }
        if (maxLife.isPositive() && life.compareTo(maxLife) > 0) {
            wrong.add("jwt.life: " + life + " (expected: at most jwt.max-life, " + maxLife + ")");
        }
        if (refreshFor.isNegative()) {
            wrong.add("jwt.refresh-for: " + refreshFor + " (expected: 0 or more)");
        }
        if (ticketLife.compareTo(Duration.ofSeconds(1)) < 0 || ticketLife.compareTo(MAX_TICKET) > 0) {
            wrong.add("jwt.ticket-life: " + ticketLife + " (expected: 1 to " + MAX_TICKET.toSeconds() + " seconds)");
        }
        return wrong;
    }

    /** Secrets stay out of everything that is printed. */
    @Override
    public String toString() {
        return "TokenSettings[" + String.join(",", algorithms) + "]";
    }

    static void secret(String key, String secret, boolean production, List<String> wrong) {
        if (secret.length() < MIN_SECRET) {
            wrong.add(key + ": " + (secret.isEmpty() ? "not set" : secret.length() + " characters")
                    + " (expected: at least " + MIN_SECRET + (secret.isEmpty() ? " characters)" : ")"));
        } else if (production && secret.startsWith(GatewaySettings.DEVELOPMENT)) {
            wrong.add(key + ": one that was made for development (expected: one of production's own)");
        }
    }

    private static void positive(String key, Duration value, List<String> wrong) {
        if (!value.isPositive()) {
            wrong.add(key + ": " + value + " (expected: > 0)");
        }
    }

    private static boolean mayBeAsked(URI url, boolean production) {
        return url.getHost() != null
                && url.getRawUserInfo() == null
                && url.getRawFragment() == null
                && ("https".equals(url.getScheme())
                        || (!production && "http".equals(url.getScheme()) && isThisMachine(url.getHost())));
    }

    /** By number, or the one name nobody else may claim: no name is looked up. */
    private static boolean isThisMachine(String host) {
        if (host.equals("localhost")) {
            return true;
        }
        if (!host.matches("127\\.[0-9.]+|\\[[0-9a-f:]+]")) {
            return false;
        }
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException none) {
            return false;
        }
    }

    private static @Nullable URI url(String text) {
        try {
            return text.isEmpty() ? null : URI.create(text);
        } catch (IllegalArgumentException malformed) {
            throw new IllegalArgumentException("parley.gateway: jwt.jwks-url: malformed (expected: a URL)", malformed);
        }
    }

    private static @Nullable Instant instant(String text) {
        try {
            return text.isEmpty() ? null : Instant.parse(text);
        } catch (DateTimeException malformed) {
            throw new IllegalArgumentException(
                    "parley.gateway: jwt.previous-until: " + text + " (expected: as in 2026-12-01T00:00:00Z)",
                    malformed);
        }
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
