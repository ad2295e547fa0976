package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static parley.gateway.TokensTest.jwt;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.session.Face;
import parley.session.Sessions;
import parley.wire.WireSettings;

/**
 * R20: what is tried against a port that everybody can reach, and what comes of it.
 *
 * <p>Elsewhere: a public key as a secret ({@link PublishedKeysTest}), tickets ({@link TicketsTest}), roles ({@link
 * OperatorsTest}), a shared token that was replaced ({@link SharedTokenTest}).
 */
@Tag("stream")
class AttackTest {
    private static final String HS256 = "{'alg':'HS256','typ':'JWT'}";
    private static final String KEY = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.";

    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    /** RFC 8725: each on every door that takes a token. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'alg':'none'}|{'sub':'anna','iss':'us','aud':'here','exp':LATER}|no signed JSON Web Token",
                "{'alg':'HS512'}|{'sub':'anna','iss':'us','aud':'here','exp':LATER}|not signed with HS256",
                "{'alg':'RS256'}|{'sub':'anna','iss':'us','aud':'here','exp':LATER}|not signed with HS256",
                "HS256|{'sub':'anna','iss':'us','aud':'here','exp':EARLIER}|the token has expired",
                "HS256|{'sub':'anna','iss':'us','aud':'here','exp':LATER,'nbf':LATER}|the token is not valid yet",
                "HS256|{'sub':'anna','iss':'us','aud':'there','exp':LATER}|the token is for another audience",
                "HS256|{'sub':'anna','iss':'us','exp':LATER}|the token is for another audience",
                "HS256|{'sub':'anna','iss':'them','aud':'here','exp':LATER}|the token is from another issuer",
                "HS256|{'sub':'anna','aud':'here','exp':LATER}|the token is from another issuer",
                "HS256|{'sub':'anna','iss':'us','aud':'here'}|the token never expires",
                "{'alg':'HS256','crit':['x'],'x':1}|{'sub':'anna','iss':'us','aud':'here','exp':LATER}|the token demands",
                "{'alg':'HS256','typ':'ticket+jwt'}|{'sub':'anna','iss':'us','aud':'here','exp':LATER}|of another type",
            })
    void aTokenThatIsNotGoodOpensNoDoor(String header, String claims, String why) throws IOException {
        var token = jwt(
                header.equals("HS256") ? HS256 : header,
                claims.replace("LATER", "" + Instant.now().plusSeconds(300).getEpochSecond())
                        .replace("EARLIER", "" + Instant.now().minusSeconds(300).getEpochSecond()));
        var session = "/v1/sessions/" + FakeSessions.id(7);
        rig.sessions.opened().put(FakeSessions.id(7), FakeSessions.opening("anna", Face.VOICE));
        try (var line = line("jwt.issuer = us, jwt.audience = here")) {
            for (var reply : List.of(
                    line.post("/v1/sessions", "{}", bearer(token)),
                    line.ask("GET", session, bearer(token)),
                    line.ask("GET", session + "/transcript", bearer(token)),
                    line.ask("DELETE", session, bearer(token)),
                    line.post("/v1/tickets", "", bearer(token)),
                    line.post("/v1/tokens/refresh", "", bearer(token)),
                    line.ask("GET", "/v1/realtime", bearer(token)),
                    line.upgrade("/v1/realtime", bearer(token)),
                    line.upgrade("/v1/realtime", KEY + token),
                    line.upgrade("/api/v1/interviews/i/realtime/connect?token=" + token),
                    line.upgrade("/api/v1/interviews/i/realtime/connect", bearer(token)),
                    line.ask("GET", "/api/v1/interviews/i/realtime/connect?token=" + token),
                    line.upgrade("/v1/ws/voice", bearer(token)))) {
                assertThat(reply.status()).isEqualTo(401);
                assertThat(reply.header("content-type")).isEqualTo("application/problem+json");
                assertThat(reply.body()).contains(why).doesNotContain(token);
            }
            line.upgrade("/v1/ws/voice", KEY + token);
            assertThat(line.hear().text()).contains(why);
            assertThat(line.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
        }
        assertThat(rig.sessions.joins()).isEmpty();
    }

    @Test
    void aSessionOfAnotherTenantLooksLikeNone() throws IOException {
        rig.sessions
                .opened()
                .put(
                        FakeSessions.id(7),
                        new Sessions.Opening(new CallerId("anna", "acme"), Face.VOICE, Arm.VOICE, null, null, null));
        var session = "/v1/sessions/" + FakeSessions.id(7);
        var join = "?session_id=" + FakeSessions.id(7) + "&resume_token=t";
        // The same user's name, and everything else.
        var token = Rig.token("anna");
        var gateway = rig.open(Rig.settings(), Rig.admission());
        try (var line = Line.to(gateway.address())) {
            for (var reply : List.of(
                    line.ask("GET", session, bearer(token)),
                    line.ask("GET", session + "/transcript", bearer(token)),
                    line.ask("DELETE", session, bearer(token)))) {
                assertThat(reply.status()).isEqualTo(404);
                assertThat(reply.body())
                        .contains("\"code\":\"unknown_session\"")
                        .doesNotContain("acme");
            }
        }
        for (var face : List.of("/v1/realtime", "/v1/ws/voice")) {
            try (var line = Line.to(gateway.address())) {
                line.upgrade(face + join, bearer(token));
                assertThat(line.hear().text())
                        .contains("\"code\":\"unknown_session\"")
                        .doesNotContain("acme");
                assertThat(line.hear()).isEqualTo(new Line.Heard(4404, "unknown_session"));
            }
        }
    }

    @Test
    void aSiteThatNobodyNamedMayNeitherCallNorFetchATicket() throws IOException {
        try (var line = line()) {
            for (var origin : List.of("https://evil.example", "null", "http://127.0.0.1:1", "https://" + line.host())) {
                var header = "Origin: " + origin;
                // Over plain HTTP the own page may be one behind a proxy that speaks TLS.
                int expected = origin.equals("https://" + line.host()) ? 200 : 403;
                assertThat(line.post("/v1/tickets", "", bearer(Rig.token("anna")), header)
                                .status())
                        .as(origin)
                        .isEqualTo(expected);
            }
            assertThat(line.upgrade("/v1/ws/voice", KEY + Rig.token("anna"), "Origin: https://evil.example")
                            .status())
                    .isEqualTo(403);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/ws/voice"})
    void aHeadThatIsTooLargeIsNoUpgrade(String face) throws IOException {
        for (var padding : List.of("X: " + "x".repeat(20_000), "X-1: y\r\n".repeat(3_000) + "X: y")) {
            try (var line = line()) {
                assertThat(line.upgrade(face, padding, bearer(Rig.token("anna")))
                                .status())
                        .isBetween(400, 499);
            } catch (IOException cutOff) {
                // What was not read any more may come back as a reset.
                assertThat(rig.sessions.joins()).isEmpty();
            }
        }
        try (var line = line()) {
            assertThat(line.upgrade(face + "?ticket=" + "x".repeat(10_000)).status())
                    .isBetween(400, 499);
        }
        assertThat(rig.sessions.joins()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/sessions", "/v1/tickets", "/v1/tokens/refresh"})
    void aBodyThatIsTooLargeIsRefusedBeforeItIsRead(String path) throws IOException {
        try (var line = line()) {
            line.write("POST " + path + " HTTP/1.1\r\nHost: " + line.host() + "\r\n" + bearer(Rig.token("anna"))
                    + "\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");

            assertThat(line.reply(false).status()).isEqualTo(413);
        }
    }

    @Test
    void anUpgradeThatComesByteByByteIsClosed() throws IOException {
        var wire = WireSettings.from(
                ConfigFactory.parseString("parley.wire.request-timeout = 2s").withFallback(ConfigFactory.load()));
        var gateway = rig.open(Rig.settings(), Rig.admission(), wire);
        try (var slow = Line.to(gateway.address())) {
            int sent = 0;
            try {
                slow.write("GET /v1/realtime HTTP/1.1\r\nHost: " + slow.host() + "\r\nX: ");
                for (; sent < 1000; sent++) {
                    slow.write("x");
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(60));
                }
            } catch (IOException closed) {
                assertThat(sent).isPositive();
            }

            assertThat(sent).as("bytes in a minute").isLessThan(1000);
        }
        try (var line = Line.to(gateway.address())) {
            assertThat(line.ask("GET", "/health").status()).isEqualTo(200);
        }
    }

    private Line line(String... settings) throws IOException {
        return Line.to(rig.open(Rig.settings(settings), Rig.admission()).address());
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token;
    }
}
