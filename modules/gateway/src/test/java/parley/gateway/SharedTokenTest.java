package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.admission.CallerId;
import parley.session.Face;

/** F5, L6: {@code /ws}, who is let in by the token that its callers share, and what becomes of them when it is rotated. */
@Tag("stream")
class SharedTokenTest {
    private static final String FIRST = "the-first-shared-token-0123456789ab";
    private static final String ADMIN = "the-admin-of-these-tests-0123456789";
    private static final String KEY = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.";

    private final Rig rig = new Rig();
    private final Gateway gateway = open();

    @AfterEach
    void close() {
        rig.close();
    }

    private Gateway open() {
        return rig.open(Rig.settings("ws.token = \"" + FIRST + "\", api-token = \"" + ADMIN + "\""), Rig.admission());
    }

    private Line line() throws IOException {
        return Line.to(gateway.address());
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token;
    }

    private static JsonNode json(Line.Reply reply) throws IOException {
        return new ObjectMapper().readTree(reply.body());
    }

    private JsonNode rotate(String body) throws IOException {
        try (var line = line()) {
            var reply = line.post("/admin/tokens/ws/rotate", body, bearer(ADMIN));
            assertThat(reply.status()).as(reply.body()).isEqualTo(200);
            return json(reply);
        }
    }

