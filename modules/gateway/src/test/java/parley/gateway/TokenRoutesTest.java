package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static parley.gateway.TokensTest.jwt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.gateway.Tokens.Bearer;

/** L5: fifteen minutes, and refreshed. */
@Tag("stream")
class TokenRoutesTest {
    private static final String HS256 = "{'alg':'HS256'}";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void aTokenIsRefreshedForTheSameBearer() throws Exception {
        var anna = new Bearer(new CallerId("anna", "acme"), List.of("viewer"), Set.of("beta", "staff"));
        var settings = Rig.settings("jwt.issuer = us, jwt.audience = here");
        var old = Gateway.tokens(settings).sign(anna, Duration.ofMinutes(5));
        try (var line = Line.to(rig.open(settings, Rig.admission()).address())) {
            var reply = refresh(line, old);

            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.header("cache-control")).isEqualTo("no-store");
            assertThat(json(reply).get("expires_in").asInt()).isBetween(840, 900);
            var claims = claims(json(reply).get("token").asText());
            assertThat(claims.getSubject()).isEqualTo("anna");
            assertThat(claims.getStringClaim("tenant")).isEqualTo("acme");
            assertThat(claims.getStringListClaim("roles")).containsExactly("viewer");
            assertThat(claims.getStringListClaim("cohorts")).containsExactlyInAnyOrder("beta", "staff");
            assertThat(claims.getIssuer()).isEqualTo("us");
            assertThat(claims.getAudience()).containsExactly("here");
            assertThat(claims.getLongClaim("auth_time"))
                    .isEqualTo(claims(old).getIssueTime().toInstant().getEpochSecond());
            // And the new one is as good as the old one, for the same again too.
            assertThat(line.ask(
                                    "GET",
                                    "/v1/realtime",
                                    bearer(json(reply).get("token").asText()))
                            .status())
                    .isEqualTo(426);
            var next = json(refresh(line, json(reply).get("token").asText()));
            assertThat(claims(next.get("token").asText()).getLongClaim("auth_time"))
                    .isEqualTo(claims.getLongClaim("auth_time"));
        }
    }

    @Test
    void nothingIsRefreshedPastItsTime() throws Exception {
        var now = Instant.now().getEpochSecond();
        try (var line = line()) {
            var late = json(refresh(line, jwt(HS256, claims(now, now - 12 * 3600 + 300))));
            assertThat(late.get("expires_in").asInt()).isBetween(200, 300);
            assertThat(claims(late.get("token").asText())
                            .getExpirationTime()
                            .toInstant()
                            .getEpochSecond())
                    .isLessThanOrEqualTo(now + 300);

            var over = refresh(line, jwt(HS256, claims(now, now - 12 * 3600 - 1)));
            assertThat(over.status()).isEqualTo(403);
            assertThat(over.header("content-type")).isEqualTo("application/problem+json");
            assertThat(over.body()).contains("\"code\":\"not_refreshable\"", "the first token was issued too long ago");
        }
    }

    @Test
    void whatIsNotGoodIsNotRefreshed() throws IOException {
        var now = Instant.now().getEpochSecond();
        try (var line = line()) {
            assertThat(refresh(line, Rig.token("anna", Duration.ofMinutes(-5))).status())
                    .isEqualTo(401);
            assertThat(refresh(line, "x").status()).isEqualTo(401);
            assertThat(line.post("/v1/tokens/refresh", "").status()).isEqualTo(401);
            var forever = refresh(line, jwt(HS256, "{'sub':'anna','exp':" + (now + 60) + "}"));
            assertThat(forever.status()).isEqualTo(403);
            assertThat(forever.body()).contains("does not say since when it is");
            assertThat(refresh(line, jwt(HS256, "{'sub':'anna','iat':1,'auth_time':'x','exp':" + (now + 60) + "}"))
                            .status())
                    .isEqualTo(403);
        }
    }

    @Test
    void refreshingCanBeSwitchedOff() throws IOException {
        try (var line = line("jwt.refresh-for = 0s")) {
            assertThat(refresh(line, Rig.token("anna")).status()).isEqualTo(403);
        }
    }

    @Test
    void theLifeIsTheSettings() throws IOException {
        try (var line = line("jwt.life = 100s")) {
            assertThat(json(refresh(line, Rig.token("anna"))).get("expires_in").asInt())
                    .isEqualTo(100);
        }
    }

    private Line line(String... settings) throws IOException {
        return Line.to(rig.open(Rig.settings(settings), Rig.admission()).address());
    }

    private static String claims(long now, long authTime) {
        return "{'sub':'anna','iat':" + now + ",'auth_time':" + authTime + ",'exp':" + (now + 60) + "}";
    }

    private static Line.Reply refresh(Line line, String token) throws IOException {
        return line.post("/v1/tokens/refresh", "", bearer(token));
    }

    private static JsonNode json(Line.Reply reply) throws IOException {
        return JsonMapper.builder().build().readTree(reply.body());
    }

    private static JWTClaimsSet claims(String token) throws ParseException {
        return SignedJWT.parse(token).getJWTClaimsSet();
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token;
    }
}
