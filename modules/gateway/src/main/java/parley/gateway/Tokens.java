package parley.gateway;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;

/**
 * Checks, signs and refreshes callers' tokens: JWT (RFC 7519).
 *
 * <p>Each key has one algorithm, and the header of a token only says which of them is tried (RFC 8725 §3.1): HS256 with
 * the secret that the nodes share, RS256 and ES256 with the keys that somebody else publishes. Thread-safe.
 */
public final class Tokens {
    /**
     * What a token says of its bearer.
     *
     * @param roles those of viewer, operator and admin that it names; none for a caller
     * @param cohorts groups that the bearer belongs to
     */
    public record Bearer(CallerId caller, List<String> roles, Set<String> cohorts) {
        public Bearer {
            roles = List.copyOf(roles);
            cohorts = Set.copyOf(cohorts);
        }

        public Bearer(CallerId caller, List<String> roles) {
            this(caller, roles, Set.of());
        }
    }

    /** Either a bearer or the reason why not, in words that give nothing away. */
    sealed interface Checked {
        record Valid(Bearer bearer) implements Checked {}

        record Invalid(String why) implements Checked {}

        /** Somebody else's key, or the database, could not be asked. */
        record Unknown(Duration retryAfter) implements Checked {}
    }

    /** What became of a token that was to be refreshed. */
    sealed interface Refreshed {
        /** @param life from now on */
        record Issued(String token, Duration life) implements Refreshed {
            @Override
            public String toString() {
                return "Issued[" + life + "]";
            }
        }

        /** Valid, but not to be refreshed. */
        record Refused(String why) implements Refreshed {}

        record Unchecked(Checked why) implements Refreshed {}
    }

    /** What is said of one that may have been good once, or was meant for another place: nobody learns which. */
    static final String OPENS_NOTHING = "a token that opens nothing here, or does no more";

    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*");

    /** When a bearer first got a token (OpenID Connect Core §2); kept by those that follow. */
    private static final String FIRST_ISSUED = "auth_time";

    /** A token for development's own page; production takes it as any other. */
    private static final String DEVELOPMENT = "development";

    private final TokenSettings settings;
    private final boolean production;
    private final Duration developmentLife;
    private final SharedSecret secret;
    private final @Nullable PublishedKeys keys;
    private final Clock clock;
    private final List<String> algorithms;

    /** @param keys null: nobody else signs */
    Tokens(GatewaySettings settings, @Nullable PublishedKeys keys, Clock clock) {
        this.settings = settings.tokens();
        this.production = settings.production();
        this.developmentLife = settings.developmentTokenLife();
        this.secret = new SharedSecret(settings.tokens());
        this.keys = keys;
        this.clock = clock;
        this.algorithms = Stream.of(TokenSettings.HS256, TokenSettings.RS256, TokenSettings.ES256)
                .filter(this.settings.algorithms()::contains)
                .filter(algorithm -> keys != null || algorithm.equals(TokenSettings.HS256))
                .toList();
    }

    /** A token for this bearer, valid from now on, signed with the shared secret. */
    public String sign(Bearer bearer, Duration life) {
        var now = clock.instant();
        return sign(claims(bearer, now, now.plus(life)).build());
    }

    /** A token for whoever develops on this machine. */
    public String development() {
        var now = clock.instant();
        var developer = new Bearer(new CallerId("developer", "default"), List.of());
        return sign(claims(developer, now, now.plus(developmentLife))
                .claim(DEVELOPMENT, true)
                .build());
    }

    /** Completed at once, except when somebody else's keys have to be asked for first; never fails. */
    CompletionStage<Checked> check(String token) {
        SignedJWT jwt;
        try {
            jwt = SignedJWT.parse(token);
        } catch (ParseException notAToken) {
            return now(notAToken());
        }
        var header = jwt.getHeader();
        if (!algorithms.contains(header.getAlgorithm().getName())) {
            return now(new Checked.Invalid("the token is not signed with " + String.join(" or ", algorithms)));
        }
        var refusal = Claims.refusal(header, JOSEObjectType.JWT, true);
        if (refusal != null) {
            return now(new Checked.Invalid(refusal));
        }
        if (isShared(jwt) || keys == null) {
            return now(withSecret(jwt));
        }
        return keys.find(header.getKeyID(), header.getAlgorithm()).thenApply(found -> switch (found) {
            case PublishedKeys.Found.Key key -> withKey(jwt, key);
            case PublishedKeys.Found.Missing missing ->
                new Checked.Invalid("the token is signed with a key that its issuer does not publish (header kid)");
            case PublishedKeys.Found.Unreachable unreachable -> new Checked.Unknown(settings.jwksCoolDown());
        });
    }

