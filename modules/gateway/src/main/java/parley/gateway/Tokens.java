package parley.gateway;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;

/**
 * Checks and signs callers' tokens: JWT (RFC 7519) with HS256 and nothing else, whatever the token's header claims (RFC
 * 8725 §3.1). Thread-safe.
 */
public final class Tokens {
    /** What a token says of its bearer. */
    public record Bearer(CallerId caller, List<String> roles) {
        public Bearer {
            roles = List.copyOf(roles);
        }
    }

    /** Either a bearer or the reason why not, in words that give nothing away. */
    sealed interface Checked {
        record Valid(Bearer bearer) implements Checked {}

        record Invalid(String why) implements Checked {}
    }

    private static final String DEFAULT_TENANT = "default";

    private final byte[] secret;
    private final @Nullable String issuer;
    private final @Nullable String audience;
    private final Duration skew;
    private final Clock clock;
    private final MACVerifier verifier;

    public Tokens(String secret, @Nullable String issuer, @Nullable String audience, Duration skew, Clock clock) {
        this.secret = secret.getBytes(StandardCharsets.UTF_8);
        this.issuer = issuer;
        this.audience = audience;
        this.skew = skew;
        this.clock = clock;
        try {
            this.verifier = new MACVerifier(this.secret);
        } catch (JOSEException tooShort) {
            throw new IllegalArgumentException(
                    "JWT_SECRET: too short (expected: at least " + GatewaySettings.MIN_SECRET + " characters)",
                    tooShort);
        }
    }

    /** A token for this bearer, valid from now on. */
    public String sign(Bearer bearer, Duration life) {
        var now = clock.instant();
        var claims = new JWTClaimsSet.Builder()
                .subject(bearer.caller().user())
                .claim("tenant", bearer.caller().tenant())
                .claim("roles", bearer.roles())
                .issueTime(Date.from(now))
                .notBeforeTime(Date.from(now))
                .expirationTime(Date.from(now.plus(life)));
        if (issuer != null) {
            claims.issuer(issuer);
        }
        if (audience != null) {
            claims.audience(audience);
        }
        try {
            var token = new SignedJWT(new JWSHeader(JWSAlgorithm.HS256), claims.build());
            token.sign(new MACSigner(secret));
            return token.serialize();
        } catch (JOSEException impossible) {
            throw new IllegalStateException("HS256 refused its own key", impossible);
        }
    }

    Checked check(String token) {
        SignedJWT jwt;
        try {
            jwt = SignedJWT.parse(token);
            var header = jwt.getHeader();
            if (!JWSAlgorithm.HS256.equals(header.getAlgorithm())) {
                return new Checked.Invalid("the token is not signed with HS256");
            }
            if (header.getType() != null && !JOSEObjectType.JWT.equals(header.getType())) {
                return new Checked.Invalid("the token is of another type (header typ)");
            }
            if (header.getCriticalParams() != null
                    && !header.getCriticalParams().isEmpty()) {
                return new Checked.Invalid("the token demands what is not understood here (header crit)");
            }
            if (!jwt.verify(verifier)) {
                return new Checked.Invalid("the token's signature is not ours");
            }
        } catch (ParseException | JOSEException notAToken) {
            return new Checked.Invalid("not a JSON Web Token");
        }
        try {
            return claims(jwt.getJWTClaimsSet());
        } catch (ParseException wrongType) {
            return new Checked.Invalid("a claim of the token is of the wrong type");
        }
    }

    private Checked claims(JWTClaimsSet claims) throws ParseException {
        var now = clock.instant();
        if (claims.getSubject() == null || claims.getSubject().isEmpty()) {
            return new Checked.Invalid("the token names no user (claim sub)");
        }
        if (claims.getExpirationTime() == null) {
            return new Checked.Invalid("the token never expires (claim exp)");
        }
        if (isAfter(now, claims.getExpirationTime().toInstant().plus(skew))) {
            return new Checked.Invalid("the token has expired");
        }
        if (claims.getNotBeforeTime() != null
                && isAfter(claims.getNotBeforeTime().toInstant().minus(skew), now)) {
            return new Checked.Invalid("the token is not valid yet");
        }
        if (issuer != null && !issuer.equals(claims.getIssuer())) {
            return new Checked.Invalid("the token is from another issuer");
        }
        if (audience != null && !claims.getAudience().contains(audience)) {
            return new Checked.Invalid("the token is for another audience");
        }
        var tenant = claims.getStringClaim("tenant");
        var roles = claims.getStringListClaim("roles");
        if (roles != null && roles.stream().anyMatch(Objects::isNull)) {
            throw new ParseException("roles", 0);
        }
        return new Checked.Valid(new Bearer(
                new CallerId(claims.getSubject(), tenant == null || tenant.isEmpty() ? DEFAULT_TENANT : tenant),
                roles == null ? List.of() : roles));
    }

    private static boolean isAfter(Instant one, Instant other) {
        return one.isAfter(other);
    }
}
