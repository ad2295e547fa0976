package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.admission.Actor;
import parley.admission.CallerId;
import parley.admission.Kill;
import parley.admission.Rollout;
import parley.admission.Rollouts;
import parley.admission.Rollouts.Action;
import parley.admission.Rollouts.Changed;
import parley.admission.Signal;

/** L1, L2, L4, R2, R11, R16: through a bound gateway. */
@Tag("route")
class RolloutRoutesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Rig rig = new Rig();
    private final FakeRollouts rollouts = rig.rollouts;
    private final Gateway gateway = rig.open(Rig.settings(), Rig.admission());
    private final HttpClient http = HttpClient.newHttpClient();

    @AfterEach
    void close() {
        Rig.get(gateway.close());
        rig.close();
    }

    @Test
    void theRolloutIsShownWithItsRevisionAsATag() throws Exception {
        var got = ask("GET", "", null, "viewer");

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(got.headers().firstValue("etag")).hasValue("\"rev-0\"");
        var json = json(got);
        assertThat(json.path("flag").asText()).isEqualTo("voice-realtime");
        assertThat(json.path("state").asText()).isEqualTo("completed");
        assertThat(json.path("percentage").asInt()).isEqualTo(100);
        assertThat(json.path("plan").path("steps")).hasSize(4);
        assertThat(json.path("killed").isNull()).isTrue();
    }

    @Test
    void aChangeSaysWhatItReplacesAndIsPassedOnAsItStands() throws Exception {
        var got = ask(
                "PUT",
                "",
                "{\"percentage\": 25, \"allow\": [\"anna\"], \"tenants\": {\"red\": \"off\"}, \"reason\": \"ramp\"}",
                "operator",
                "If-Match",
                "\"rev-7\"",
                "Idempotency-Key",
                "\"abc\"");

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(rollouts.asked)
                .containsExactly(
                        new Rollouts.Proposal(
                                null,
                                25,
                                null,
                                Set.of("anna"),
                                null,
                                null,
                                java.util.Map.of("red", parley.admission.Flag.Tenant.OFF),
                                null),
                        new Rollouts.Request(
                                new Actor("user", "amir@default", "operator", "api"), "ramp", 7L, "abc", false));
        assertThat(json(got).path("users").path("entering_percent").asInt()).isEqualTo(25);
    }

    @Test
    void aChangeThatDoesNotSayWhatItReplacesIsRefused() throws Exception {
        var got = ask("PUT", "", "{\"percentage\": 25}", "operator");

        assertThat(got.statusCode()).isEqualTo(428);
        assertThat(rollouts.asked).isEmpty();
    }

    @Test
    void whoIsTooLateGetsThePresentStateAndTheOthersName() throws Exception {
        var now = new Rollout(
                9,
                Rollout.Phase.RUNNING,
                rollouts.current.flag(),
                rollouts.current.plan(),
                1,
                Instant.EPOCH,
                new Rollout.Change(new Actor("user", "bea", "operator", "ui"), Instant.EPOCH, "ramp"));
        rollouts.answer = new Changed.Refused(Rollouts.Refusal.STALE, "revision: 7 (expected: 9)", now);

        var got = ask("PUT", "", "{\"percentage\": 25, \"reason\": \"ramp\"}", "operator", "If-Match", "\"rev-7\"");

        assertThat(got.statusCode()).isEqualTo(412);
        assertThat(got.headers().firstValue("etag")).hasValue("\"rev-9\"");
        assertThat(json(got).path("changed_by").asText()).isEqualTo("bea");
        assertThat(json(got).path("current").path("revision").asInt()).isEqualTo(9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"percentage\": \"25\"} | percentage: \"25\" (expected: a whole number, 0..100)",
                "{\"percentage\": 2.5} | percentage: 2.5 (expected: a whole number, 0..100)",
                "{\"percent\": 25} | percent: not known (expected: one of",
                "{\"enabled\": 1} | enabled: 1 (expected: true or false)",
                "{\"allow\": \"anna\"} | allow: a JSON string (expected: an array of text)",
                "{\"tenants\": {\"red\": \"maybe\"}} | tenants: red: \"maybe\" (expected: \"on\" or \"off\")",
                "{\"plan\": {\"steps\": [{\"percentage\": 5, \"bake\": \"soon\"}]}} | plan: bake soon (expected: an ISO",
                "{\"plan\": {\"steps\": [{\"percentage\": 50}, {\"percentage\": 5}]}} | plan: 5 % after 50 % (expected: rising)",
                "[] | body: a JSON array (expected: a JSON object, such as {\"reason\": \"why\"})",
                "{half | body: not JSON, line 1, column ",
                "{\"percentage\": 5} {} | body: not JSON, line 1, column ",
                "{\"percentage\": 5, \"percentage\": 50} | body: not JSON, line 1, column "
            })
    void aBadValueIsNamed(String body, String expected) throws Exception {
        var got = ask("PUT", "", body, "operator", "If-Match", "\"rev-0\"");

        assertThat(got.statusCode()).isEqualTo(400);
        assertThat(json(got).path("detail").asText()).contains(expected.strip());
        assertThat(rollouts.asked).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"promote, PROMOTE", "pause, PAUSE", "resume, RESUME", "rollback, ROLLBACK"})
    void actionsArePassedOn(String name, Action action) throws Exception {
        var got = ask("POST", "/" + name + "?dry_run=true", "{\"reason\": \"why\"}", "operator");

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(rollouts.asked)
                .containsExactly(
                        action,
                        new Rollouts.Request(
                                new Actor("user", "amir@default", "operator", "api"), "why", null, null, true));
    }

    @ParameterizedTest
    @CsvSource({"INVALID, 400", "NOT_NOW, 409", "KEY_REUSED, 422", "UNAVAILABLE, 503"})
    void refusalsHaveAStatusEach(Rollouts.Refusal why, int status) throws Exception {
        rollouts.answer = new Changed.Refused(why, "because", rollouts.current);

        assertThat(ask("POST", "/promote", "{\"reason\": \"why\"}", "operator").statusCode())
                .isEqualTo(status);
    }

    @Test
    void aKillNeedsNoConditionAndTellsWhoKnows() throws Exception {
        var got = ask("POST", "/kill", "{\"reason\": \"fire\", \"live\": \"close\"}", "operator");

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(json(got).path("acked").get(0).asText()).isEqualTo("n1");
        assertThat(json(got).path("elapsed_ms").asInt()).isEqualTo(41);
        assertThat(rollouts.kill.live()).isEqualTo(Kill.Live.CLOSE);
        assertThat(rollouts.kill.reason()).isEqualTo("fire");
    }

    @Test
    void aKillWithoutABodyFinishesTurns() throws Exception {
        assertThat(ask("POST", "/kill", null, "operator").statusCode()).isEqualTo(200);
        assertThat(rollouts.kill.live()).isEqualTo(Kill.Live.FINISH_TURN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"reason\": null}", "{\"reason\": \"  \"}"})
    void nobodyIsAskedForAReasonInAnEmergency(String body) throws Exception {
        var got = ask("POST", "/kill", body, "operator");

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(rollouts.kill.reason()).isEqualTo("no reason given");
        assertThat(json(got).path("killed").path("reason").asText()).isEqualTo("no reason given");
    }

    @Test
    void aKillIsNotRefusedForTooLongAReasonEither() throws Exception {
        var got = ask("POST", "/kill", "{\"reason\": \"" + "x".repeat(600) + "\"}", "operator");

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(rollouts.kill.reason()).isEqualTo("x".repeat(500));
        assertThat(ask("POST", "/release", "{\"reason\": \"" + "x".repeat(501) + "\"}", "operator")
                        .statusCode())
                .isEqualTo(400);
    }

    /** A character that is cut in two, and one that came so: neither could be told to another node. */
    @ParameterizedTest
    @ValueSource(strings = {"\\ud83d", "\\ud83d\\ude00"})
    void aKillIsNotRefusedForHalfACharacter(String emoji) throws Exception {
        var got = ask("POST", "/kill", "{\"reason\": \"" + "x".repeat(499) + emoji + "\"}", "operator");

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(rollouts.kill.reason()).isEqualTo("x".repeat(499) + "?");
    }

    @Test
    void aReleaseNeedsAReasonAndIsAcceptedWhileSomeNodeDoesNotKnow() throws Exception {
        assertThat(ask("POST", "/release", "{}", "operator").statusCode()).isEqualTo(400);

        var got = ask("POST", "/release", "{\"reason\": \"mended\"}", "operator");

        assertThat(got.statusCode()).isEqualTo(202);
        assertThat(json(got).path("missing").get(0).asText()).isEqualTo("n2");
        assertThat(json(got).path("killed").isNull()).isTrue();
    }

    @Test
    void aDecisionIsExplained() throws Exception {
        var got = ask("GET", "/decision?user=anna&tenant=red", null, "viewer");

        assertThat(json(got).path("user").asText()).isEqualTo("anna");
        assertThat(json(got).path("tenant").asText()).isEqualTo("red");
        assertThat(json(got).path("bucket").asInt()).isEqualTo(7);
        assertThat(ask("GET", "/decision", null, "viewer").statusCode()).isEqualTo(400);
    }

    @Test
    void historyIsReadPageByPage() throws Exception {
        var first = ask("GET", "/history?limit=3", null, "viewer");
        var rest = ask("GET", "/history?after=3&limit=3", null, "viewer");

        assertThat(json(first).path("lines")).hasSize(3);
        assertThat(first.headers().firstValue("link"))
                .hasValueSatisfying(link -> assertThat(link).contains("after=3"));
        assertThat(json(rest).path("lines")).hasSize(2);
        assertThat(rest.headers().firstValue("link")).isEmpty();
        assertThat(ask("GET", "/history?limit=0", null, "viewer").statusCode()).isEqualTo(400);
    }

    @Test
    void historyIsReadFromItsNewestLine() throws Exception {
        var newest = ask("GET", "/history?order=desc&limit=3", null, "viewer");
        var rest = ask("GET", "/history?order=desc&before=3&limit=2", null, "viewer");

        assertThat(json(newest).path("lines"))
                .extracting(line -> line.path("seq").asInt())
                .containsExactly(5, 4, 3);
        assertThat(newest.headers().firstValue("link"))
                .hasValue("</admin/rollout/history?order=desc&before=3&limit=3>; rel=\"next\"");
        assertThat(json(rest).path("lines"))
                .extracting(line -> line.path("seq").asInt())
                .containsExactly(2, 1);
        assertThat(rest.headers().firstValue("link")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "order=newest|order: newest (expected: asc or desc)",
                "limit=0|limit: 0 (expected: 1..200)",
                "limit=201|limit: 201 (expected: 1..200)",
                "order=desc&limit=many|limit: many (expected: 1..200)",
                "after=-1|after: -1 (expected: the number of a line)",
                "order=desc&before=0|before: 0 (expected: the number of a line)",
                "order=desc&after=3|after: not with order=desc",
                "before=3|before: not without order=desc",
            })
    void aPageOfTheHistoryThatCannotBeIsRefused(String query, String why) throws Exception {
        var got = ask("GET", "/history?" + query, null, "viewer");

        assertThat(got.statusCode()).isEqualTo(400);
        assertThat(json(got).path("detail").textValue()).contains(why);
    }

    @Test
    void eventsBeginWithTheStateAndLeaveOutWhatTheWatcherHas() throws Exception {
        var fresh = ask("GET", "/events", null, "viewer");
        var again = ask("GET", "/events", null, "viewer", "Last-Event-ID", "0");

        assertThat(fresh.headers().firstValue("content-type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
        assertThat(fresh.body()).contains("retry: 2000", "id: 0\nevent: rollout.changed\ndata: {");
        assertThat(again.body()).doesNotContain("rollout.changed").contains("event: rollout.kill");
    }

    @Test
    void guardrailsAreShownWithWhatTheStepWaitsFor() throws Exception {
        rollouts.guardrails = new Rollouts.GuardrailReport(
                7,
                List.of(new Rollouts.GuardrailView(
                        "connection_success",
                        Signal.CONNECTION,
                        0.1,
                        "control",
                        "rollback_previous",
                        false,
                        "inconclusive",
                        "none",
                        1.4,
                        7,
                        0.024,
                        0.006,
                        0.09,
                        41,
                        120,
                        46,
                        "41 sessions of the 46 that it takes to pass",
                        new Rollouts.Detection(0.99, 0.9, 78, 0.86))),
                List.of(
                        new Rollouts.Waiting("bake", "", "PT5M", "PT15M"),
                        new Rollouts.Waiting("evidence", "connection_success", "41", "46")));

        var got = ask("GET", "", null, "viewer");
        var events = ask("GET", "/events", null, "viewer");

        var expected = JSON.readTree("""
                [{"id": "connection_success", "signal": "connection", "bound": 0.1, "comparator": "control",
                  "on_fail": "rollback_previous", "observe_only": false, "verdict": "inconclusive", "cause": "none",
                  "score": 1.4, "limit": 7.0, "observed": 0.024, "low": 0.006, "high": 0.09, "samples": 41,
                  "control_samples": 120, "needed": 46, "why": "41 sessions of the 46 that it takes to pass",
                  "detects": {"from": 0.99, "to": 0.9, "sessions": 78, "visible": 0.86, "sessions_per_hour": null}}]""");
        assertThat(json(got).path("guardrails")).isEqualTo(expected);
        assertThat(json(got).path("waiting_for")).isEqualTo(JSON.readTree("""
                [{"kind": "bake", "guardrail": null, "have": "PT5M", "need": "PT15M"},
                 {"kind": "evidence", "guardrail": "connection_success", "have": 41, "need": 46}]"""));
        var data = events.body()
                .lines()
                .dropWhile(line -> !line.equals("event: guardrail.verdict"))
                .skip(1)
                .findFirst()
                .orElseThrow();
        assertThat(JSON.readTree(data.substring("data: ".length()))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/decision?user=a", "/history", "/history/verify", "/events"})
    void whoMayOnlyCallMayNotLook(String path) throws Exception {
        assertThat(ask("GET", path, null, "").statusCode()).isEqualTo(403);
        assertThat(rollouts.asked)
                .singleElement()
                .asString()
                .startsWith("amir@default ")
                .contains("/admin/rollout");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/promote", "/pause", "/resume", "/rollback", "/kill", "/release"})
    void whoMayOnlyLookMayNotTouch(String path) throws Exception {
        assertThat(ask("POST", path, "{\"reason\": \"x\"}", "viewer").statusCode())
                .isEqualTo(403);
        assertThat(rollouts.asked)
                .singleElement()
                .asString()
                .startsWith("amir@default ")
                .contains("/admin/rollout");
    }

    @Test
    void whoSaysNothingOfThemselvesIsAsked() throws Exception {
        var got = http.send(
                HttpRequest.newBuilder(address(""))
                        .timeout(Duration.ofMinutes(1))
                        .build(),
                BodyHandlers.ofString());

        assertThat(got.statusCode()).isEqualTo(401);
    }

    private HttpResponse<String> ask(
            String method, String path, @org.jspecify.annotations.Nullable String body, String role, String... headers)
            throws Exception {
        var token = Gateway.tokens(Rig.settings())
                .sign(
                        new Tokens.Bearer(new CallerId("amir", "default"), role.isEmpty() ? List.of() : List.of(role)),
                        Duration.ofMinutes(15));
        var request = HttpRequest.newBuilder(address(path))
                .timeout(Duration.ofMinutes(1))
                .header("Authorization", "Bearer " + token)
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        for (int number = 0; number < headers.length; number += 2) {
            request.header(headers[number], headers[number + 1]);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private URI address(String path) {
        return URI.create("http://127.0.0.1:" + gateway.address().getPort() + "/admin/rollout" + path);
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        return JSON.readTree(response.body());
    }
}
