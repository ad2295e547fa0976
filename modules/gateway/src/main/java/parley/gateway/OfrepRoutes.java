package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.entity;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.mapResponse;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathEnd;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;
import static org.apache.pekko.http.javadsl.server.Directives.post;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.admission.Rollouts;

/**
 * {@code /ofrep/v1}: the flag as any OpenFeature client asks for it (OpenFeature Remote Evaluation Protocol 0.3).
 *
 * <p>Every answer has all five members, and a body of JSON with {@code metadata}, refusals included: the published
 * providers fail without.
 */
final class OfrepRoutes {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FLAG = "voice-realtime";
    private static final Set<String> FLAGS = Set.of(FLAG);

    private final Rollouts rollouts;
    private final Guard guard;

    OfrepRoutes(Rollouts rollouts, Guard guard) {
        this.rollouts = rollouts;
        this.guard = guard;
    }

    Route routes() {
        return pathPrefix(
                segment("ofrep").slash("v1").slash("evaluate").slash("flags"),
                () -> concat(
                        pathEnd(() -> spoken("", () -> post(() -> asked(this::all)))),
                        path(segment(), key -> spoken(key, () -> post(() -> asked(context -> one(key, context)))))));
    }

    private Route one(String key, ObjectNode context) {
        if (!FLAGS.contains(key)) {
            return complete(failed(404, key, "FLAG_NOT_FOUND", "no flag " + key + " (expected: " + FLAG + ")"));
        }
        var caller = caller(context);
        return caller == null
                ? complete(failed(400, key, "TARGETING_KEY_MISSING", "targetingKey: missing (expected: the user's id)"))
                : complete(Responses.of(200, evaluated(caller, context)));
    }

    /** Whoever asks again with the tag of the last answer is told that nothing changed. */
    private Route all(ObjectNode context) {
        var caller = caller(context);
        if (caller == null) {
            return complete(
                    failed(400, "", "TARGETING_KEY_MISSING", "targetingKey: missing (expected: the user's id)"));
        }
        var tag = tag(context);
        return extractRequest(request -> {
            var known =
                    request.getHeader("If-None-Match").map(HttpHeader::value).orElse("");
            if (known.equals(tag)) {
                return complete(HttpResponse.create().withStatus(304).addHeader(RawHeader.create("ETag", tag)));
            }
            var json = JSON.createObjectNode();
            json.putArray("flags").add(evaluated(caller, context));
            json.putObject("metadata")
                    .put("version", Long.toString(rollouts.current().revision()));
            return complete(Responses.of(200, json).addHeader(RawHeader.create("ETag", tag)));
        });
    }

    private ObjectNode evaluated(CallerId caller, ObjectNode context) {
        var cohorts = StreamSupport.stream(context.path("cohorts").spliterator(), false)
                .map(JsonNode::asText)
                .collect(Collectors.toSet());
        var explained = rollouts.explain(caller, cohorts);
        var json = JSON.createObjectNode()
                .put("key", FLAG)
                .put("value", explained.served())
                .put("variant", !explained.served() ? "off" : explained.arm() == Arm.VOICE ? "on" : "control")
                .put("reason", reason(explained));
        json.putObject("metadata")
                .put("revision", explained.revision())
                .put("bucket", explained.bucket())
                .put("arm", explained.arm().name().toLowerCase(Locale.ROOT))
                .put("rule", explained.rule().name().toLowerCase(Locale.ROOT));
        return json;
    }

    private String reason(Rollouts.Explained explained) {
        var flag = rollouts.current().flag();
        return switch (explained.rule()) {
            case NODE_OFF, KILLED, SWITCHED_OFF, SUSPENDED -> "DISABLED";
            case DENIED, TENANT, ALLOWED, COHORT -> "TARGETING_MATCH";
            case BUCKET ->
                (explained.percentage() == 0 || explained.percentage() == 100)
                                && flag.allow().isEmpty()
                                && flag.deny().isEmpty()
                        ? "STATIC"
                        : "SPLIT";
            case BUDGET, NODE_FULL, TENANT_FULL, CALLER_FULL -> "UNKNOWN";
        };
    }

    private static @Nullable CallerId caller(ObjectNode context) {
        var user = context.path("targetingKey").asText("");
        var tenant = context.path("tenant").asText("");
        return user.isEmpty() ? null : new CallerId(user, tenant.isEmpty() ? "default" : tenant);
    }

    /** Another state or another context is another answer. */
    private String tag(ObjectNode context) {
        try {
            var hash = java.security.MessageDigest.getInstance("SHA-256")
                    .digest((rollouts.current().revision() + " " + rollouts.kill() + " " + context)
                            .getBytes(StandardCharsets.UTF_8));
            return "\"" + HexFormat.of().formatHex(hash, 0, 16) + "\"";
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }

    private Route asked(Function<ObjectNode, Route> inner) {
        return guard.as(
                Role.VIEWER,
                actor -> entity(Unmarshaller.entityToByteArray(), body -> {
                    JsonNode parsed;
                    try {
                        parsed = JSON.readTree(body);
                    } catch (IOException malformed) {
                        return complete(
                                failed(400, "", "PARSE_ERROR", "body: not JSON (expected: {\"context\": {…}})"));
                    }
                    return parsed.path("context") instanceof ObjectNode context
                            ? inner.apply(context)
                            : complete(failed(
                                    400, "", "INVALID_CONTEXT", "context: missing (expected: {\"context\": {…}})"));
                }));
    }

    /** Refusals of the doors before this one, in this protocol's words. */
    private static Route spoken(String key, java.util.function.Supplier<Route> inner) {
        return mapResponse(
                response -> response.status().intValue() < 400
                                || response.getHeader("X-OFREP").isPresent()
                        ? response.removeHeader("X-OFREP")
                        : response.withEntity(failed(response.status().intValue(), key, "GENERAL", "refused")
                                .entity()),
                inner);
    }

    private static HttpResponse failed(int status, String key, String code, String details) {
        var json =
                JSON.createObjectNode().put("key", key).put("errorCode", code).put("errorDetails", details);
        json.putObject("metadata");
        var response = Responses.of(status, json).addHeader(RawHeader.create("X-OFREP", code));
        return status == 429 || status == 503 ? response.addHeader(RawHeader.create("Retry-After", "5")) : response;
    }
}
