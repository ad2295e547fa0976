package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.entity;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathEnd;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;
import static org.apache.pekko.http.javadsl.server.Directives.post;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Set;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.jspecify.annotations.Nullable;
import parley.admission.Actor;
import parley.admission.SharedToken;
import parley.admission.SharedTokens;
import parley.admission.SharedTokens.Rotated;

/** {@code /admin/tokens/ws}: the token that the callers of {@code /ws} share, never told but once, and its rotation. */
final class WsTokenRoutes {
    private static final String BODY =
            " (expected: {\"reason\", \"overlap\", \"token\", \"expected_revision\"}, each but the reason may be left out)";
    private static final Set<String> KEYS = Set.of("overlap", "reason", "token", "expected_revision");
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final VoiceTokens tokens;
    private final Guard guard;

    WsTokenRoutes(VoiceTokens tokens, Guard guard) {
        this.tokens = tokens;
        this.guard = guard;
    }

    Route routes() {
        return pathPrefix(
                segment("admin").slash("tokens").slash("ws"),
                () -> concat(
                        pathEnd(() -> get(() -> guard.as(Role.VIEWER, actor -> current()))),
                        path(
                                "rotate",
                                () -> post(() -> guard.as(
                                        Role.ADMIN,
                                        actor -> entity(
                                                Unmarshaller.entityToByteArray(), body -> rotate(actor, body)))))));
    }

    private Route current() {
        var now = tokens.current();
        return now == null ? unknown() : Responses.json(200, shown(now));
    }

    private Route rotate(Actor actor, byte[] body) {
        if (!tokens.areTaken()) {
            return Responses.problem(Problem.conflict(
                    "ws_off", "there is no /ws on this node (expected: VOICE_WS_TOKEN, whatever its value)"));
        }
        var now = tokens.current();
        if (now == null) {
            return unknown();
        }
        try {
            var asked = parsed(body);
            var given = text(asked, "token");
            if (given != null && !VoiceTokens.TOKEN.matcher(given).matches()) {
                // Not repeated: it may be meant as a secret elsewhere.
                throw new IllegalArgumentException("token: " + given.length()
                        + " characters, or some that no header takes (expected: 32 to 256 letters, digits and"
                        + " - . _ ~ + /, = at the end)");
            }
            var token = given == null ? VoiceTokens.random() : given;
            var overlap = overlap(text(asked, "overlap"));
            return onSuccess(
                    tokens.rotate(token, overlap, actor, reason(text(asked, "reason")), revision(asked, now)),
                    rotated -> say(rotated, given == null ? token : null));
        } catch (IllegalArgumentException wrong) {
            return Responses.problem(Problem.badRequest(String.valueOf(wrong.getMessage())));
        }
    }

    /** @param token null: whoever asked knows it */
    private static Route say(Rotated rotated, @Nullable String token) {
        return switch (rotated) {
            case Rotated.Done(var now) -> {
                var json = shown(now);
                if (token != null) {
                    json.put("token", token);
                }
                yield complete(Responses.of(200, json));
            }
            case Rotated.Refused(var why, var detail) ->
                Responses.problem(
                        switch (why) {
                            case STALE -> Problem.stale(detail);
                            case NOT_NOW -> Problem.conflict("not_now", detail);
                            case INVALID, KEY_REUSED -> Problem.badRequest(detail);
                            case UNAVAILABLE -> Problem.unavailable(detail);
                        });
        };
    }

    private static ObjectNode shown(SharedToken now) {
        var json = JsonNodeFactory.instance.objectNode().put("revision", now.revision());
        var earlier = json.putArray("earlier");
        now.earlier()
                .forEach(before ->
                        earlier.addObject().put("until", before.until().toString()));
        if (now.by() == null || now.at() == null) {
            json.putNull("changed");
        } else {
            json.putObject("changed")
                    .put("by", now.by().id())
                    .put("at", now.at().toString())
                    .put("reason", now.reason());
        }
        return json;
    }

    private static Route unknown() {
        return Responses.problem(Problem.unavailable("this node has not heard which token is good"));
    }

    private static JsonNode parsed(byte[] body) {
        try {
            var asked = body.length == 0 ? JSON.createObjectNode() : JSON.readTree(body);
            if (!asked.isObject()) {
                throw new IllegalArgumentException("body: not a JSON object" + BODY);
            }
            asked.fieldNames().forEachRemaining(name -> {
                if (!KEYS.contains(name)) {
                    throw new IllegalArgumentException(name + ": unknown" + BODY);
                }
            });
            return asked;
        } catch (IOException malformed) {
            throw new IllegalArgumentException("body: not JSON" + BODY, malformed);
        }
    }

    private static @Nullable String text(JsonNode asked, String name) {
        var value = asked.path(name);
        if (!value.isTextual() && !value.isNull() && !value.isMissingNode()) {
            throw new IllegalArgumentException(name + ": not text" + BODY);
        }
        return value.isTextual() ? value.textValue() : null;
    }

    private static String reason(@Nullable String said) {
        if (said == null || said.isBlank()) {
            throw new IllegalArgumentException("reason: missing (expected: why the token is replaced, for the audit)");
        }
        return said;
    }

    /** Who names none is taken to have seen what this node knows. */
    private static long revision(JsonNode asked, SharedToken now) {
        var value = asked.path("expected_revision");
        if (!value.isIntegralNumber() && !value.isNull() && !value.isMissingNode()) {
            throw new IllegalArgumentException("expected_revision: " + value + " (expected: a number)");
        }
        return value.isIntegralNumber() ? value.longValue() : now.revision();
    }

    /** As in {@code 5m}, or as ISO 8601 has it. */
    private static Duration overlap(@Nullable String text) {
        if (text == null) {
            return Duration.ZERO;
        }
        try {
            var overlap = text.matches("[0-9]{1,6}[smhd]")
                    ? Duration.parse(
                            text.endsWith("d")
                                    ? "P" + text.toUpperCase(java.util.Locale.ROOT)
                                    : "PT" + text.toUpperCase(java.util.Locale.ROOT))
                    : Duration.parse(text);
            if (!overlap.isNegative() && overlap.compareTo(SharedTokens.LONGEST_OVERLAP) <= 0) {
                return overlap;
            }
        } catch (DateTimeException malformed) {
            // Said below.
        }
        throw new IllegalArgumentException("overlap: " + text + " (expected: such as 30s, 5m or 12h, at most "
                + SharedTokens.LONGEST_OVERLAP.toDays() + "d; 0s, or nothing, ends the present token at once)");
    }
}
