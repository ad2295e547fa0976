package parley.gateway;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jwt.JWTClaimsSet;
import java.text.ParseException;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;
import parley.gateway.Tokens.Bearer;
import parley.gateway.Tokens.Checked;

/** What a token's header and claims say, whoever signed it (RFC 7519 §4.1, RFC 8725 §3). */
final class Claims {
    private static final String DEFAULT_TENANT = "default";

    private Claims() {}

    /**
     * Why a header is not understood; null: it is.
     *
     * @param typeless whether a token may leave its type out
     */
    static @Nullable String refusal(JWSHeader header, JOSEObjectType type, boolean typeless) {
        if (header.getType() == null ? !typeless : !type.equals(header.getType())) {
            return "the token is of another type (header typ)";
        }
        if (header.getCriticalParams() != null && !header.getCriticalParams().isEmpty()) {
            return "the token demands what is not understood here (header crit)";
        }
        return null;
    }

    /** @param audience null: whoever it is for */
    static Checked check(JWTClaimsSet claims, TokenSettings settings, @Nullable String audience, Instant now)
            throws ParseException {
        var skew = settings.clockSkew();
        if (claims.getSubject() == null || claims.getSubject().isEmpty()) {
            return new Checked.Invalid("the token names no user (claim sub)");
        }
        if (claims.getExpirationTime() == null) {
            return new Checked.Invalid("the token never expires (claim exp)");
        }
        if (now.isAfter(claims.getExpirationTime().toInstant().plus(skew))) {
            return new Checked.Invalid("the token has expired");
        }
        if (claims.getNotBeforeTime() != null
                && claims.getNotBeforeTime().toInstant().minus(skew).isAfter(now)) {
            return new Checked.Invalid("the token is not valid yet");
        }
        if (settings.issuer() != null && !settings.issuer().equals(claims.getIssuer())) {
            return new Checked.Invalid("the token is from another issuer");
        }
        if (audience != null && !claims.getAudience().contains(audience)) {
            return new Checked.Invalid("the token is for another audience");
        }
        var tenant = claims.getStringClaim("tenant");
        return new Checked.Valid(new Bearer(
                new CallerId(claims.getSubject(), tenant == null || tenant.isEmpty() ? DEFAULT_TENANT : tenant),
                texts(claims, "roles").stream().filter(Role::isOne).toList(),
                java.util.Set.copyOf(texts(claims, "cohorts"))));
    }

    /** The claims of a token for this bearer, valid from now on. */
    static JWTClaimsSet.Builder of(Bearer bearer, @Nullable String issuer, Instant now, Instant until) {
        var claims = new JWTClaimsSet.Builder()
                .subject(bearer.caller().user())
                .claim("tenant", bearer.caller().tenant())
                .claim("roles", bearer.roles())
                .issueTime(Date.from(now))
                .notBeforeTime(Date.from(now))
                .expirationTime(Date.from(until));
        if (!bearer.cohorts().isEmpty()) {
            claims.claim("cohorts", List.copyOf(bearer.cohorts()));
        }
        if (issuer != null) {
            claims.issuer(issuer);
        }
        return claims;
    }

    private static List<String> texts(JWTClaimsSet claims, String name) throws ParseException {
        var texts = claims.getStringListClaim(name);
        if (texts == null) {
            return List.of();
        }
        if (texts.stream().anyMatch(Objects::isNull)) {
            throw new ParseException(name, 0);
        }
        return texts;
    }
}
