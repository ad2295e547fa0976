package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;

/**
 * R16: what a whole node answers is what its {@code /openapi.json} says: status, media type, headers, and every member of
 * the body, none left out and none besides. Each operation is called until it did what it is for, and was refused.
 *
 * <p>A new operation fails here until it is called.
 */
@Tag("client")
class OpenApiAnswersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PROBLEM = "application/problem+json";
    private static final Set<String> METHODS = Set.of("get", "put", "post", "delete", "patch");
    /** Told by any operation, and by none here: a node for tests takes as much as there is. */
    private static final String TOO_MANY = "429";

    private static final String SHARED = "shared-by-all-callers-of-tests-0123456789";

    /** Of its own, because what is changed here counts for everybody on it; and asks for a second pair of eyes. */
    private static final TestNode NODE = TestNode.start(Map.of(
            "parley.admission.four-eyes", true, "parley.gateway.metrics", "token", "parley.gateway.ws.token", SHARED));

    private final HttpClient http = HttpClient.newHttpClient();
    private final String caller = token("anna");
    private final String viewer = token("vic", "viewer");
    private final String operator = token("amir", "operator");
    private final String admin = token("ada", "admin");

    private final ObjectNode document = (ObjectNode) json(fetch("/openapi.json"));
    private final Map<String, Operation> operations = operations();
    private final ObjectNode closed = withoutOtherMembers();
    private final SchemaRegistry schemas = SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12,
            registry -> registry.schemaRegistryConfig(
                    SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));
    private final Map<String, Set<Integer>> met = new TreeMap<>();

    @AfterAll
    static void close() {
        NODE.close();
    }

    private record Operation(String path, String method, JsonNode tells) {}

    private record Answer(int status, HttpHeaders headers, String body) {
        JsonNode json() {
            return OpenApiAnswersTest.json(body);
        }
    }

    @Test
    void everyOperationAnswersAsItIsDescribed() throws Exception {
        aNodeAndItsPages();
        aCallersSessionAndItsTokens();
        operatorsAndSessions();
        theRollout();
        flags();

        operations.forEach((name, operation) -> {
            var statuses = met.getOrDefault(name, Set.of());
            assertThat(statuses).as(name + " did what it is for").anyMatch(status -> status < 400);
            boolean refuses = operation.tells().path("responses").properties().stream()
                    .map(Map.Entry::getKey)
                    .anyMatch(status -> status.compareTo("400") >= 0 && !status.equals(TOO_MANY));
            assertThat(statuses.stream().anyMatch(status -> status >= 400))
                    .as(name + " was refused")
                    .isEqualTo(refuses);
        });
    }

    // ---- calls

    private void aNodeAndItsPages() throws Exception {
        call("health", 200, "/health", null, null);
        call("voiceSockets", 200, "/health/voice", null, null);
        call("voiceFeature", 200, "/v1/voice/health", null, null);
        call("voiceChecks", 200, "/api/voice/health", null, null);
        call("scrape", 401, "/metrics", null, null);
        call("scrape", 200, "/metrics", viewer, null);
        call("scrape", 200, "/metrics", viewer, null, "Accept", "application/openmetrics-text");
        call("metrics", 403, "/api/metrics", caller, null);
        call("metrics", 400, "/api/metrics?format=xml", viewer, null);
        call("metrics", 200, "/api/metrics", viewer, null);
        call("callerPage", 200, "/", null, null);
        call("adminPage", 200, "/admin", null, null);
        var described = call("describe", 200, "/openapi.json", null, null);
        call("describe", 304, "/openapi.json", null, null, "If-None-Match", header(described, "ETag"));
        call("developmentToken", 200, "/v1/dev-token", null, null);
        call("developmentToken", 404, "/v1/dev-token", null, null, "X-Forwarded-For", "10.0.0.1");
    }

    private void aCallersSessionAndItsTokens() throws Exception {
        call("openSession", 401, "/v1/sessions", null, "{}");
        call("openSession", 400, "/v1/sessions", caller, "{\"face\": \"telephone\"}");
        var opened =
                call("openSession", 201, "/v1/sessions", caller, "{\"face\": \"voice\", \"model\": \"simulator\"}");
        var id = opened.json().path("id").asText();

        var session = call("session", 200, "/v1/sessions/" + id, caller, null).json();
        assertThat(session.path("rule").asText()).isEqualTo("bucket");
        assertThat(session.path("rollout_revision").isIntegralNumber()).isTrue();
        call("session", 404, "/v1/sessions/" + id, viewer, null);
        upgrade("voice", "/v1/ws/voice?session_id=" + id);
        upgrade("realtime", "/v1/realtime?model=simulator");
        upgrade("interview", "/api/v1/interviews/int-1/realtime/connect");
        call("interview", 426, "/api/v1/interviews/int-2/realtime/connect", caller, null);
        upgrade("sharedVoice", "/ws", SHARED);
        call("sharedVoice", 426, "/ws", SHARED, null);
        call("sharedToken", 200, "/admin/tokens/ws", viewer, null);
        call("sharedToken", 401, "/admin/tokens/ws", null, null);
        call("rotateSharedToken", 403, "/admin/tokens/ws/rotate", operator, "{}");
        call("rotateSharedToken", 400, "/admin/tokens/ws/rotate", admin, "{}");
        call("rotateSharedToken", 200, "/admin/tokens/ws/rotate", admin, "{\"reason\": \"drill\"}");
        call("voice", 426, "/v1/ws/voice", caller, null);
        call("voice", 401, "/v1/ws/voice", null, null);
        call("realtime", 426, "/v1/realtime", caller, null);
        call("realtime", 401, "/v1/realtime", "nobody's", null);
        call("transcript", 200, "/v1/sessions/" + id + "/transcript", caller, null);
        call("transcript", 404, "/v1/sessions/" + id + "/transcript", viewer, null);
        call("endSession", 404, "/v1/sessions/" + id, viewer, null);
        call("endSession", 200, "/v1/sessions/" + id, caller, null);

        call("refreshToken", 200, "/v1/tokens/refresh", caller, null);
        call("refreshToken", 401, "/v1/tokens/refresh", "nobody's", null);
        call("ticket", 200, "/v1/tickets", caller, null);
        call("ticket", 401, "/v1/tickets", null, null);
    }

    private void operatorsAndSessions() throws Exception {
        var id = call("openSession", 201, "/v1/sessions", caller, null)
                .json()
                .path("id")
                .asText();
        call("census", 200, "/admin/sessions?limit=1", viewer, null);
        call("census", 400, "/admin/sessions?limit=0", viewer, null);
        call("inspectSession", 200, "/admin/sessions/" + id, viewer, null);
        call("inspectSession", 403, "/admin/sessions/" + id, caller, null);
        call("inspectSession", 404, "/admin/sessions/sess_0010000000000000000000", viewer, null);
        call("inspectSession", 404, "/admin/sessions/nonsense", viewer, null);
        call("readTranscript", 200, "/admin/sessions/" + id + "/transcript", admin, null);
        call("readTranscript", 403, "/admin/sessions/" + id + "/transcript", operator, null);
        call("stopSession", 403, "/admin/sessions/" + id, viewer, null);
        call("stopSession", 200, "/admin/sessions/" + id, operator, null);

        call("costs", 200, "/admin/costs?by=day", viewer, null);
        call("costs", 200, "/admin/costs?by=session&format=csv", viewer, null);
        call("costs", 400, "/admin/costs?by=week", viewer, null);
        call("forgetUser", 403, "/admin/users/anna", operator, null);
        call("forgetUser", 200, "/admin/users/anna", admin, null);
    }

    private void theRollout() throws Exception {
        var rollout = call("rollout", 200, "/admin/rollout", viewer, null);
        call("rollout", 403, "/admin/rollout", caller, null);
        call("rollout", 401, "/admin/rollout", null, null);
        var tag = header(rollout, "ETag");

        var change =
                "{\"percentage\": 25, \"deny\": [\"mallory\"], \"tenants\": {\"red\": \"off\"}, \"reason\": \"ramp\"}";
        call("changeRollout", 428, "/admin/rollout", operator, change);
        call("changeRollout", 403, "/admin/rollout", viewer, change, "If-Match", tag);
        call("changeRollout", 400, "/admin/rollout", operator, "{\"percentage\": 125}", "If-Match", tag);
        var would = call("changeRollout", 200, "/admin/rollout?dry_run=true", operator, change, "If-Match", tag);
        assertThat(would.body()).startsWith("{\"dry_run\":true,");
        var changed = call(
                "changeRollout",
                200,
                "/admin/rollout",
                operator,
                change,
                "If-Match",
                tag,
                "Idempotency-Key",
                "\"k1\"",
                "Parley-Via",
                "cli");
        assertThat(changed.body()).startsWith("{\"dry_run\":false,");
        call("changeRollout", 412, "/admin/rollout", operator, change, "If-Match", tag);
        call(
                "changeRollout",
                422,
                "/admin/rollout",
                operator,
                "{\"percentage\": 26, \"reason\": \"ramp\"}",
                "If-Match",
                tag,
                "Idempotency-Key",
                "\"k1\"");
        // What is shown may be sent back as it is.
        var shown = call("rollout", 200, "/admin/rollout", viewer, null);
        call("changeRollout", 200, "/admin/rollout", operator, shown.body(), "If-Match", header(shown, "ETag"));

        shown = call("rollout", 200, "/admin/rollout", viewer, null);
        call(
                "changeRollout",
                202,
                "/admin/rollout",
                operator,
                "{\"allow\": [\"otto\"], \"reason\": \"a tester\"}",
                "If-Match",
                header(shown, "ETag"));
        var proposed = call("rollout", 200, "/admin/rollout", viewer, null).json();
        assertThat(proposed.path("allow")).isEmpty();
        assertThat(proposed.at("/proposed/diff/0/path").asText()).isEqualTo("/allow");
        call("act", 409, "/admin/rollout/approve", operator, "{\"reason\": \"my own\"}");
        call("act", 200, "/admin/rollout/approve", admin, "{\"reason\": \"seen\"}");
        call("act", 202, "/admin/rollout/promote", operator, null);
        call("act", 200, "/admin/rollout/reject", operator, "{\"reason\": \"not yet\"}");

        call("act", 200, "/admin/rollout/resume", operator, "{\"reason\": \"on\"}");
        call("act", 409, "/admin/rollout/resume", operator, "{\"reason\": \"on\"}");
        call("act", 200, "/admin/rollout/pause", operator, "{\"reason\": \"a look\"}");
        call("act", 200, "/admin/rollout/promote?dry_run=true", operator, null);
        call("act", 200, "/admin/rollout/rollback", operator, "{\"reason\": \"back\"}");
        call("act", 409, "/admin/rollout/promote", operator, null);
        call("act", 200, "/admin/rollout/promote?dry_run=true", operator, null);
        call("act", 400, "/admin/rollout/promote", operator, "{\"why\": \"?\"}");

        call("kill", 403, "/admin/rollout/kill", viewer, null);
        call("kill", 400, "/admin/rollout/kill", operator, "{\"live\": \"maybe\"}");
        call("kill", 200, "/admin/rollout/kill", operator, "{\"live\": \"finish_turn\", \"reason\": \"fire\"}");
        call("kill", 200, "/admin/rollout/kill", operator, null);
        call("openSession", 503, "/v1/sessions", caller, null);
        call("rollout", 200, "/admin/rollout", viewer, null);
        call("release", 400, "/admin/rollout/release", operator, "{\"reason\": \" \"}");
        call("release", 200, "/admin/rollout/release", operator, "{\"reason\": \"mended\"}");

        call("explain", 200, "/admin/rollout/decision?user=otto&tenant=red&cohorts=a,b", viewer, null);
        call("explain", 400, "/admin/rollout/decision", viewer, null);
        call("history", 200, "/admin/rollout/history?limit=200", viewer, null);
        call("history", 200, "/admin/rollout/history?order=desc&limit=20", viewer, null);
        call("history", 400, "/admin/rollout/history?limit=0", viewer, null);
        call("verifyHistory", 200, "/admin/rollout/history/verify", viewer, null);
        call("verifyHistory", 401, "/admin/rollout/history/verify", null, null);
        call("watch", 403, "/admin/rollout/events", caller, null);
        watch();
    }

    private void flags() throws Exception {
        var context = "{\"context\": {\"targetingKey\": \"otto\", \"cohorts\": [\"a\"]}}";
        var all = call("evaluateFlags", 200, "/ofrep/v1/evaluate/flags", viewer, context);
        call("evaluateFlags", 304, "/ofrep/v1/evaluate/flags", viewer, context, "If-None-Match", header(all, "ETag"));
        call("evaluateFlags", 400, "/ofrep/v1/evaluate/flags", viewer, "{\"context\": {}}");
        call("evaluateFlag", 200, "/ofrep/v1/evaluate/flags/voice-realtime", viewer, context);
        call("evaluateFlag", 404, "/ofrep/v1/evaluate/flags/other", viewer, context);
        call("evaluateFlag", 403, "/ofrep/v1/evaluate/flags/voice-realtime", caller, context);
    }

    private void upgrade(String name, String path) throws Exception {
        upgrade(name, path, caller);
    }

    private void upgrade(String name, String path, String bearer) throws Exception {
        var socket = http.newWebSocketBuilder()
                .header("Authorization", "Bearer " + bearer)
                .subprotocols("realtime")
                .buildAsync(NODE.ws(path), new WebSocket.Listener() {})
                .get(30, TimeUnit.SECONDS);
        assertThat(socket.getSubprotocol()).isEqualTo("realtime");
        note(name, 101);
        socket.abort();
    }

    private void watch() throws Exception {
        var request = HttpRequest.newBuilder(NODE.http("/admin/rollout/events"))
                .header("Authorization", "Bearer " + viewer)
                .build();
        var got = http.send(request, BodyHandlers.ofInputStream());
        try (var lines = new BufferedReader(new InputStreamReader(got.body(), StandardCharsets.UTF_8))) {
            var data = lines.lines()
                    .filter(line -> line.startsWith("data: "))
                    .findFirst()
                    .orElseThrow();
            assertThat(errors(schema("WatchedRollout"), json(data.substring("data: ".length()))))
                    .isEmpty();
        }
        check(operations.get("watch"), new Answer(got.statusCode(), got.headers(), ""));
        note("watch", got.statusCode());
    }

    /** @param token null: none */
    private Answer call(
            String name, int expected, String path, @Nullable String token, @Nullable String body, String... headers)
            throws Exception {
        var operation = operations.get(name);
        assertThat(operation).as(name + " is documented").isNotNull();
        assertThat(URI.create(path).getPath())
                .as(name)
                .matches(operation.path().replaceAll("\\{[^}]+}", "[^/]+").replace(".", "\\."));
        var request = HttpRequest.newBuilder(NODE.http(path))
                .method(
                        operation.method().toUpperCase(Locale.ROOT),
                        body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        for (int k = 0; k < headers.length; k += 2) {
            request.header(headers[k], headers[k + 1]);
        }

        var got = http.send(request.build(), BodyHandlers.ofString());

        var answer = new Answer(got.statusCode(), got.headers(), got.body());
        assertThat(answer.status()).as(name + " " + path + ": " + answer.body()).isEqualTo(expected);
        check(operation, answer);
        if (body != null && expected < 400) {
            var asked = operation.tells().at("/requestBody/content/application~1json/schema");
            assertThat(errors(rooted(document, asked), json(body), schemas))
                    .as(name + " takes " + body)
                    .isEmpty();
        }
        note(name, expected);
        return answer;
    }

    // ---- the document

    private void check(Operation operation, Answer answer) {
        var what = operation.method() + " " + operation.path() + " " + answer.status() + ": " + answer.body();
        var told = operation.tells().path("responses").path(Integer.toString(answer.status()));
        assertThat(told.isMissingNode()).as("not documented: " + what).isFalse();
        var response = resolved(told);
        response.path("headers").properties().forEach(header -> {
            var value = answer.headers().firstValue(header.getKey());
            var described = resolved(header.getValue());
            if (described.path("required").asBoolean()) {
                assertThat(value).as(header.getKey() + " of " + what).isPresent();
            }
            value.ifPresent(text -> assertThat(errors(
                            described.path("schema"), JSON.getNodeFactory().textNode(text)))
                    .as(header.getKey() + " of " + what)
                    .isEmpty());
        });
        if (!response.has("content")) {
            assertThat(answer.body()).as(what).isEmpty();
            return;
        }
        var type = answer.headers().firstValue("Content-Type").orElse("").replaceFirst(";.*", "");
        var content = response.path("content").path(type);
        assertThat(content.isMissingNode()).as(type + " of " + what).isFalse();
        if (type.equals("application/json") || type.equals(PROBLEM)) {
            assertThat(errors(content.path("schema"), answer.json())).as(what).isEmpty();
        }
    }

    /** With no member besides those that are described. */
    private List<String> errors(JsonNode schema, JsonNode value) {
        var root = rooted(closed, schema);
        if (schema.has("$ref") || schema.has("properties")) {
            root.put("unevaluatedProperties", false);
        }
        return errors(root, value, schemas);
    }

    private ObjectNode rooted(JsonNode described, JsonNode schema) {
        var root = JSON.createObjectNode();
        root.set("components", described.path("components"));
        root.putArray("allOf").add(schema);
        return root;
    }

    private static List<String> errors(ObjectNode root, JsonNode value, SchemaRegistry schemas) {
        return schemas.getSchema(root).validate(value).stream()
                .map(Object::toString)
                .toList();
    }

    private JsonNode schema(String name) {
        return closed.objectNode().put("$ref", "#/components/schemas/" + name);
    }

    private JsonNode resolved(JsonNode node) {
        return node.has("$ref") ? closed.at(node.path("$ref").asText().substring(1)) : node;
    }

    private Map<String, Operation> operations() {
        var operations = new TreeMap<String, Operation>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue().properties().stream()
                        .filter(operation -> METHODS.contains(operation.getKey()))
                        .forEach(operation -> operations.put(
                                operation.getValue().path("operationId").asText(),
                                new Operation(path.getKey(), operation.getKey(), operation.getValue()))));
        return operations;
    }

    /** The document leaves room for members that are added later. What there is has to be in it. */
    private ObjectNode withoutOtherMembers() {
        var strict = document.deepCopy();
        var extended = new HashSet<String>();
        strict.findValues("allOf").forEach(all -> all.findValuesAsText("$ref").forEach(extended::add));
        strict.at("/components/schemas")
                .properties()
                .forEach(schema ->
                        close(schema.getValue(), !extended.contains("#/components/schemas/" + schema.getKey())));
        return strict;
    }

    private static void close(JsonNode schema, boolean itself) {
        if (itself
                && schema instanceof ObjectNode object
                && (schema.has("properties") || schema.has("allOf"))
                && !schema.has("additionalProperties")) {
            object.put("unevaluatedProperties", false);
        }
        schema.path("properties").forEach(member -> close(member, true));
        close(schema, "items");
        close(schema, "additionalProperties");
    }

    private static void close(JsonNode schema, String keyword) {
        if (schema.path(keyword).isObject()) {
            close(schema.path(keyword), true);
        }
    }

    // ---- the rest

    private void note(String name, int status) {
        met.computeIfAbsent(name, first -> new TreeSet<>()).add(status);
    }

    private static String header(Answer answer, String name) {
        return answer.headers().firstValue(name).orElseThrow();
    }

    private String fetch(String path) {
        try {
            return http.send(HttpRequest.newBuilder(NODE.http(path)).build(), BodyHandlers.ofString())
                    .body();
        } catch (IOException | InterruptedException lost) {
            throw new AssertionError(lost);
        }
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException malformed) {
            throw new AssertionError(text, malformed);
        }
    }

    private static String token(String user, String... roles) {
        return Gateway.tokens(NODE.node().settings().gateway())
                .sign(new Tokens.Bearer(new CallerId(user, "default"), List.of(roles)), Duration.ofMinutes(15));
    }
}
