package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import parley.admission.Admission;
import parley.admission.Quotas;
import parley.session.Face;
import parley.wire.WireSettings;

@Tag("stream")
class FrontTest {
    private static final String KEY = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.";
    private static final String EVIL = "Origin: https://evil.example";

    private final Rig rig = new Rig();
    private Admission admission = Rig.admission();

    @AfterEach
    void close() {
        rig.close();
    }

    // ---- the upgrade

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/realtime?model=m", "/v1/ws/voice", "/v1/ws/voice?model=a%20b"})
    void aCallerWithAGoodTokenIsPutThrough(String path) throws IOException {
        try (var line = line()) {
            var reply = line.upgrade(path, bearer(Rig.token("anna")));

            assertThat(reply.status()).isEqualTo(101);
            assertThat(reply.headers()).doesNotContainKey("sec-websocket-protocol");
            line.say("{\"type\":\"x\"}");
            assertThat(line.hear().text()).isEqualTo("{\"type\":\"x\"}");
            assertThat(admission.connections()).isEqualTo(1);
            line.hangUp();
        }
        everybodyLeft();
    }

    @Test
    void aKeyAmongTheSubprotocolsIsReadAndNeverEchoed() throws IOException {
        var token = Rig.token("anna");
        for (var offered : List.of(
                KEY + token,
                "Sec-WebSocket-Protocol: openai-insecure-api-key." + token + ",realtime",
                KEY + token + ", openai-organization.org_1, openai-agents-sdk.0.20.0",
                "Sec-WebSocket-Protocol: realtime\r\nSec-WebSocket-Protocol: openai-insecure-api-key." + token)) {
            try (var line = line()) {
                var reply = line.upgrade("/v1/realtime", offered);

                assertThat(reply.status()).isEqualTo(101);
                assertThat(reply.header("sec-websocket-protocol")).isEqualTo("realtime");
                assertThat(reply.toString()).doesNotContain(token);
            }
        }
    }

    @Test
    void realtimeIsSelectedForAHeaderCallerToo() throws IOException {
        try (var line = line()) {
            var reply = line.upgrade("/v1/realtime", bearer(Rig.token("anna")), "Sec-WebSocket-Protocol: realtime");

            assertThat(reply.header("sec-websocket-protocol")).isEqualTo("realtime");
        }
    }

    @Test
    void theHeaderSaysWhoCallsWhenBothDo() throws IOException {
        try (var line = line()) {
            line.upgrade("/v1/realtime", bearer(Rig.token("anna")), KEY + Rig.token("otto"));
            line.say("x");
            line.hear();

            assertThat(rig.sessions.joins().remove().opening().caller().user()).isEqualTo("anna");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/realtime||401|unauthenticated",
                "/v1/realtime|Authorization: Bearer x|401|unauthenticated",
                "/v1/realtime|Authorization: Basic YTpi|401|unauthenticated",
                "/v1/realtime|Authorization: Bearer EXPIRED|401|unauthenticated",
                "/v1/realtime|Sec-WebSocket-Protocol: realtime|401|unauthenticated",
                "/v1/realtime|Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.x|401|unauthenticated",
                "/v1/realtime|Sec-WebSocket-Protocol: openai-insecure-api-key.GOOD|400|bad_request",
                "/v1/realtime|Sec-WebSocket-Protocol: chat|400|bad_request",
                "/v1/ws/voice||401|unauthenticated",
                "/v1/ws/voice|Authorization: Bearer EXPIRED|401|unauthenticated",
                "/v1/ws/voice|Sec-WebSocket-Protocol: chat, openai-insecure-api-key.GOOD|400|bad_request",
                "/v1/realtime?session_id=x|Authorization: Bearer GOOD|400|bad_request",
                "/v1/realtime?session_id=|Authorization: Bearer GOOD|400|bad_request",
                "/v1/realtime?model=%zz|Authorization: Bearer GOOD|400|bad_request",
                "/v1/realtime?model=%|Authorization: Bearer GOOD|400|bad_request",
                "/v1/realtime?model=a%0d%0ab|Authorization: Bearer GOOD|400|bad_request",
                "/v1/realtime?call_id=rtc_1|Authorization: Bearer GOOD|404|call_id_not_found",
                "/v1/ws/voice?call_id=rtc_1|Authorization: Bearer GOOD|404|call_id_not_found",
                "/v1/realtime|Authorization: Bearer DENIED|403|not_in_rollout",
            })
    void aRefusalComesBeforeTheUpgradeAndTheConnectionGoesOn(
            String path, @org.jspecify.annotations.Nullable String header, int status, String code) throws IOException {
        admission = Rig.admission("deny = [denied]");
        try (var line = line()) {
            var reply = header == null ? line.upgrade(path) : line.upgrade(path, filled(header));

            assertThat(reply.status()).isEqualTo(status);
            assertThat(reply.body()).contains("\"code\":\"" + code + "\"");
            assertProblem(reply);
            assertThat(line.ask("GET", "/health").status()).isEqualTo(200);
        }
        everybodyLeft();
    }

