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
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The secret that the nodes share: signs with HS256 (RFC 7518 §3.2), and knows what was signed so, with the present
 * secret or with the one before it. Thread-safe.
 */
final class SharedSecret {
    private final byte[] secret;
    private final MACVerifier present;
    private final @Nullable MACVerifier previous;
    private final @Nullable Instant previousUntil;

    SharedSecret(TokenSettings settings) {
        this.secret = settings.secret().getBytes(StandardCharsets.UTF_8);
        this.present = verifier(secret);
        this.previous = settings.previousSecret() == null
                ? null
                : verifier(settings.previousSecret().getBytes(StandardCharsets.UTF_8));
        this.previousUntil = settings.previousUntil();
    }

    /** @param type of what it is; null for the usual one */
    String sign(@Nullable JOSEObjectType type, JWTClaimsSet claims) {
        try {
            var token = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.HS256).type(type).build(), claims);
            token.sign(new MACSigner(secret));
            return token.serialize();
        } catch (JOSEException impossible) {
            throw new IllegalStateException("HS256 refused its own key", impossible);
        }
    }

    /** @param jwt with a header that was looked at: this knows no other algorithm than HS256 */
    boolean signed(SignedJWT jwt, Instant now) throws JOSEException {
        return jwt.verify(present)
                || (previous != null && (previousUntil == null || now.isBefore(previousUntil)) && jwt.verify(previous));
    }

    private static MACVerifier verifier(byte[] secret) {
        try {
            return new MACVerifier(secret);
        } catch (JOSEException tooShort) {
            throw new IllegalArgumentException(
                    "JWT_SECRET: too short (expected: at least " + TokenSettings.MIN_SECRET + " characters)", tooShort);
        }
    }
}