    @Test
    void whoHasTheTokenIsPutThroughHoweverItIsBrought() throws IOException {
        for (var headers : List.of(bearer(FIRST), KEY + FIRST, "X: y")) {
            try (var line = line()) {
                var reply = line.upgrade(
                        headers.equals("X: y") ? "/ws?user=anna&token=" + FIRST : "/ws?user=anna", headers);

                assertThat(reply.status()).isEqualTo(101);
                assertThat(reply.toString()).doesNotContain(FIRST);
                line.say("{}");
                assertThat(line.hear().text()).isEqualTo("{}");
            }
            var join = rig.sessions.joins().remove();
            assertThat(join.acks()).isTrue();
            assertThat(join.opening().face()).isEqualTo(Face.VOICE);
            assertThat(join.opening().caller()).isEqualTo(new CallerId("anna", "ws"));
        }
        try (var line = line()) {
            assertThat(line.upgrade("/ws", bearer(FIRST)).status()).isEqualTo(101);
        }
        Rig.await("a caller", () -> !rig.sessions.joins().isEmpty());
        assertThat(rig.sessions.joins().remove().opening().caller()).isEqualTo(new CallerId("ws", "ws"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/ws|X: y|401",
                "/ws?token=wrong|X: y|401",
                "/ws|Authorization: Bearer wrong|401",
                "/ws|Authorization: Bearer JWT|401",
                "/ws?ticket=TICKET|Sec-WebSocket-Protocol: realtime|401",
                "/v1/ws/voice?token=FIRST|X: y|401",
                "/v1/ws/voice|Authorization: Bearer FIRST|401",
                "/admin/sessions|Authorization: Bearer FIRST|401",
                "/ws?user=%0a|Authorization: Bearer FIRST|400",
                "/ws?session_id=x|Authorization: Bearer FIRST|400",
            })
    void anotherCredentialOpensAnotherDoor(String path, String header, int status) throws IOException {
        try (var line = line()) {
            var reply = line.upgrade(
                    path.replace("FIRST", FIRST), header.replace("FIRST", FIRST).replace("JWT", Rig.token("anna")));

            assertThat(reply.status()).isEqualTo(status);
            assertThat(reply.body()).doesNotContain(FIRST);
        }
        assertThat(rig.sessions.joins()).isEmpty();
    }

    @Test
    void aPageIsLetInToBeTold() throws IOException {
        for (var path : List.of("/ws?token=wrong", "/ws")) {
            try (var line = line()) {
                assertThat(line.upgrade(path, "Origin: http://" + line.host()).status())
                        .isEqualTo(101);
                assertThat(line.hear().text()).contains("\"code\":\"unauthenticated\"");
                assertThat(line.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
            }
        }
    }

    @Test
    void withoutATokenThereIsNoFace() throws IOException {
        var off = rig.open(Rig.settings("api-token = \"" + ADMIN + "\""), Rig.admission());
        try (var line = Line.to(off.address())) {
            assertThat(line.upgrade("/ws", bearer(FIRST)).status()).isEqualTo(404);
            assertThat(line.ask("GET", "/ws", bearer(FIRST)).status()).isEqualTo(404);
            var rotated = line.post("/admin/tokens/ws/rotate", "{}", bearer(ADMIN));
            assertThat(rotated.status()).isEqualTo(409);
            assertThat(rotated.body()).contains("ws_off");
        }
    }

    @Test
    void aNodeThatHasNotHeardWhichTokenIsGoodLetsNobodyIn() throws IOException {
        rig.sharedTokens.forget();
        try (var line = line()) {
            var reply = line.upgrade("/ws", bearer(FIRST));

            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.body()).contains("identity_unavailable");
            assertThat(line.post("/admin/tokens/ws/rotate", "{}", bearer(ADMIN)).status())
                    .isEqualTo(503);
        }
    }

    @Test
    void whatIsAskedWithoutAnUpgradeTellsWhyNot() throws IOException {
        try (var line = line()) {
            assertThat(line.ask("GET", "/ws?token=" + FIRST).status()).isEqualTo(426);
            assertThat(line.ask("GET", "/ws", bearer(FIRST)).status()).isEqualTo(426);
            assertThat(line.ask("GET", "/ws?token=wrong").status()).isEqualTo(401);
        }
    }

    /** L6: on each node, those inside are closed with 1008 and nobody gets in with the old token any more. */
    @Test
    void whoCameWithATokenThatIsReplacedIsSentAwayOnEveryNodeAtOnce() throws IOException {
        var other = open();
        try (var here = line();
                var there = Line.to(other.address());
                var stranger = line()) {
            here.upgrade("/ws", bearer(FIRST));
            there.upgrade("/ws?token=" + FIRST);
            stranger.upgrade("/v1/ws/voice", bearer(Rig.token("anna")));
            here.say("{}");
            here.hear();

            var told = rotate("{\"reason\":\"it is on a forum\"}");

            var token = told.path("token").textValue();
            assertThat(token).hasSizeGreaterThan(32).isNotEqualTo(FIRST);
            assertThat(told.path("revision").asInt()).isEqualTo(1);
            assertThat(told.path("changed").path("by").textValue()).isEqualTo("api-token");
            assertThat(here.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
            assertThat(there.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
            stranger.say("{}");
            assertThat(stranger.hear().text()).isEqualTo("{}");
            for (var node : List.of(gateway, other)) {
                try (var line = Line.to(node.address())) {
                    var refused = line.upgrade("/ws", bearer(FIRST));
                    assertThat(refused.status()).isEqualTo(401);
                    assertThat(json(refused).path("detail").textValue())
                            .isEqualTo("a token that opens nothing here, or does no more"
                                    + " (expected: Authorization: Bearer <token>)");
                    assertThat(line.upgrade("/ws?token=" + FIRST).status()).isEqualTo(401);
                    assertThat(line.upgrade("/ws", bearer(token)).status()).isEqualTo(101);
                }
            }
            try (var line = line()) {
                var seen = line.ask("GET", "/admin/tokens/ws", bearer(ADMIN));
                assertThat(seen.body())
                        .contains("\"revision\":1")
                        .doesNotContain(token)
                        .doesNotContain(FIRST);
            }
        }
    }

    @Test
    void withAnOverlapTheyAreSentAwayAtItsEnd() throws IOException {
        try (var before = line();
                var meanwhile = line();
                var after = line()) {
            before.upgrade("/ws", bearer(FIRST));
            var told = rotate("{\"reason\":\"a new year\",\"overlap\":\"2s\",\"token\":\"" + "n".repeat(40) + "\"}");
            assertThat(told.has("token")).isFalse();
            assertThat(told.path("earlier").size()).isEqualTo(1);

            assertThat(meanwhile.upgrade("/ws", bearer(FIRST)).status()).isEqualTo(101);
            assertThat(before.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
            assertThat(meanwhile.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
            assertThat(after.upgrade("/ws", bearer(FIRST)).status()).isEqualTo(401);
            assertThat(after.upgrade("/ws", bearer("n".repeat(40))).status()).isEqualTo(101);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"overlap\":\"soon\"}|400|overlap: soon (expected: such as 30s",
                "{\"overlap\":\"8d\"}|400|at most 7d",
                "{\"overlap\":\"PT-1S\"}|400|overlap: PT-1S",
                "{\"overlap\":5}|400|overlap: not text",
                "{\"token\":\"short\"}|400|token: 5 characters",
                "{\"token\":\"with a space, and long enough for it\"}|400|token: 36 characters",
                "{}|400|reason: missing (expected: why the token is replaced",
                "{\"reason\":\" \"}|400|reason: missing",
                "{\"reason\":\"x\",\"expected_revision\":\"1\"}|400|expected_revision: \"1\" (expected: a number)",
                "{\"reason\":\"x\",\"expected_revision\":7}|412|rotated by otto",
                "{\"why\":\"x\"}|400|why: unknown",
                "[]|400|body: not a JSON object",
                "{|400|body: not JSON",
            })
    void aRotationThatCannotBeIsRefused(String body, int status, String detail) throws IOException {
        try (var line = line()) {
            var reply = line.post("/admin/tokens/ws/rotate", body, bearer(ADMIN));

            assertThat(reply.status()).isEqualTo(status);
            assertThat(json(reply).path("detail").textValue()).contains(detail);
        }
        assertThat(rig.sharedTokens.current().revision()).isZero();
    }

    @Test
    void onlyAnAdministratorRotates() throws IOException {
        var operator = Gateway.tokens(Rig.settings())
                .sign(
                        new Tokens.Bearer(new CallerId("otto", "default"), List.of("operator")),
                        java.time.Duration.ofMinutes(5));
        try (var line = line()) {
            assertThat(line.post("/admin/tokens/ws/rotate", "{}", bearer(operator))
                            .status())
                    .isEqualTo(403);
            assertThat(line.post("/admin/tokens/ws/rotate", "{}", bearer(FIRST)).status())
                    .isEqualTo(401);
            assertThat(line.ask("GET", "/admin/tokens/ws", bearer(operator)).status())
                    .isEqualTo(200);
        }
        assertThat(rig.rollouts.asked).contains("otto@default POST /admin/tokens/ws/rotate");
    }
}