    @Test
    void aFullHouseIsAReasonToComeAgain() throws IOException {
        admission = Rig.admission("max-connections = 2", "max-connections-per-caller = 1");
        var gateway = gateway();
        try (var first = Line.to(gateway.address());
                var second = Line.to(gateway.address());
                var third = Line.to(gateway.address())) {
            assertThat(first.upgrade("/v1/realtime", bearer(Rig.token("anna"))).status())
                    .isEqualTo(101);
            var again = second.upgrade("/v1/realtime", bearer(Rig.token("anna")));
            assertThat(second.upgrade("/v1/realtime", bearer(Rig.token("otto"))).status())
                    .isEqualTo(101);
            var full = third.upgrade("/v1/realtime", bearer(Rig.token("emil")));

            assertThat(again.status()).isEqualTo(429);
            assertThat(again.header("retry-after")).isEqualTo("5");
            assertThat(full.status()).isEqualTo(503);
            assertThat(full.body()).contains("\"code\":\"capacity\"").contains("\"offer\":[\"text\"]");
        }
        everybodyLeft();
    }

    @ParameterizedTest
    @CsvSource({
        "OWN, /v1/realtime, 101",
        "https://app.example.com, /v1/realtime, 101",
        "https://evil.example, /v1/realtime, 403",
        "https://evil.example, /v1/ws/voice, 403",
        "null, /v1/ws/voice, 403",
        "https://127.0.0.1.evil.example, /v1/ws/voice, 403"
    })
    void anOriginDecidesAboutAPage(String origin, String path, int status) throws IOException {
        try (var line =
                Line.to(gateway("allowed-origins = \"https://app.example.com\"").address())) {
            var reply = line.upgrade(
                    path,
                    KEY + Rig.token("anna"),
                    "Origin: " + (origin.equals("OWN") ? "http://" + line.host() : origin));

            assertThat(reply.status()).isEqualTo(status);
        }
    }

    @Test
    void aSecondOriginDoesNotHideBehindTheFirst() throws IOException {
        try (var line = line()) {
            assertThat(line.upgrade("/v1/realtime", bearer(Rig.token("anna")), "Origin: http://" + line.host(), EVIL)
                            .status())
                    .isEqualTo(403);
        }
    }

