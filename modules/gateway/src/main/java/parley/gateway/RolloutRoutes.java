package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.entity;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.onComplete;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.parameterMap;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathEnd;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;
import static org.apache.pekko.http.javadsl.server.Directives.post;
import static org.apache.pekko.http.javadsl.server.Directives.put;
import static org.apache.pekko.http.javadsl.server.Directives.reject;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import parley.admission.Actor;
import parley.admission.CallerId;
import parley.admission.Kill;
import parley.admission.Rollouts;
import parley.admission.Rollouts.Action;
import parley.admission.Rollouts.Changed;
import parley.admission.Rollouts.Happening;
import parley.admission.Rollouts.Request;

/** {@code /admin/rollout}: how many get voice, who, and why; and the switch that stops it everywhere. */
final class RolloutRoutes {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final int MOST_LINES = 200;
    private static final int LONGEST_REASON = 500;
    private static final String BODY = " (expected: a JSON object, such as {\"reason\": \"why\"})";
    /** Shorter than what proxies take for dead, and than this server's own request-timeout. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(15);

    private static final Map<String, Action> ACTIONS =
            Arrays.stream(Action.values()).collect(Collectors.toMap(RolloutRoutes::word, Function.identity()));
    private static final Map<String, Kill.Live> LIVE =
            Arrays.stream(Kill.Live.values()).collect(Collectors.toMap(RolloutRoutes::word, Function.identity()));

    private final Rollouts rollouts;
    private final Guard guard;
    private final Clock clock;

    RolloutRoutes(Rollouts rollouts, Guard guard, Clock clock) {
        this.rollouts = rollouts;
        this.guard = guard;
        this.clock = clock;
    }

    Route routes() {
        return pathPrefix(
                segment("admin").slash("rollout"),
                () -> concat(
                        pathEnd(() -> concat(
                                get(() -> guard.as(Role.VIEWER, actor -> current())),
                                put(() -> guard.as(Role.OPERATOR, actor -> withBody(body -> change(actor, body)))))),
                        path(
                                "kill",
                                () -> post(() ->
                                        guard.as(Role.BREAK_GLASS, actor -> withBody(body -> kill(actor, body))))),
                        path(
                                "release",
                                () -> post(() ->
                                        guard.as(Role.OPERATOR, actor -> withBody(body -> release(actor, body))))),
                        path("decision", () -> get(() -> guard.as(Role.VIEWER, actor -> decision()))),
                        path("history", () -> get(() -> guard.as(Role.VIEWER, actor -> history()))),
                        path(
                                segment("history").slash("verify"),
                                () -> get(() -> guard.as(Role.VIEWER, actor -> verify()))),
                        path("events", () -> get(() -> guard.as(Role.VIEWER, actor -> events()))),
                        path(
                                segment(),
                                name -> ACTIONS.containsKey(name)
                                        ? post(() -> guard.as(
                                                Role.OPERATOR,
                                                actor -> withBody(body -> act(ACTIONS.get(name), actor, body))))
                                        : reject())));
    }

    // ---- reading

    private Route current() {
        return complete(tagged(Responses.of(200, shown())));
    }

    private ObjectNode shown() {
        return RolloutJson.of(rollouts.current(), rollouts.kill(), rollouts.guardrails(), clock.instant());
    }

    private Route decision() {
        return parameterMap(query -> {
            var user = query.getOrDefault("user", "");
            if (user.isEmpty()) {
                return Responses.problem(Problem.badRequest("user: missing (expected: the user's id as in its token)"));
            }
            var cohorts = Arrays.stream(query.getOrDefault("cohorts", "").split(","))
                    .filter(cohort -> !cohort.isEmpty())
                    .collect(Collectors.toSet());
            var tenant = query.getOrDefault("tenant", "");
            return Responses.json(
                    200,
                    RolloutJson.of(
                            rollouts.explain(new CallerId(user, tenant.isEmpty() ? "default" : tenant), cohorts)));
        });
    }

    private Route history() {
        return parameterMap(query -> {
            boolean newest = "desc".equals(query.get("order"));
            try {
                if (!newest && !"asc".equals(query.getOrDefault("order", "asc"))) {
                    throw new IllegalArgumentException("order: " + query.get("order") + " (expected: asc or desc)");
                }
                if (query.containsKey(newest ? "after" : "before")) {
                    throw new IllegalArgumentException(
                            newest
                                    ? "after: not with order=desc (expected: before, or none)"
                                    : "before: not without order=desc (expected: after, or none)");
                }
                long after = within(query, "after", 0, 0, Long.MAX_VALUE - MOST_LINES);
                long before = within(query, "before", Long.MAX_VALUE, 1, Long.MAX_VALUE);
                int limit = (int) within(query, "limit", MOST_LINES, 1, MOST_LINES);
                return onComplete(
                        newest ? rollouts.latest(before, limit) : rollouts.history(after, limit),
                        lines -> lines.isSuccess()
                                ? complete(page(lines.get(), limit, newest))
                                : Responses.problem(Problem.unavailable("the journal does not answer")));
            } catch (IllegalArgumentException wrong) {
                return Responses.problem(Problem.badRequest(String.valueOf(wrong.getMessage())));
            }
        });
    }

    private static HttpResponse page(java.util.List<Rollouts.Recorded> lines, int limit, boolean newest) {
        var response = Responses.of(200, RolloutJson.history(lines));
        if (lines.size() < limit || (newest && lines.getLast().seq() == 1)) {
            return response;
        }
        return response.addHeader(RawHeader.create(
                "Link",
                "</admin/rollout/history?" + (newest ? "order=desc&before=" : "after=")
                        + lines.getLast().seq() + "&limit=" + limit + ">; rel=\"next\""));
    }

    private static long within(Map<String, String> query, String name, long otherwise, long least, long most) {
        var said = query.get(name);
        if (said == null) {
            return otherwise;
        }
        var value = number(said);
        if (value == null || value < least || value > most) {
            throw new IllegalArgumentException(name + ": " + said + " (expected: "
                    + (name.equals("limit") ? least + ".." + most : "the number of a line") + ")");
        }
        return value;
    }

    private Route verify() {
        return onComplete(
                rollouts.verify(),
                verified -> verified.isSuccess()
                        ? Responses.json(200, RolloutJson.of(verified.get()))
                        : Responses.problem(Problem.unavailable("the journal does not answer")));
    }

    /** Server-sent events: the state first, each change, and a comment now and then so that nobody takes it for dead. */
    private Route events() {
        return extractRequest(request -> {
            var seen = header(request, "Last-Event-ID");
            var happenings = rollouts.watch()
                    .filter(happening -> !(happening instanceof Happening.RolloutChanged(var now)
                            && Long.toString(now.revision()).equals(seen)))
                    .map(this::event)
                    .keepAlive(HEARTBEAT, () -> ByteString.fromString(": still here\n\n"));
            return complete(HttpResponse.create()
                    .addHeader(RawHeader.create("Cache-Control", "no-cache"))
                    .addHeader(RawHeader.create("X-Accel-Buffering", "no"))
                    .withEntity(HttpEntities.createCloseDelimited(
                            MediaTypes.TEXT_EVENT_STREAM.toContentType(),
                            Source.single(ByteString.fromString("retry: 2000\n\n"))
                                    .concat(happenings))));
        });
    }

