package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.HttpCredentials;
import org.apache.pekko.japi.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Admission;
import parley.admission.Decision;
import parley.meter.Meters;
import parley.session.Vitals;

/** O1, O2: what a gateway says about itself, over a real socket. */
@Tag("stream")
class TelemetryTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String API_TOKEN = "a-token-that-only-tests-know-0123456789";

    private final Rig rig = new Rig();
    private Admission admission = Rig.admission();
    private GatewaySettings settings = Rig.settings("version = 1.2");

    @AfterEach
    void close() {
        rig.close();
    }

    private Line line() throws IOException {
        return Line.to(rig.open(settings, admission).address());
    }

    private static JsonNode json(Line line, String path) throws IOException {
        return JSON.readTree(line.ask("GET", path).body());
    }

    // ---- metrics

    @Test
    void whoGetsInAndWhoDoesNotIsCounted() throws IOException {
        admission = Rig.admission("deny = [denied]");
        var gateway = rig.open(settings, admission);
        try (var line = Line.to(gateway.address())) {
            assertThat(metrics(line))
                    .contains(
                            "voice_session_attempts_total{arm=\"none\",result=\"refused\",reason=\"unauthenticated\"} 0")
                    .contains("http_requests_total{status=\"401\"} 0");
            line.upgrade("/v1/realtime");
            line.upgrade("/v1/realtime", "Authorization: Bearer " + Rig.token("denied"));
            try (var talking = Line.to(gateway.address())) {
                talking.upgrade("/v1/ws/voice", "Authorization: Bearer " + Rig.token("anna"));
                talking.say("x");
                talking.hear();

                assertThat(metrics(line))
                        .contains(
                                "voice_session_attempts_total{arm=\"none\",result=\"refused\",reason=\"unauthenticated\"} 1")
                        .contains(
                                "voice_session_attempts_total{arm=\"control\",result=\"refused\",reason=\"not_in_rollout\"} 1")
                        .contains("voice_session_attempts_total{arm=\"voice\",result=\"admitted\",reason=\"none\"} 1")
                        .contains("voice_connections{face=\"voice\"} 1")
                        .contains("http_requests_total{status=\"101\"} 1")
                        .contains("http_requests_total{status=\"401\"} 1")
                        .contains("http_requests_total{status=\"403\"} 1");
                talking.hangUp();
            }
            Rig.await("the socket to close", () -> closed(line));
            assertThat(metrics(line)).contains("voice_connections{face=\"voice\"} 0");
        }
    }

    private static boolean closed(Line line) {
        try {
            return metrics(line).contains("voice_websocket_closes_total{code=\"1000\",initiator=\"peer\"} 1");
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }

    private static String metrics(Line line) throws IOException {
        var reply = line.ask("GET", "/metrics");
        assertThat(reply.status()).isEqualTo(200);
        return reply.body();
    }

    @Test
    void metricsComeInThreeForms() throws IOException {
        try (var line = line()) {
            var text = line.ask("GET", "/metrics");
            var open = line.ask("GET", "/metrics", "Accept: application/openmetrics-text; version=1.0.0");
            var json = line.ask("GET", "/api/metrics");

            assertThat(text.header("content-type")).isEqualTo("text/plain; version=0.0.4; charset=UTF-8");
            assertThat(text.header("cache-control")).isEqualTo("no-store");
            assertThat(open.header("content-type")).startsWith("application/openmetrics-text");
            assertThat(open.body()).endsWith("# EOF\n");
            assertThat(JSON.readTree(json.body())
                            .at("/metrics/voice_connections/series/0/value")
                            .isNumber())
                    .isTrue();
            assertThat(line.ask("GET", "/api/metrics?format=prom").body()).contains("# TYPE voice_connections gauge");
            assertThat(line.ask("GET", "/api/metrics?format=xml").status()).isEqualTo(400);
            assertThat(line.ask("POST", "/metrics").status()).isEqualTo(405);
        }
    }

    @Test
    void metricsBehindATokenAreForOperators() throws IOException {
        var routes = new MetricsRoutes(
                new Meters(),
                new Operators(Rig.settings("api-token = " + API_TOKEN), Gateway.tokens(settings), denied -> {}),
                false);
        var function = new GatewayRoutes(
                        List.of(routes.routes()),
                        new Origins(Set.of()),
                        rig.system.settings().config())
                .routes()
                .function(rig.system);

        for (var path : List.of("/metrics", "/api/metrics")) {
            var request = HttpRequest.GET(path);
            assertThat(status(function, request)).isEqualTo(401);
            assertThat(status(function, bearer(request, Rig.token("anna")))).isEqualTo(403);
            assertThat(status(function, bearer(request, API_TOKEN))).isEqualTo(200);
        }
    }

    private static HttpRequest bearer(HttpRequest request, String token) {
        return request.addCredentials(HttpCredentials.createOAuth2BearerToken(token));
    }

    private static int status(Function<HttpRequest, CompletionStage<HttpResponse>> routes, HttpRequest request) {
        try {
            return Rig.get(routes.apply(request)).status().intValue();
        } catch (Exception fault) {
            throw new AssertionError(fault);
        }
    }

    // ---- traces

    @Test
    void theCallersTraceIsGoneOnWithAndNamedInTheAnswer() throws IOException {
        var gateway = rig.open(settings, admission);
        var bearer = "Authorization: Bearer " + Rig.token("anna");
        var trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        try (var line = Line.to(gateway.address())) {
            var named = line.upgrade("/v1/realtime", bearer, "traceparent: 00-" + trace + "-00f067aa0ba902b7-01");

            assertThat(named.header("traceresponse")).startsWith("00-" + trace + "-");
            line.say("x");
            line.hear();
            assertThat(rig.sessions.joins().remove().trace()).contains(trace);
        }
        for (var none : List.of("", "00-" + "0".repeat(32) + "-00f067aa0ba902b7-01", "ff-x", trace)) {
            try (var line = Line.to(gateway.address())) {
                var begun = line.upgrade("/v1/realtime", bearer, none.isEmpty() ? "X-None: 1" : "traceparent: " + none);

                assertThat(begun.status()).isEqualTo(101);
                assertThat(begun.header("traceresponse"))
                        .matches("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]");
            }
        }
    }

    // ---- health

    @Test
    void allIsWell() throws IOException {
        try (var line = line()) {
            assertThat(line.ask("GET", "/health/voice").body())
                    .isEqualTo("{\"ws\":true,\"clients\":0,\"last_error\":null}");
            var feature = json(line, "/v1/voice/health");
            assertThat(feature.path("status").asText()).isEqualTo("healthy");
            assertThat(feature.path("feature_enabled").asBoolean()).isTrue();
            var checks = line.ask("GET", "/api/voice/health");
            assertThat(checks.status()).isEqualTo(200);
            assertThat(JSON.readTree(checks.body()).path("status").asText()).isEqualTo("healthy");
            assertThat(JSON.readTree(checks.body()).path("checks").toString())
                    .isEqualTo(
                            "{\"database\":\"healthy\",\"provider\":\"healthy\",\"cluster\":\"healthy\",\"voice_services\":\"healthy\"}");
        }
    }

    @Test
    void theLastTroubleOfAWebSocketIsTold() throws IOException {
        try (var line = line()) {
            line.upgrade("/v1/realtime", "Authorization: Bearer wrong");

            var told = json(line, "/health/voice").path("last_error");
            assertThat(told.path("error").asText()).isEqualTo("unauthenticated");
            assertThat(Instant.parse(told.path("at").asText())).isAfter(Instant.EPOCH);
        }
    }

    @Test
    void eachPartThatFailsIsNamed() throws IOException {
        try (var line = line()) {
            for (var broken : Map.of(
                            "database", new Vitals(false, true, true),
                            "provider", new Vitals(true, false, true),
                            "cluster", new Vitals(true, true, false))
                    .entrySet()) {
                rig.sessions.health().set(broken.getValue());
                var answer = line.ask("GET", "/api/voice/health");

                assertThat(answer.status()).isEqualTo(503);
                var checks = JSON.readTree(answer.body()).path("checks");
                assertThat(checks.path(broken.getKey()).asText()).isEqualTo("unhealthy");
                assertThat(checks.findValuesAsText(broken.getKey())).hasSize(1);
                assertThat(json(line, "/v1/voice/health").path("status").asText())
                        .isEqualTo("unhealthy");
            }
        }
    }

    @Test
    void voiceThatIsSwitchedOffIsNoFault() throws IOException {
        try (var line = line()) {
            rig.rollouts.rule = Decision.Why.KILLED;

            assertThat(json(line, "/v1/voice/health").path("status").asText()).isEqualTo("disabled");
            assertThat(json(line, "/v1/voice/health").path("feature_enabled").asBoolean(true))
                    .isFalse();
            assertThat(json(line, "/health/voice").path("ws").asBoolean(true)).isFalse();
            var checks = line.ask("GET", "/api/voice/health");
            assertThat(checks.status()).isEqualTo(200);
            assertThat(JSON.readTree(checks.body()).at("/checks/voice_services").asText())
                    .isEqualTo("disabled");
        }
    }

    @Test
    void aNodeThatDrainsSaysSo() throws IOException {
        var gateway = rig.open(settings, admission);
        try (var line = Line.to(gateway.address())) {
            line.ask("GET", "/health");
            gateway.unbind();

            var checks = line.ask("GET", "/api/voice/health");
            assertThat(checks.status()).isEqualTo(503);
            assertThat(JSON.readTree(checks.body()).at("/checks/voice_services").asText())
                    .isEqualTo("draining");
        }
    }
}