    @Test
    void theBetaDialectIsRefusedInItsOwnWords() throws IOException {
        for (var beta : List.of("OpenAI-Beta: realtime=v1", "OpenAI-Beta: assistants=v2, realtime=v1")) {
            try (var line = line()) {
                assertThat(line.upgrade("/v1/realtime", bearer(Rig.token("anna")), beta)
                                .status())
                        .isEqualTo(101);
                assertThat(line.hear().text()).contains("\"code\":\"beta_api_shape_disabled\"");
                assertThat(line.hear())
                        .isEqualTo(new Line.Heard(4000, "invalid_request_error.beta_api_shape_disabled"));
            }
        }
        try (var line = line()) {
            assertThat(line.upgrade("/v1/realtime", KEY + Rig.token("anna") + ", openai-beta.realtime-v1")
                            .status())
                    .isEqualTo(101);
            assertThat(line.hear().text()).contains("\"code\":\"beta_api_shape_disabled\"");
        }
        everybodyLeft();
        assertThat(rig.sessions.joins()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime?intent=transcription", "/v1/realtime?intent=", "/v1/ws/voice?intent=x"})
    void anIntentIsRefused(String path) throws IOException {
        try (var line = line()) {
            assertThat(line.upgrade(path, bearer(Rig.token("anna"))).status()).isEqualTo(101);
            assertThat(line.hear().text()).contains("\"code\":\"invalid_intent\"");
            assertThat(line.hear()).isEqualTo(new Line.Heard(4000, "invalid_request_error.invalid_intent"));
        }
        everybodyLeft();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "EXPIRED||unauthenticated|1008",
                "x||unauthenticated|1008",
                "DENIED||not_in_rollout|1008",
                "GOOD|?session_id=x|bad_request|4400",
                "GOOD|?model=%zz|bad_request|4400",
                "GOOD|?last_seq=x|bad_request|4400",
                "GOOD|?call_id=rtc_1|call_id_not_found|4404",
                "GOOD|?session_id=sess_0009999999999999999999|unknown_session|4404",
                "SLOW||session_unavailable|1013",
            })
    void aPageIsLetInToBeTold(String token, @org.jspecify.annotations.Nullable String query, String code, int close)
            throws IOException {
        admission = Rig.admission("deny = [denied]");
        try (var line = line()) {
            var reply = line.upgrade("/v1/ws/voice" + (query == null ? "" : query), filled(KEY + token));

            assertThat(reply.status()).isEqualTo(101);
            assertThat(reply.header("sec-websocket-protocol")).isEqualTo("realtime");
            assertThat(line.hear().text()).contains("\"type\":\"error\"").contains("\"code\":\"" + code + "\"");
            assertThat(line.hear()).isEqualTo(new Line.Heard(close, code));
        }
        everybodyLeft();
    }

    @ParameterizedTest
    @CsvSource({"slow, 1013", "broken, 1011", "thrown, 1011"})
    void aSessionThatCannotBeJoinedGivesItsPlaceBack(String caller, int close) throws IOException {
        try (var line = line()) {
            assertThat(line.upgrade("/v1/realtime", bearer(Rig.token(caller))).status())
                    .isEqualTo(101);
            var heard = line.hear();
            assertThat(heard.code() == 0 ? line.hear().code() : heard.code()).isEqualTo(close);
        }
        everybodyLeft();
    }

    @Test
    void aSessionIsResumedByItsCallerAlone() throws IOException {
        rig.sessions.opened().put(FakeSessions.id(7), FakeSessions.opening("anna", Face.VOICE));
        var path = "/v1/ws/voice?session_id=" + FakeSessions.id(7) + "&resume_token=";
        try (var anna = line();
                var otto = line();
                var late = line()) {
            anna.upgrade(path + "t", bearer(Rig.token("anna")));
            anna.say("x");
            assertThat(anna.hear().text()).isEqualTo("x");
            otto.upgrade(path + "t", bearer(Rig.token("otto")));
            assertThat(otto.hear().text()).contains("unknown_session").doesNotContain("anna");
            assertThat(otto.hear().code()).isEqualTo(4404);
            late.upgrade(path + "stale", bearer(Rig.token("anna")));
            assertThat(late.hear().text()).contains("resume_refused");
            assertThat(late.hear().code()).isEqualTo(1008);
        }
        everybodyLeft();
        assertThat(rig.sessions.joins().remove().resumeToken()).isEqualTo("t");
    }

    @ParameterizedTest
    @CsvSource({"'', -1", "&last_seq=0, 0", "&last_seq=41, 41", "&last_seq=9007199254740991, 9007199254740991"})
    void whatTheCallerHasSeenIsPassedOn(String query, long lastSeq) throws IOException {
        rig.sessions.opened().put(FakeSessions.id(7), FakeSessions.opening("anna", Face.VOICE));
        try (var line = line()) {
            line.upgrade(
                    "/v1/ws/voice?resume_token=t&session_id=" + FakeSessions.id(7) + query, bearer(Rig.token("anna")));
            line.say("x");
            assertThat(line.hear().text()).isEqualTo("x");
        }
        assertThat(rig.sessions.joins().remove().lastSeq()).isEqualTo(lastSeq);
    }

    @ParameterizedTest
    @CsvSource({"-1", "1.5", "''", "x", "%2B1", "9007199254740992", "99999999999999999999"})
    void aPositionThatIsNoneIsRefusedOnBothFaces(String position) throws IOException {
        try (var line = line()) {
            for (var face : List.of("/v1/realtime", "/v1/ws/voice")) {
                var reply = line.upgrade(face + "?last_seq=" + position, bearer(Rig.token("anna")));

                assertThat(reply.status()).isEqualTo(400);
                assertThat(reply.body())
                        .contains("last_seq: " + position.replace("%2B", "+") + " (expected: a whole number");
            }
        }
        assertThat(rig.sessions.joins()).isEmpty();
    }

    @Test
    void whoTakesOverItsOwnSessionNeedsNoSecondPlace() throws IOException {
        admission = Rig.admission("max-connections = 1", "max-connections-per-caller = 1");
        var gateway = gateway();
        rig.sessions.opened().put(FakeSessions.id(7), FakeSessions.opening("anna", Face.VOICE));
        var again = "?session_id=" + FakeSessions.id(7);
        try (var old = Line.to(gateway.address());
                var next = Line.to(gateway.address());
                var other = Line.to(gateway.address())) {
            old.upgrade("/v1/realtime", bearer(Rig.token("anna")));

            // Without a token it is no resume: a session that was opened ahead asks for a place of its own.
            assertThat(other.upgrade("/v1/ws/voice" + again, bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(503);
            assertThat(next.upgrade("/v1/ws/voice" + again + "&resume_token=t", bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(101);
            assertThat(other.upgrade("/v1/realtime" + again, bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(503);
            old.hangUp();
            Rig.await("the old one to leave", () -> admission.connections() == 1);
            assertThat(other.ask("GET", "/v1/realtime", bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(503);
            assertThat(other.ask("GET", "/v1/realtime" + again, bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(426);
            assertThat(other.upgrade("/v1/realtime" + again, bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(101);
        }
        everybodyLeft();
    }

    @Test
    void whoIsDeniedMeanwhileDoesNotComeBack() throws IOException {
        admission = Rig.admission("deny = [denied]");
        try (var line = line()) {
            assertThat(line.upgrade(
                                    "/v1/ws/voice?resume_token=t&session_id=" + FakeSessions.id(7),
                                    bearer(Rig.token("denied")))
                            .status())
                    .isEqualTo(403);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/ws/voice"})
    void whoIsRefusedAfterTheUpgradeHearsWhenToComeAgain(String path) throws IOException {
        try (var line = line()) {
            line.upgrade(path, bearer(Rig.token("slow")));

            assertThat(line.hear().text())
                    .matches("\\{\"type\":\"error\",\"event_id\":\"event_[^\"]+\",\"error\":\\{"
                            + "\"type\":\"server_error\",\"code\":\"session_unavailable\",\"message\":\"try again\","
                            + "\"retry_after_ms\":2000\\}\\}");
            assertThat(line.hear()).isEqualTo(new Line.Heard(1013, "session_unavailable"));
        }
        everybodyLeft();
    }

    @Test
    void anUpgradeThatIsIncompleteTakesNoPlace() throws IOException {
        try (var line = line()) {
            for (var header : List.of("Sec-WebSocket-Version: 8", "X: y")) {
                var version = line.ask(
                        "GET",
                        "/v1/realtime",
                        "Connection: Upgrade",
                        "Upgrade: websocket",
                        "Sec-WebSocket-Key: k",
                        header,
                        bearer(Rig.token("anna")));
                assertThat(version.status()).isEqualTo(426);
                assertThat(version.header("sec-websocket-version")).isEqualTo("13");
                assertProblem(version);
            }
            var key = line.ask(
                    "GET",
                    "/v1/realtime",
                    "Connection: Upgrade",
                    "Upgrade: websocket",
                    "Sec-WebSocket-Version: 13",
                    bearer(Rig.token("anna")));
            assertThat(key.status()).isEqualTo(400);
            assertProblem(key);
            assertThat(admission.connections()).isZero();
        }
    }

    @Test
    void aCallerWhoVanishesGivesThePlaceBack() throws IOException {
        var gateway = gateway();
        for (int caller = 0; caller < 20; caller++) {
            try (var line = Line.to(gateway.address())) {
                line.write("GET /v1/realtime HTTP/1.1\r\nHost: " + line.host() + "\r\nConnection: Upgrade\r\n"
                        + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: k\r\n"
                        + bearer(Rig.token("anna")) + "\r\n\r\n");
                if (caller % 2 == 0) {
                    line.reply(true);
                }
                line.kill();
            }
        }

        everybodyLeft();
    }

    @Test
    void aDrainingGatewayTakesNoNewCallOnAnOldConnection() throws IOException {
        var gateway = gateway();
        try (var line = Line.to(gateway.address());
                var page = Line.to(gateway.address());
                var live = Line.to(gateway.address())) {
            line.ask("GET", "/health");
            page.ask("GET", "/health");
            live.upgrade("/v1/realtime", bearer(Rig.token("anna")));
            Rig.get(gateway.unbind());
            var reply = line.upgrade("/v1/realtime", bearer(Rig.token("anna")));

            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isEqualTo("1");
            assertThat(reply.header("connection")).isEqualTo("close");
            page.upgrade("/v1/ws/voice", KEY + Rig.token("anna"));
            assertThat(page.hear().text()).contains("draining");
            assertThat(page.hear().code()).isEqualTo(1013);
            live.say("x");
            assertThat(live.hear().text()).isEqualTo("x");
        }
    }

    @Test
    void aDrainingGatewayOpensNoSessionOnAnOldConnectionButTellsOfThoseThereAre() throws IOException {
        var gateway = gateway();
        try (var line = Line.to(gateway.address());
                var resumes = Line.to(gateway.address());
                var asks = Line.to(gateway.address())) {
            var path =
                    line.post("/v1/sessions", "{}", bearer(Rig.token("anna"))).header("location");
            resumes.ask("GET", "/health");
            asks.ask("GET", "/health");
            Rig.get(gateway.unbind());

            assertThat(line.ask("GET", path, bearer(Rig.token("anna"))).status())
                    .isEqualTo(200);
            var opened = line.post("/v1/sessions", "{}", bearer(Rig.token("anna")));
            assertThat(opened.status()).isEqualTo(503);
            assertThat(opened.body()).contains("\"code\":\"draining\"");
            assertThat(opened.header("retry-after")).isEqualTo("1");
            assertThat(opened.header("connection")).isEqualTo("close");
            assertThatThrownBy(() -> line.ask("GET", path, bearer(Rig.token("anna"))))
                    .isInstanceOf(IOException.class);
            assertThat(resumes.upgrade(
                                    "/v1/ws/voice?resume_token=t&session_id="
                                            + path.substring(path.lastIndexOf('/') + 1),
                                    bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(503);
            assertThat(asks.ask("GET", "/v1/ws/voice", bearer(Rig.token("anna")))
                            .body())
                    .contains("\"code\":\"draining\"");
        }
        assertThat(rig.sessions.opened()).hasSize(1);
    }

    // ---- plain HTTP

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET|/health|200",
                "HEAD|/health|200",
                "HEAD|/|200",
                "HEAD|/nothing|404",
                "GET|/nothing|404",
                "GET|/%|400",
                "GET|/%zz|400",
                "GET|/a%2|400",
                "GET|/<script>|404",
                "GET|//evil.example/x|404",
                "GET|/../../etc/passwd|404",
                "GET|/%2e%2e/%2e%2e/etc/passwd|404",
                "GET|http://127.0.0.1/health|200",
                "GET|HTTP://127.0.0.1:1/health?x|200",
                "GET|http://a b/health|400",
                "GET|http:///health|400",
                "GET|ftp://x/health|400",
                "GET|health|400",
                "OPTIONS|*|400",
                "DANCE|/health|501",
                "POST|/health|405",
                "OPTIONS|/health|204",
                "GET|/v1/realtime|401",
                "POST|/v1/realtime|405",
                "GET|/v1/ws/voice|401",
            })
    void everyTargetIsAnsweredAndTheConnectionGoesOn(String method, String target, int status) throws IOException {
        try (var line = line()) {
            var reply = line.ask(method, target);

            assertThat(reply.status()).isEqualTo(target.contains("a b") ? 400 : status);
            if (!target.contains("a b")) {
                assertSecure(reply);
                assertThat(line.ask("GET", "/health").status()).isEqualTo(200);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host: a\r\nHost: b",
                "Host:",
                "Host: a/b",
                "Host: x/health?",
                "Host: a@b",
                "Host: a b",
                "Host: a:b",
                "X: no host"
            })
    void aRequestNamesOneHost(String header) throws IOException {
        try (var line = line()) {
            line.write("GET /health HTTP/1.1\r\n" + header + "\r\n\r\n");

            assertProblem(line.reply(false));
        }
    }

    @Test
    void whatIsTooLargeIsRefused() throws IOException {
        try (var line = line()) {
            assertThat(line.post("/v1/sessions", " ".repeat(1024 * 1024 + 1), bearer(Rig.token("anna")))
                            .status())
                    .isEqualTo(413);
            assertThat(line.ask("GET", "/health").status()).isEqualTo(200);
        }
        try (var line = line()) {
            assertThat(line.ask("GET", "/" + "x".repeat(10_000)).status()).isBetween(400, 499);
        }
        try (var line = line()) {
            assertThat(line.ask("GET", "/health", "X: " + "x".repeat(20_000)).status())
                    .isBetween(400, 499);
        }
    }

    @Test
    void anOldClientNamesNone() throws IOException {
        try (var line = line()) {
            line.write("GET /health HTTP/1.0\r\n\r\n");
            assertThat(line.reply(false).status()).isEqualTo(200);
        }
        try (var line = line()) {
            line.write("GET /v1/dev-token HTTP/1.0\r\n\r\n");
            assertThat(line.reply(false).status()).isEqualTo(404);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Accept: ;;;",
                "Range: bytes=x",
                "If-None-Match: garbage",
                "Access-Control-Request-Method: ???",
                "Content-Type: /",
                "X: \u00e4\u00f6",
                "Cookie: \"",
                "Expect: magic",
                "If-Modified-Since: never",
                "Transfer-Encoding: chunked\r\nX: y"
            })
    void aStrangeHeaderIsNoFault(String header) throws IOException {
        try (var line = line()) {
            line.write("GET /health HTTP/1.1\r\nHost: here\r\n" + header + "\r\nConnection: close\r\n\r\n0\r\n\r\n");

            assertThat(line.reply(false).status()).isIn(200, 400, 417);
        }
    }

    @Test
    void aHeadIsAnsweredAsAGetWithoutTheBody() throws IOException {
        try (var line = line()) {
            var get = line.ask("GET", "/app.js");
            var head = line.ask("HEAD", "/app.js");

            assertThat(head.headers()).isEqualTo(get.headers());
        }
    }

    @Test
    void aSessionIsOpenedReadAndEndedOnOneConnection() throws IOException {
        try (var line = line()) {
            var opened = line.post("/v1/sessions", "{\"face\":\"voice\"}", bearer(Rig.token("anna")));
            assertThat(opened.status()).isEqualTo(201);
            assertSecure(opened);
            var path = opened.header("location");
            assertThat(line.ask("GET", path, bearer(Rig.token("anna"))).status())
                    .isEqualTo(200);
            assertThat(line.ask("DELETE", path, bearer(Rig.token("otto"))).status())
                    .isEqualTo(404);
            assertThat(line.ask("DELETE", path, bearer(Rig.token("anna"))).status())
                    .isEqualTo(200);
        }
        everybodyLeft();
    }

    @ParameterizedTest
    @ValueSource(strings = {"broken", "thrown"})
    void aFaultIsAProblemWithoutDetailAndTheConnectionGoesOn(String caller) throws IOException {
        try (var line = line()) {
            var reply = line.ask("GET", "/v1/sessions/" + FakeSessions.id(1), bearer(Rig.token(caller)));

            assertThat(reply.status()).isEqualTo(500);
            assertProblem(reply);
            assertThat(line.ask("GET", "/health").status()).isEqualTo(200);
        }
    }

    @Test
    void theOwnPageMayPostWhileOtherSitesAreNamed() throws IOException {
        try (var line =
                Line.to(gateway("allowed-origins = \"https://app.example.com\"").address())) {
            assertThat(line.post("/v1/sessions", "{}", bearer(Rig.token("anna")), "Origin: http://" + line.host())
                            .status())
                    .isEqualTo(201);
            assertThat(line.post("/v1/sessions", "{}", bearer(Rig.token("anna")), EVIL)
                            .status())
                    .isEqualTo(403);
            var preflight = line.ask(
                    "OPTIONS",
                    "/v1/sessions",
                    "Origin: https://app.example.com",
                    "Access-Control-Request-Method: POST",
                    "Access-Control-Request-Headers: authorization");
            assertThat(preflight.header("access-control-allow-origin")).isEqualTo("https://app.example.com");
            assertThat(preflight.header("access-control-allow-credentials")).isEqualTo("true");
            assertSecure(preflight);
        }
    }

    // ---- secrets

    @Test
    void aTokenShowsUpInNoAnswerAndNoLog() throws IOException {
        var log = new Log();
        log.start();
        var root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.addAppender(log);
        // Good ones, and one that is not ours: both are somebody's secret.
        var forged = Rig.token("anna") + "x";
        var heard = new StringBuilder();
        try (var gateway = new Closing(gateway())) {
            for (var token : List.of(
                    forged,
                    Rig.token("broken"),
                    Rig.token("thrown"),
                    Rig.token("slow"),
                    Rig.token("denied"),
                    Rig.token("anna"))) {
                admission = Rig.admission("deny = [denied]");
                for (var path : List.of(
                        "/v1/realtime",
                        "/v1/ws/voice",
                        "/v1/realtime?model=%zz&resume_token=" + token,
                        "/v1/realtime?session_id=" + token,
                        "/v1/realtime?intent=" + token,
                        "/v1/ws/voice?session_id=x&resume_token=" + token,
                        "/v1/realtime?call_id=" + token,
                        "/v1/ws/voice?ticket=" + token,
                        "/v1/ws/voice?session_id=x&ticket=" + token,
                        "/v1/sessions/" + FakeSessions.id(1) + "?resume_token=" + token,
                        "/v1/sessions/" + token)) {
                    for (var header : List.of(
                            bearer(token),
                            KEY + token,
                            "Sec-WebSocket-Protocol: bearer, " + token,
                            "Sec-WebSocket-Protocol: OpenAI-Insecure-API-Key." + token,
                            "Authorization: " + token,
                            bearer(token) + "\r\n" + EVIL,
                            "Authorization: Basic " + token)) {
                        try (var line = Line.to(gateway.gateway.address())) {
                            heard.append(line.ask("GET", path, header));
                            var reply = line.upgrade(path, header);
                            heard.append(reply);
                            if (reply.status() == 101 && !token.equals(Rig.token("anna"))) {
                                line.hangUp();
                                heard.append(line.hear());
                            }
                        }
                    }
                }
                assertThat(heard)
                        .doesNotContain(token.substring(0, 40))
                        .doesNotContain(token.substring(token.length() - 20));
                assertThat(log.lines.toString())
                        .doesNotContain(token.substring(token.length() - 20))
                        .doesNotContain(Rig.SECRET);
            }
        } finally {
            root.detachAppender(log);
        }
        assertThat(heard).doesNotContain(Rig.SECRET);
        assertThat(log.lines).as("the faults of broken and thrown").isNotEmpty();
    }

    // ---- ports and TLS

    @Test
    void aTakenPortClosesTheOthers() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var free = freePort();
            var settings = Rig.settings("port = " + free + ", voice-port = " + taken.getLocalPort());

            assertThatThrownBy(() -> rig.open(settings, admission)).rootCause().isInstanceOf(IOException.class);
            try (var now = new ServerSocket()) {
                now.setReuseAddress(true);
                now.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), free));
            }
        }
    }

    @Test
    void aCertificateThatCannotBeUsedOpensNoPort() throws Exception {
        var free = freePort();

        assertThatThrownBy(() -> Gateway.bind(
                        rig.system,
                        rig.loops,
                        rig.behind(admission, Quotas.unlimited()),
                        Rig.settings(
                                "port = " + free,
                                "https { enabled = true, certificate = nowhere, certificate-key = nowhere }"),
                        RateSettings.from(Rig.config()),
                        WireSettings.from(com.typesafe.config.ConfigFactory.load())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nowhere");
        try (var now = new ServerSocket()) {
            now.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), free));
        }
    }

    @Test
    void theExtraPortAnswersTheSame() throws Exception {
        var extra = freePort();
        gateway("voice-port = " + extra);
        try (var line = Line.to(new InetSocketAddress(InetAddress.getLoopbackAddress(), extra))) {
            assertThat(line.upgrade("/v1/ws/voice", bearer(Rig.token("anna"))).status())
                    .isEqualTo(101);
        }
    }

    @Test
    void javaTrustsTheDevelopmentCertificateOnceTold(@TempDir Path directory) throws Exception {
        var gateway = gateway("https { enabled = true, development-certificates = \"" + directory + "\" }");
        var port = gateway.secureAddress().getPort();
        try (var client =
                HttpClient.newBuilder().sslContext(trusting(directory)).build()) {
            for (var host : List.of("localhost", "127.0.0.1")) {
                var answer = client.send(
                        HttpRequest.newBuilder(URI.create("https://" + host + ":" + port + "/health"))
                                .build(),
                        BodyHandlers.ofString());
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(answer.headers().firstValue("strict-transport-security"))
                        .isPresent();
            }
            var socket = client.newWebSocketBuilder()
                    .header("Authorization", "Bearer " + Rig.token("anna"))
                    .buildAsync(URI.create("wss://localhost:" + port + "/v1/realtime"), new WebSocket.Listener() {})
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
            socket.abort();
        }
        everybodyLeft();
    }

    @Test
    void overTlsAPlainPageOfTheSameHostIsAnotherSite(@TempDir Path directory) throws Exception {
        var gateway = gateway("https { enabled = true, development-certificates = \"" + directory + "\" }");
        for (var scheme : List.of("https", "http")) {
            try (var line = Line.over(secure(gateway, directory))) {
                var reply = line.upgrade(
                        "/v1/realtime", bearer(Rig.token("anna")), "Origin: " + scheme + "://" + line.host());

                assertThat(reply.status()).isEqualTo(scheme.equals("https") ? 101 : 403);
            }
        }
    }

    @Test
    void opensslConnectsAndVerifies(@TempDir Path directory) throws Exception {
        var gateway = gateway("https { enabled = true, development-certificates = \"" + directory + "\" }");
        var openssl = new ProcessBuilder(
                        "timeout",
                        "60",
                        "openssl",
                        "s_client",
                        "-connect",
                        "127.0.0.1:" + gateway.secureAddress().getPort(),
                        "-CAfile",
                        directory.resolve("certificate.pem").toString(),
                        "-verify_return_error",
                        "-verify_ip",
                        "127.0.0.1")
                .redirectErrorStream(true)
                .start();
        openssl.getOutputStream().close();

        assertThat(new String(openssl.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                .contains("Verify return code: 0 (ok)");
    }

    @Test
    void plainHttpOnTheTlsPortEndsTheConnectionAndNothingElse(@TempDir Path directory) throws Exception {
        var gateway = gateway("https { enabled = true, development-certificates = \"" + directory + "\" }");
        try (var plain = new Socket(
                gateway.secureAddress().getAddress(), gateway.secureAddress().getPort())) {
            plain.setSoTimeout(10_000);
            plain.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            plain.getInputStream().readAllBytes();
        } catch (java.net.SocketException reset) {
            assertThat(reset).hasMessageContaining("reset");
        }
        try (var line = Line.over(secure(gateway, directory))) {
            assertThat(line.ask("GET", "/health").status()).isEqualTo(200);
        }
    }

    // ----

    private static final class Log extends AppenderBase<ILoggingEvent> {
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();

        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event.getFormattedMessage()
                    + (event.getThrowableProxy() == null
                            ? ""
                            : ThrowableProxyUtil.asString(event.getThrowableProxy())));
        }
    }

    private record Closing(Gateway gateway) implements AutoCloseable {
        @Override
        public void close() {
            Rig.get(gateway.close());
        }
    }

    private Gateway gateway(String... changes) {
        return rig.open(Rig.settings(changes), admission);
    }

    private Line line() throws IOException {
        return Line.to(gateway().address());
    }

    private void everybodyLeft() {
        Rig.await("everybody to leave", () -> admission.connections() == 0);
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token;
    }

    private static String filled(String header) {
        return header.replace("GOOD", Rig.token("anna"))
                .replace("EXPIRED", Rig.token("anna", Duration.ofMinutes(-5)))
                .replace("DENIED", Rig.token("denied"))
                .replace("SLOW", Rig.token("slow"));
    }

    private static void assertProblem(Line.Reply reply) {
        assertThat(reply.status()).isGreaterThanOrEqualTo(400);
        assertThat(reply.header("content-type")).isEqualTo("application/problem+json");
        assertThat(reply.header("cache-control")).isEqualTo("no-store");
        if (reply.status() == 401) {
            assertThat(reply.header("www-authenticate")).isEqualTo("Bearer");
        }
        assertSecure(reply);
    }

    private static void assertSecure(Line.Reply reply) {
        assertThat(Stream.of(
                        "strict-transport-security",
                        "x-content-type-options",
                        "x-frame-options",
                        "referrer-policy",
                        "content-security-policy",
                        "cross-origin-opener-policy",
                        "cross-origin-embedder-policy",
                        "cross-origin-resource-policy",
                        "permissions-policy"))
                .allSatisfy(name -> assertThat(reply.headers()).containsKey(name));
    }

    private static int freePort() throws IOException {
        try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }

    private static Socket secure(Gateway gateway, Path directory) throws Exception {
        return trusting(directory)
                .getSocketFactory()
                .createSocket("localhost", gateway.secureAddress().getPort());
    }

    private static SSLContext trusting(Path directory) throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var in = Files.newInputStream(directory.resolve("certificate.pem"))) {
            store.setCertificateEntry(
                    "parley", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