    private ByteString event(Happening happening) {
        return ByteString.fromString(
                switch (happening) {
                    case Happening.RolloutChanged(var now) ->
                        "id: " + now.revision() + "\nevent: rollout.changed\ndata: " + shown() + "\n\n";
                    case Happening.KillChanged kill -> "event: rollout.kill\ndata: " + shown() + "\n\n";
                    case Happening.GuardrailsJudged(var report) ->
                        "event: guardrail.verdict\ndata: "
                                + RolloutJson.guardrails(
                                        report, rollouts.current().since(), clock.instant())
                                + "\n\n";
                });
    }

    // ---- changing

    private Route change(Actor actor, ObjectNode body) {
        return asked(
                actor,
                body,
                true,
                request -> onSuccess(rollouts.change(RolloutJson.proposal(body), request), this::say));
    }

    private Route act(Action action, Actor actor, ObjectNode body) {
        return asked(actor, body, false, request -> {
            RolloutJson.onlyThese(body, Set.of("reason", "expected_revision"));
            return onSuccess(rollouts.act(action, request), this::say);
        });
    }

    /** Conditions and reason of a change. Those of an action may be left out; a new state must say what it replaces. */
    private Route asked(Actor actor, ObjectNode body, boolean conditional, Function<Request, Route> inner) {
        return extractRequest(request -> parameterMap(query -> {
            try {
                var revision = revision(request, body);
                if (conditional && revision == null) {
                    return Responses.problem(Problem.preconditionRequired());
                }
                var reason = RolloutJson.text(body, "reason");
                return inner.apply(new Request(
                        actor,
                        reason == null ? "" : reason,
                        revision,
                        key(request),
                        "true".equals(query.get("dry_run"))));
            } catch (IllegalArgumentException wrong) {
                return Responses.problem(Problem.badRequest(String.valueOf(wrong.getMessage())));
            }
        }));
    }