    /** A token for the same bearer and from now on; never past the time that its first one may be refreshed for. */
    CompletionStage<Refreshed> refresh(String token) {
        return check(token).thenApply(checked -> switch (checked) {
            case Checked.Valid(var bearer) -> refresh(token, bearer);
            case Checked.Invalid invalid -> new Refreshed.Unchecked(invalid);
            case Checked.Unknown unknown -> new Refreshed.Unchecked(unknown);
        });
    }

    private Refreshed refresh(String token, Bearer bearer) {
        try {
            var jwt = SignedJWT.parse(token);
            if (!isShared(jwt)) {
                return new Refreshed.Refused("the token is from somebody else (expected: to be refreshed there)");
            }
            var claims = jwt.getJWTClaimsSet();
            var first = claims.getDateClaim(FIRST_ISSUED) == null
                    ? claims.getIssueTime()
                    : claims.getDateClaim(FIRST_ISSUED);
            if (first == null) {
                return new Refreshed.Refused("the token does not say since when it is (claim auth_time or iat)");
            }
            var now = clock.instant();
            var end = first.toInstant().plus(settings.refreshFor());
            var until = end.isBefore(now.plus(settings.life())) ? end : now.plus(settings.life());
            var life = Duration.between(now, until);
            if (life.compareTo(Duration.ofSeconds(1)) < 0) {
                return new Refreshed.Refused("the first token was issued too long ago (expected: a new one)");
            }
            return new Refreshed.Issued(
                    sign(claims(bearer, now, until)
                            // As a number of seconds, as the standard has it.
                            .claim(FIRST_ISSUED, first.toInstant().getEpochSecond())
                            .build()),
                    life);
        } catch (ParseException wrongType) {
            return new Refreshed.Refused("a claim of the token is of the wrong type");
        }
    }

    private Checked withSecret(SignedJWT jwt) {
        try {
            return secret.signed(jwt, clock.instant())
                    ? claims(jwt, true)
                    : new Checked.Invalid("the token's signature is not ours");
        } catch (JOSEException notVerifiable) {
            return notAToken();
        }
    }

    private Checked withKey(SignedJWT jwt, PublishedKeys.Found.Key key) {
        try {
            return jwt.verify(key.verifier())
                    ? claims(jwt, false)
                    : new Checked.Invalid("the token's signature is not its issuer's");
        } catch (JOSEException notVerifiable) {
            return notAToken();
        }
    }

    private Checked claims(SignedJWT jwt, boolean shared) {
        try {
            var claims = jwt.getJWTClaimsSet();
            var now = clock.instant();
            var checked = Claims.check(claims, settings, settings.audience(), now);
            boolean measured = settings.maxLife().isPositive() && !(shared && isDevelopment(claims));
            return measured && checked instanceof Checked.Valid && livesTooLong(claims, now)
                    ? new Checked.Invalid("the token was made for longer than " + settings.maxLife() + " (claim exp)")
                    : checked;
        } catch (ParseException wrongType) {
            return new Checked.Invalid("a claim of the token is of the wrong type");
        }
    }

    /** From when it says it was issued, but no later than now: nobody has a life that begins tomorrow. */
    private boolean livesTooLong(JWTClaimsSet claims, Instant now) {
        var issued = claims.getIssueTime() == null ? now : claims.getIssueTime().toInstant();
        var begins = issued.isAfter(now) ? now : issued;
        return claims.getExpirationTime().toInstant().isAfter(begins.plus(settings.maxLife()));
    }

    private boolean isDevelopment(JWTClaimsSet claims) throws ParseException {
        return !production && Boolean.TRUE.equals(claims.getBooleanClaim(DEVELOPMENT));
    }

    private static boolean isShared(SignedJWT jwt) {
        return JWSAlgorithm.HS256.equals(jwt.getHeader().getAlgorithm());
    }

    private JWTClaimsSet.Builder claims(Bearer bearer, Instant now, Instant until) {
        var claims = Claims.of(bearer, settings.issuer(), now, until);
        return settings.audience() == null ? claims : claims.audience(settings.audience());
    }

    private String sign(JWTClaimsSet claims) {
        return secret.sign(null, claims);
    }

    /** Whether it has the form of what is checked here, whatever it says. */
    static boolean looksLikeOne(String token) {
        return FORM.matcher(token).matches();
    }

    private static Checked notAToken() {
        return new Checked.Invalid("the token is no signed JSON Web Token");
    }

    private static CompletionStage<Checked> now(Checked checked) {
        return CompletableFuture.completedFuture(checked);
    }
}
