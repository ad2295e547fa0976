package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.admission.Admission;
import parley.admission.Quotas;
import parley.session.Face;

@Tag("route")
class RoutesTest {
    private static final Rig RIG = new Rig();

    private Admission admission = Rig.admission();
    private Quotas quotas = Quotas.unlimited();
    private GatewaySettings settings = Rig.settings("allowed-origins = \"https://app.example.com\"");

    @AfterAll
    static void close() {
        RIG.close();
    }

    private record Got(int status, Map<String, String> headers, String body) {
        String header(String name) {
            return headers.getOrDefault(name, "");
        }
    }

    // ---- health, pages

    @Test
    void healthTellsTheRelease() {
        settings = Rig.settings("version = 1.2");

        assertThat(ask("GET", "/health").body()).isEqualTo("{\"status\":\"ok\",\"version\":\"1.2\"}");
    }

    @ParameterizedTest
    @CsvSource({
        "/, text/html; charset=UTF-8",
        "/index.html, text/html; charset=UTF-8",
        "/app.js, text/javascript; charset=UTF-8",
        "/style.css, text/css; charset=UTF-8",
        "/favicon.svg, image/svg+xml"
    })
    void aPageIsServedWithItsTypeAndATag(String path, String type) {
        var got = ask("GET", path);

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.header("content-type")).isEqualTo(type);
        assertThat(got.header("cache-control")).isEqualTo("no-cache");
        assertThat(got.header("etag")).matches("\"[0-9a-f]{32}\"");
    }

    @Test
    void aPageThatDidNotChangeIsNotSentAgain() {
        var tag = ask("GET", "/app.js").header("etag");
        var again = ask("GET", "/app.js", "If-None-Match", tag);
        var changed = ask("GET", "/app.js", "If-None-Match", "\"other\"");

        assertThat(again.status()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
        assertThat(again.header("etag")).isEqualTo(tag);
        assertThat(again.header("cache-control")).isEqualTo("no-cache");
        assertThat(changed.status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/nothing.js",
                "/nothing",
                "/reference.conf",
                "/../reference.conf",
                "/..%2freference.conf",
                "/%2e%2e/reference.conf",
                "/web/index.html",
                "//index.html",
                "/index.html/",
                "/index.html%00.js",
                "/.html",
                "/INDEX.HTML",
                "/a/b/c",
                "/v1",
                "/v1/",
                "/v1/sessionsx/y/z",
                "/application.conf",
                "/%5c..%5cx.js"
            })
    void whatIsNoPageIsNotFound(String path) {
        var got = ask("GET", path, "Authorization", "Bearer " + Rig.token("anna"));

        assertThat(got.status()).isEqualTo(404);
        assertThat(got.header("content-type")).isEqualTo("application/problem+json");
    }

    // ---- the development token

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "127.0.0.1", "127.0.0.3", "[::1]"})
    void aPageOfThisMachineGetsADevelopmentToken(String host) {
        var got = local(host, "127.0.0.1", request -> request);

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.header("cache-control")).isEqualTo("no-store");
        assertThat(Rig.check(Gateway.tokens(settings), got.body().split("\"")[3]))
                .isInstanceOf(Tokens.Checked.Valid.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0"})
    void aNameThatOnlyPointsHereGetsNone(String host) {
        assertThat(local(host, "127.0.0.1", request -> request).status()).isEqualTo(404);
    }

    @Test
    void anotherMachineGetsNone() {
        assertThat(local("localhost", "10.0.0.1", request -> request).status()).isEqualTo(404);
        assertThat(ask("GET", "/v1/dev-token").status()).isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource({
        "Origin, https://app.example.com",
        "Origin, http://localhost:8080",
        "Sec-Fetch-Site, cross-site",
        "Sec-Fetch-Site, same-site",
        "X-Forwarded-For, 10.0.0.1",
        "Forwarded, for=10.0.0.1",
        "Via, 1.1 proxy"
    })
    void whoeverAsksForSomebodyElseGetsNone(String name, String value) {
        var got = local(
                "localhost:8080",
                "127.0.0.1",
                request -> request.addHeader(header(name, value)).addHeader(header("Host", "localhost:8080")));

        assertThat(got.status()).isEqualTo(404);
        assertThat(got.body()).doesNotContain("token\":");
    }

    @Test
    void aPageThatSaysItAsksForItselfGetsOne() {
        assertThat(local(
                                "localhost",
                                "127.0.0.1",
                                request -> request.addHeader(header("Sec-Fetch-Site", "same-origin")))
                        .status())
                .isEqualTo(200);
    }

    @Test
    void productionHasNoDevelopmentToken() {
        settings = Rig.settings("production = true, api-token = " + "a".repeat(32));

        assertThat(local("localhost", "127.0.0.1", request -> request).status()).isEqualTo(404);
    }

    // ---- sessions

    @Test
    void aSessionIsOpenedAndFoundWhereTheAnswerSays() {
        var voice = post("{}");
        var realtime = post("{\"face\":\"realtime\",\"model\":\"m\"}");

        assertThat(voice.status()).isEqualTo(201);
        assertThat(voice.header("location")).matches("/v1/sessions/sess_[0-9a-z]{22}");
        assertThat(voice.body()).contains("\"connect\":\"/v1/ws/voice?session_id=sess_");
        assertThat(realtime.body()).contains("\"connect\":\"/v1/realtime?session_id=sess_");
        assertThat(asCaller("anna", "GET", realtime.header("location")).body())
                .contains("\"face\":\"realtime\"")
                .contains("\"model\":\"m\"")
                .contains("\"caller\":\"anna\"");
        assertThat(admission.connections()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "{\"face\":null,\"model\":null}", "{\"other\":1}"})
    void everythingInTheBodyIsOptional(String body) {
        assertThat(post(body).status()).isEqualTo(201);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "5",
                "\"voice\"",
                "null",
                "{",
                "x",
                "{} {}",
                "{\"face\":\"voice\",\"face\":\"realtime\"}",
                "{\"face\":5}",
                "{\"face\":\"VOICE\"}",
                "{\"face\":\"\"}",
                "{\"model\":5}",
                "{\"model\":{}}",
                "{\"model\":[\"m\"]}",
                "{\"model\":\"a\\r\\nb\"}",
                "   ",
                "\u0000"
            })
    void aBodyThatIsNoRequestIsRefusedWithWhatIsExpected(String body) {
        var got = post(body);

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.body()).contains("\"code\":\"bad_request\"").contains("expected: ");
    }

    @Test
    void aModelIsNotAnEssayAndABodyNotAMaze() {
        assertThat(post("{\"model\":\"" + "m".repeat(257) + "\"}").status()).isEqualTo(400);
        assertThat(post("[".repeat(100_000)).status()).isEqualTo(400);
    }

    @Test
    void aSessionBelongsToItsCaller() {
        RIG.sessions.opened().put(FakeSessions.id(900), FakeSessions.opening("anna", Face.VOICE));
        var path = "/v1/sessions/" + FakeSessions.id(900);

        assertThat(asCaller("anna", "GET", path).status()).isEqualTo(200);
        assertThat(asCaller("anna", "GET", path + "/transcript").status()).isEqualTo(200);
        for (var other : new Got[] {
            asCaller("otto", "GET", path),
            asCaller("otto", "GET", path + "/transcript"),
            asCaller("otto", "DELETE", path)
        }) {
            assertThat(other.status()).isEqualTo(404);
            assertThat(other.body()).contains("\"code\":\"unknown_session\"").doesNotContain("anna");
        }
        assertThat(asCaller("anna", "DELETE", path).status()).isEqualTo(200);
    }

    @Test
    void aTranscriptTellsWhatWasHeard() {
        RIG.sessions.opened().put(FakeSessions.id(901), FakeSessions.opening("anna", Face.VOICE));

        assertThat(asCaller("anna", "GET", "/v1/sessions/" + FakeSessions.id(901) + "/transcript")
                        .body())
                .isEqualTo(("{'session_id':'" + FakeSessions.id(901) + "','turns':["
                                + "{'role':'user','item_id':'item_1','text':'Hello','at':'2026-01-01T12:00:00Z'},"
                                + "{'role':'agent','item_id':'item_2','text':'Hello','at':'2026-01-01T12:00:00Z',"
                                + "'audio_ms':1000,'interrupted':true,'heard_ms':500,'full_text':'Hello to you'}]}")
                        .replace('\'', '"'));
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "sess_", "sess_0000000000000000000000000", "%00", "sess_000..%2f"})
    void anIdThatCannotBeIsAsUnknownAsAnother(String id) {
        assertThat(asCaller("anna", "GET", "/v1/sessions/" + id).status()).isEqualTo(404);
    }

    @Test
    void aSessionThatDoesNotAnswerIsWorthAnotherTry() {
        var got = asCaller("slow", "GET", "/v1/sessions/" + FakeSessions.id(1));

        assertThat(got.status()).isEqualTo(503);
        assertThat(got.header("retry-after")).isEqualTo("2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"broken", "thrown"})
    void aFaultOfOursIsAProblemWithoutDetail(String caller) {
        var got = asCaller(caller, "GET", "/v1/sessions/" + FakeSessions.id(1));

        assertThat(got.status()).isEqualTo(500);
        assertThat(got.body()).contains("internal_error").doesNotContain("a fault\"");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v1/sessions/x",
        "DELETE, /v1/sessions/x",
        "GET, /v1/sessions/x/transcript",
        "POST, /v1/sessions",
        "GET, /v1/realtime",
        "GET, /v1/ws/voice"
    })
    void whoeverDoesNotSayWhoTheyAreIsAsked(String method, String path) {
        for (var got : new Got[] {
            ask(method, path),
            ask(method, path, "Authorization", "Basic YTpi"),
            ask(method, path, "Authorization", "Bearer x"),
            ask(method, path, "Authorization", "Bearer " + Rig.token("anna", java.time.Duration.ofMinutes(-5)))
        }) {
            assertThat(got.status()).isEqualTo(401);
            assertThat(got.header("www-authenticate")).isEqualTo("Bearer");
            assertThat(got.header("content-type")).isEqualTo("application/problem+json");
            assertThat(got.header("cache-control")).isEqualTo("no-store");
        }
    }

    // ---- a face without an upgrade

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/ws/voice"})
    void aFaceAskedPlainlyTellsWhyAnUpgradeWouldFail(String path) {
        var wouldWork = asCaller("anna", "GET", path + "?model=m");
        admission = Rig.admission("enabled = false");
        var switchedOff = asCaller("anna", "GET", path);
        admission = Rig.admission("deny = [anna]");
        var denied = asCaller("anna", "GET", path);

        assertThat(wouldWork.status()).isEqualTo(426);
        assertThat(wouldWork.header("upgrade")).isEqualTo("websocket");
        assertThat(switchedOff.status()).isEqualTo(503);
        assertThat(switchedOff.header("retry-after")).isEqualTo("5");
        assertThat(switchedOff.body()).contains("\"offer\":[\"text\"]");
        assertThat(denied.status()).isEqualTo(403);
    }

    @Test
    void askingAFacePlainlyKeepsNoPlace() {
        admission = Rig.admission("max-connections = 1");
        for (int time = 0; time < 3; time++) {
            assertThat(asCaller("anna", "GET", "/v1/ws/voice").status()).isEqualTo(426);
        }

        assertThat(admission.connections()).isZero();
    }

    // ---- methods

    @ParameterizedTest
    @CsvSource({
        "POST, /health, 'GET, HEAD, OPTIONS'",
        "DELETE, /, 'GET, HEAD, OPTIONS'",
        "PUT, /app.js, 'GET, HEAD, OPTIONS'",
        "GET, /v1/sessions, 'POST, OPTIONS'",
        "PATCH, /v1/sessions/x, 'DELETE, GET, HEAD, OPTIONS'",
        "POST, /v1/sessions/x/transcript, 'GET, HEAD, OPTIONS'",
        "POST, /v1/realtime, 'GET, HEAD, OPTIONS'",
        "GET, /v1/tickets, 'POST, OPTIONS'",
        "GET, /v1/tokens/refresh, 'POST, OPTIONS'",
        "TRACE, /health, 'GET, HEAD, OPTIONS'"
    })
    void anotherMethodIsToldWhichOnesThereAre(String method, String path, String allowed) {
        var got = asCaller("anna", method, path);
        var options = asCaller("anna", "OPTIONS", path);

        assertThat(got.status()).isEqualTo(405);
        assertThat(got.header("allow")).isEqualTo(allowed);
        assertThat(got.body()).contains("method_not_allowed");
        assertThat(options.status()).isEqualTo(204);
        assertThat(options.header("allow")).isEqualTo(allowed);
    }

    @Test
    void anotherMethodOnNothingIsStillNothing() {
        assertThat(ask("POST", "/nothing").status()).isEqualTo(404);
        assertThat(ask("PUT", "/v1/nothing").status()).isEqualTo(404);
    }

    // ---- other sites

    @Test
    void aNamedSiteMayReadTheAnswerWithItsCredentials() {
        var got = ask("GET", "/health", "Origin", "https://app.example.com");

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.header("access-control-allow-origin")).isEqualTo("https://app.example.com");
        assertThat(got.header("access-control-allow-credentials")).isEqualTo("true");
        assertThat(got.header("access-control-expose-headers")).contains("Retry-After");
        assertThat(got.header("vary")).containsIgnoringCase("origin");
    }

    @ParameterizedTest
    @CsvSource({"GET, /nothing, 404", "GET, /v1/sessions/x, 401", "PUT, /health, 405", "GET, /v1/ws/voice, 401"})
    void aNamedSiteMayReadTheProblemToo(String method, String path, int status) {
        var got = ask(method, path, "Origin", "https://app.example.com");

        assertThat(got.status()).isEqualTo(status);
        assertThat(got.header("access-control-allow-origin")).isEqualTo("https://app.example.com");
    }

    @Test
    void aNamedSiteMayReadAFaultToo() {
        var got = apply(HttpRequest.GET("/v1/sessions/" + FakeSessions.id(1))
                .addHeader(header("Authorization", "Bearer " + Rig.token("broken")))
                .addHeader(HttpHeader.parse("Origin", "https://app.example.com")));

        assertThat(got.status()).isEqualTo(500);
        assertThat(got.header("access-control-allow-origin")).isEqualTo("https://app.example.com");
    }

    @ParameterizedTest
    @CsvSource({"POST, /v1/sessions", "DELETE, /v1/sessions/x", "GET, /v1/ws/voice"})
    void aNamedSiteMayAskBeforehand(String method, String path) {
        var got = apply(HttpRequest.OPTIONS(path)
                .addHeader(HttpHeader.parse("Origin", "https://app.example.com"))
                .addHeader(HttpHeader.parse("Access-Control-Request-Method", method))
                .addHeader(HttpHeader.parse("Access-Control-Request-Headers", "authorization, content-type")));

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.header("access-control-allow-origin")).isEqualTo("https://app.example.com");
        assertThat(got.header("access-control-allow-credentials")).isEqualTo("true");
        assertThat(got.header("access-control-allow-methods")).contains(method);
        assertThat(got.header("access-control-allow-headers")).containsIgnoringCase("authorization");
    }

    @Test
    void aMethodThatIsNotForOtherSitesIsRefusedBeforehand() {
        var got = apply(HttpRequest.OPTIONS("/v1/sessions")
                .addHeader(HttpHeader.parse("Origin", "https://app.example.com"))
                .addHeader(HttpHeader.parse("Access-Control-Request-Method", "PUT")));

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.header("content-type")).isEqualTo("application/problem+json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://evil.example", "null", "https://app.example.com:444", "garbage"})
    void anotherSiteIsRefusedAndMayNotEvenReadThat(String origin) {
        for (var got : new Got[] {
            ask("GET", "/health", "Origin", origin),
            ask("POST", "/v1/sessions", "Origin", origin),
            ask("OPTIONS", "/v1/sessions", "Origin", origin)
        }) {
            assertThat(got.status()).isEqualTo(403);
            assertThat(got.header("access-control-allow-origin")).isEmpty();
        }
    }

    @Test
    void theOwnPageMayCallWhetherOthersMayOrNot() {
        for (var allowed : new String[] {"https://app.example.com", ""}) {
            settings = Rig.settings("allowed-origins = \"" + allowed + "\"");
            var got = apply(HttpRequest.POST("/v1/sessions")
                    .addHeader(header("Authorization", "Bearer " + Rig.token("anna")))
                    .addHeader(header("Host", "gw.example:8080"))
                    .addHeader(header("Origin", "http://gw.example:8080")));

            assertThat(got.status()).isEqualTo(201);
        }
    }

    // ----

    private Got post(String body) {
        return apply(HttpRequest.POST("/v1/sessions")
                .addHeader(header("Authorization", "Bearer " + Rig.token("anna")))
                .withEntity(ContentTypes.APPLICATION_JSON, body.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    }

    private Got asCaller(String user, String method, String path) {
        return ask(method, path, "Authorization", "Bearer " + Rig.token(user));
    }

    private Got ask(String method, String path, String... header) {
        var request = HttpRequest.create(path).withMethod(method(method));
        if (header.length == 0) {
            return apply(request);
        }
        HttpHeader parsed = header(header[0], header[1]);
        try {
            parsed = header[0].equals("Authorization") ? parsed : HttpHeader.parse(header[0], header[1]);
        } catch (IllegalArgumentException malformed) {
            // As the front has it: what cannot be parsed stays as it came.
        }
        return apply(request.addHeader(parsed));
    }

    private Got local(String host, String peer, UnaryOperator<HttpRequest> more) {
        try {
            return apply(more.apply(HttpRequest.GET("http://" + host + "/v1/dev-token")
                    .addAttribute(
                            AttributeKeys.remoteAddress,
                            RemoteAddress.create(new InetSocketAddress(InetAddress.getByName(peer), 1)))));
        } catch (java.net.UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private Got apply(HttpRequest request) {
        var tokens = Gateway.tokens(settings);
        var callers = new Callers(tokens);
        var tickets = new Tickets(settings.tokens(), RIG.used, Clock.systemUTC());
        var voiceTokens =
                new VoiceTokens(settings.ws(), RIG.sharedTokens, Clock.systemUTC(), (delay, action) -> () -> {});
        var routes = new GatewayRoutes(
                        List.of(
                                new HealthRoutes(settings.version()).routes(),
                                new FaceRoutes(admission, quotas, callers, voiceTokens, () -> false).routes(),
                                new SessionRoutes(RIG.sessions, admission, quotas, callers, () -> false).routes(),
                                new TokenRoutes(tokens, tickets, callers).routes(),
                                new PageRoutes(settings, tokens).routes()),
                        new Origins(settings.allowedOrigins()),
                        RIG.system.settings().config())
                .routes()
                .function(RIG.system);
        try {
            return got(Rig.get(routes.apply(request)));
        } catch (Exception fault) {
            throw new AssertionError(fault);
        }
    }

    private static Got got(HttpResponse response) {
        var headers = new TreeMap<String, String>();
        response.getHeaders()
                .forEach(header -> headers.merge(header.lowercaseName(), header.value(), (a, b) -> a + ", " + b));
        var entity = (HttpEntity.Strict) response.entity();
        headers.put("content-type", entity.getContentType().toString());
        return new Got(response.status().intValue(), headers, entity.getData().utf8String());
    }

    private static HttpMethod method(String name) {
        return HttpMethods.lookup(name).orElseThrow();
    }

    private static HttpHeader header(String name, String value) {
        return RawHeader.create(name, value);
    }
}