    private Route say(Changed changed) {
        return switch (changed) {
            case Changed.Applied applied ->
                complete(tagged(
                        // 202: somebody else has to approve it.
                        Responses.of(
                                applied.waits() && !applied.dryRun() ? 202 : 200,
                                RolloutJson.of(applied, rollouts.kill())),
                        applied.dryRun()
                                ? rollouts.current().revision()
                                : applied.now().revision()));
            case Changed.Refused(var why, var detail, var now) ->
                switch (why) {
                    case STALE -> {
                        var problem = Problem.stale(detail);
                        var told = (ObjectNode) parsed(problem.json());
                        told.set("current", RolloutJson.of(now, rollouts.kill()));
                        told.put("changed_by", now.changed().by().id());
                        yield complete(tagged(
                                Responses.of(problem)
                                        .withEntity(HttpEntities.create(
                                                ContentTypes.parse(Problem.MEDIA_TYPE), bytes(told))),
                                now.revision()));
                    }
                    case INVALID -> Responses.problem(Problem.badRequest(detail));
                    case NOT_NOW -> Responses.problem(Problem.conflict("not_now", detail));
                    case KEY_REUSED -> Responses.problem(Problem.keyReused(detail));
                    case UNAVAILABLE -> Responses.problem(Problem.unavailable(detail));
                };
        };
    }

    // ---- the switch

    private Route kill(Actor actor, ObjectNode body) {
        try {
            RolloutJson.onlyThese(body, Set.of("reason", "live"));
            var wanted = RolloutJson.text(body, "live");
            var live = LIVE.get(wanted == null ? "finish_turn" : wanted);
            if (live == null) {
                throw new IllegalArgumentException(
                        "live: " + wanted + " (expected: go_on, finish_turn or close; finish_turn when left out)");
            }
            return switched(true, live, actor, inEmergency(RolloutJson.text(body, "reason")));
        } catch (IllegalArgumentException wrong) {
            return Responses.problem(Problem.badRequest(String.valueOf(wrong.getMessage())));
        }
    }

