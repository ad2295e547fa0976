package parley.gateway;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.security.SecureRandom;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.gateway.Tokens.Bearer;
import parley.gateway.Tokens.Checked;
import parley.session.UsedOnce;

/**
 * Issues and takes tickets: what a browser, which can send no header with a WebSocket, shows in its address instead of a
 * token. An address is kept in many places, so a ticket is good for a minute at most, once in the whole cluster, and for
 * pages of the origin that fetched it.
 *
 * <p>A ticket is a JWT signed with the shared secret, of another type and for another audience than a token (RFC 8725
 * §3.11, §3.12): neither passes for the other. Thread-safe.
 */
final class Tickets {
    private static final Logger LOG = LoggerFactory.getLogger(Tickets.class);
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final JOSEObjectType TYPE = new JOSEObjectType("ticket+jwt");
    private static final String AUDIENCE = "urn:parley:ticket";
    private static final String ORIGIN = "origin";
    private static final Duration ASK_AGAIN = Duration.ofSeconds(2);

    private final TokenSettings settings;
    private final SharedSecret secret;
    private final UsedOnce used;
    private final Clock clock;

    Tickets(TokenSettings settings, UsedOnce used, Clock clock) {
        this.settings = settings;
        this.secret = new SharedSecret(settings);
        this.used = used;
        this.clock = clock;
    }

    Duration life() {
        return settings.ticketLife();
    }

    /** @param origin of the page that asks; null: it is none, and the ticket is good with any */
    String issue(Bearer bearer, @Nullable String origin) {
        var now = clock.instant();
        var id = new byte[18];
        RANDOM.nextBytes(id);
        var claims = Claims.of(bearer, settings.issuer(), now, now.plus(settings.ticketLife()))
                .audience(AUDIENCE)
                .jwtID(Base64.getUrlEncoder().withoutPadding().encodeToString(id));
        return secret.sign(TYPE, (origin == null ? claims : claims.claim(ORIGIN, origin)).build());
    }

    /**
     * Who shows a ticket. It is used up by this, unless something is wrong with it. Never fails.
     *
     * @param origins of the upgrade, as they came
     */
    CompletionStage<Checked> use(String ticket, List<String> origins) {
        try {
            var jwt = SignedJWT.parse(ticket);
            var header = jwt.getHeader();
            var refusal = JWSAlgorithm.HS256.equals(header.getAlgorithm())
                    ? Claims.refusal(header, TYPE, false)
                    : "the ticket is not signed with HS256";
            if (refusal != null) {
                return now(new Checked.Invalid(refusal.replace("the token", "the ticket")));
            }
            if (!secret.signed(jwt, clock.instant())) {
                return now(new Checked.Invalid("the ticket's signature is not ours"));
            }
            return use(jwt.getJWTClaimsSet(), origins);
        } catch (ParseException | JOSEException notATicket) {
            return now(new Checked.Invalid("not a ticket"));
        }
    }

    private CompletionStage<Checked> use(JWTClaimsSet claims, List<String> origins) throws ParseException {
        var checked = Claims.check(claims, settings, AUDIENCE, clock.instant());
        if (checked instanceof Checked.Invalid(var why)) {
            return now(new Checked.Invalid(why.replace("the token", "the ticket")));
        }
        var origin = claims.getStringClaim(ORIGIN);
        if (origin != null && !origins.equals(List.of(origin))) {
            return now(new Checked.Invalid("the ticket was given to a page of another origin"));
        }
        if (claims.getJWTID() == null) {
            return now(new Checked.Invalid("the ticket has no name (claim jti)"));
        }
        var until = claims.getExpirationTime().toInstant().plus(settings.clockSkew());
        return used.use("ticket:" + claims.getJWTID(), until).handle((first, failed) -> {
            if (failed != null) {
                LOG.warn(
                        "whether a ticket was used cannot be known: {}",
                        failed.getClass().getSimpleName());
                return new Checked.Unknown(ASK_AGAIN);
            }
            return first ? checked : new Checked.Invalid("the ticket was used already (expected: a new one)");
        });
    }

    private static CompletionStage<Checked> now(Checked checked) {
        return CompletableFuture.completedFuture(checked);
    }
}