    private Route release(Actor actor, ObjectNode body) {
        try {
            RolloutJson.onlyThese(body, Set.of("reason"));
            var reason = RolloutJson.text(body, "reason");
            if (reason == null || reason.isBlank()) {
                throw new IllegalArgumentException("reason: missing (expected: why voice may go on)");
            }
            if (reason.length() > LONGEST_REASON) {
                throw new IllegalArgumentException(
                        "reason: " + reason.length() + " characters (expected: at most " + LONGEST_REASON + ")");
            }
            return switched(false, Kill.Live.GO_ON, actor, reason);
        } catch (IllegalArgumentException wrong) {
            return Responses.problem(Problem.badRequest(String.valueOf(wrong.getMessage())));
        }
    }

    /** Whatever somebody in an emergency said, or did not say, and in whatever characters: no ground to refuse them. */
    private static String inEmergency(@Nullable String reason) {
        if (reason == null || reason.isBlank()) {
            return "no reason given";
        }
        var cut = reason.length() > LONGEST_REASON ? reason.substring(0, LONGEST_REASON) : reason;
        // Half a character could not be told to the other nodes.
        return new String(cut.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    private Route switched(boolean on, Kill.Live live, Actor actor, String reason) {
        return onSuccess(
                rollouts.kill(on, live, actor, reason),
                killed -> Responses.json(killed.missing().isEmpty() ? 200 : 202, RolloutJson.of(killed)));
    }

    // ---- requests and answers

    private static Route withBody(Function<ObjectNode, Route> inner) {
        return entity(Unmarshaller.entityToByteArray(), bytes -> {
            try {
                var body = bytes.length == 0 ? JSON.createObjectNode() : JSON.readTree(bytes);
                return body instanceof ObjectNode object
                        ? inner.apply(object)
                        : Responses.problem(Problem.badRequest("body: " + RolloutJson.kind(body) + BODY));
            } catch (JsonProcessingException malformed) {
                var at = malformed.getLocation();
                return Responses.problem(Problem.badRequest("body: not JSON"
                        + (at == null ? "" : ", line " + at.getLineNr() + ", column " + at.getColumnNr()) + BODY));
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
        });
    }

    private static JsonNode parsed(byte[] own) {
        try {
            return JSON.readTree(own);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** From {@code If-Match} or the body; null: not given. */
    private static @Nullable Long revision(HttpRequest request, ObjectNode body) {
        var tag = header(request, "If-Match");
        if (tag == null) {
            var named = body.get("expected_revision");
            if (named != null && !named.isIntegralNumber()) {
                throw new IllegalArgumentException("expected_revision: " + named + " (expected: a number)");
            }
            return named == null ? null : named.longValue();
        }
        var revision = tag.matches("\"rev-[0-9]{1,18}\"") ? tag.substring(5, tag.length() - 1) : null;
        if (revision == null) {
            throw new IllegalArgumentException(
                    "If-Match: " + tag + " (expected: the ETag of the last GET, as \"rev-42\")");
        }
        return Long.valueOf(revision);
    }

    private static @Nullable String key(HttpRequest request) {
        var key = header(request, "Idempotency-Key");
        if (key == null) {
            return null;
        }
        var bare = key.startsWith("\"") && key.endsWith("\"") && key.length() > 1
                ? key.substring(1, key.length() - 1)
                : key;
        if (!bare.matches("[\\x21-\\x7e]{1,100}")) {
            throw new IllegalArgumentException("Idempotency-Key: " + bare.length()
                    + " characters (expected: 1..100 visible ones, such as a UUID)");
        }
        return bare;
    }

    private HttpResponse tagged(HttpResponse response) {
        return tagged(response, rollouts.current().revision());
    }

    private static HttpResponse tagged(HttpResponse response, long revision) {
        return response.addHeader(RawHeader.create("ETag", "\"rev-" + revision + "\""));
    }

    private static @Nullable String header(HttpRequest request, String name) {
        return request.getHeader(name).map(HttpHeader::value).orElse(null);
    }

    private static @Nullable Long number(String text) {
        return text.matches("[0-9]{1,15}") ? Long.valueOf(text) : null;
    }

    private static byte[] bytes(JsonNode json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
