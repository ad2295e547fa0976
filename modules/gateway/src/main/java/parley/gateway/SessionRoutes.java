package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.delete;
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
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.unmarshalling.Unmarshaller;
import parley.admission.Admission;
import parley.admission.CallerId;
import parley.admission.Decision;
import parley.admission.Quotas;
import parley.session.Answer;
import parley.session.Face;
import parley.session.SessionId;
import parley.session.Sessions;

/** {@code /v1/sessions}: open one, look at it, read it, end it. */
final class SessionRoutes {
    private static final String EXPECTED = " (expected: {\"face\", \"model\"}, both optional)";
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private static final Map<String, Face> FACES = Map.of("voice", Face.VOICE, "realtime", Face.REALTIME);

    private final Sessions sessions;
    private final Admission admission;
    private final Quotas quotas;
    private final Callers callers;
    private final BooleanSupplier draining;

    SessionRoutes(Sessions sessions, Admission admission, Quotas quotas, Callers callers, BooleanSupplier draining) {
        this.sessions = sessions;
        this.admission = admission;
        this.quotas = quotas;
        this.callers = callers;
        this.draining = draining;
    }

    Route routes() {
        return pathPrefix(
                "v1",
                () -> pathPrefix(
                        "sessions",
                        () -> callers.asCaller(bearer -> concat(
                                pathEnd(() -> post(
                                        () -> entity(Unmarshaller.entityToByteArray(), body -> open(bearer, body)))),
                                path(
                                        segment(),
                                        id -> concat(
                                                get(() -> describe(id, bearer.caller())),
                                                delete(() -> end(id, bearer.caller())))),
                                path(
                                        segment().slash("transcript"),
                                        id -> get(() -> transcript(id, bearer.caller())))))));
    }

    private Route open(Tokens.Bearer bearer, byte[] body) {
        var caller = bearer.caller();
        JsonNode request;
        try {
            request = body.length == 0 ? JSON.createObjectNode() : JSON.readTree(body);
        } catch (IOException malformed) {
            return Responses.problem(Problem.badRequest("body: not JSON" + EXPECTED));
        }
        if (!request.isObject()) {
            return Responses.problem(Problem.badRequest("body: not a JSON object" + EXPECTED));
        }
        if (!isTextOrAbsent(request.path("face")) || !isTextOrAbsent(request.path("model"))) {
            return Responses.problem(Problem.badRequest("face, model: not text" + EXPECTED));
        }
        var wanted = request.path("face").asText("voice");
        var face = FACES.get(wanted);
        if (face == null) {
            return Responses.problem(Problem.badRequest("face: " + wanted + " (expected: voice or realtime)"));
        }
        var model = request.path("model").asText("");
        if (!ModelNames.isName(model)) {
            return Responses.problem(ModelNames.problem());
        }
        if (draining.getAsBoolean()) {
            return Responses.problem(Problem.draining());
        }
        return switch (admission.admit(caller, bearer.cohorts())) {
            case Decision.Refused refused -> Responses.problem(Problem.of(refused));
            case Decision.Admitted admitted -> {
                // The place belongs to a connection; this asks only whether one would be let in.
                admitted.place().leave();
                var opening = new Sessions.Opening(
                        caller,
                        face,
                        admitted.arm(),
                        model.isEmpty() ? null : model,
                        admitted.why().name(),
                        admitted.revision());
                yield counted(sessions.mint(), opening);
            }
        };
    }

    private Route counted(SessionId id, Sessions.Opening opening) {
        return onSuccess(quotas.take(opening.caller(), id.value()), quota -> switch (quota) {
            case Quotas.Answer.Granted granted -> opened(id, opening);
            case Quotas.Answer.Refused refused -> Responses.problem(Problem.of(refused));
            case Quotas.Answer.Unanswered unanswered -> Responses.problem(Problem.of(unanswered));
        });
    }

    private Route opened(SessionId wanted, Sessions.Opening opening) {
        return onSuccess(sessions.open(wanted, opening), answer -> switch (answer) {
            case Answer.Opened(var id) ->
                complete(Responses.of(201, SessionJson.opened(id, opening.face()))
                        .addHeader(RawHeader.create("Location", "/v1/sessions/" + id)));
            case Answer.Refused refused -> {
                quotas.giveBack(opening.caller(), wanted.value());
                yield Responses.problem(Problem.of(refused));
            }
            case Answer.Described described -> Responses.problem(Problem.internal());
            case Answer.Joined joined -> Responses.problem(Problem.internal());
        });
    }

    private static boolean isTextOrAbsent(JsonNode value) {
        return value.isTextual() || value.isNull() || value.isMissingNode();
    }

    private Route describe(String id, CallerId caller) {
        return known(id, session -> say(sessions.describe(session, caller)));
    }

    private Route end(String id, CallerId caller) {
        return known(id, session -> say(sessions.end(session, caller)));
    }

    private Route transcript(String id, CallerId caller) {
        return known(
                id,
                session -> onSuccess(sessions.describe(session, caller), answer -> switch (answer) {
                    case Answer.Described described -> Responses.json(200, SessionJson.transcript(described));
                    case Answer.Refused refused -> Responses.problem(Problem.of(refused));
                    case Answer.Opened opened -> Responses.problem(Problem.internal());
                    case Answer.Joined joined -> Responses.problem(Problem.internal());
                }));
    }

    private static Route known(String id, Function<SessionId, Route> inner) {
        return SessionId.parse(id)
                .map(inner)
                .orElseGet(() -> Responses.problem(Problem.of(
                        new Answer.Refused(Answer.Refusal.UNKNOWN, "id: not a session's (expected: sess_…)", null))));
    }

    private static Route say(CompletionStage<Answer> asked) {
        return onSuccess(asked, answer -> switch (answer) {
            case Answer.Described described -> Responses.json(200, SessionJson.view(described.session()));
            case Answer.Refused refused -> Responses.problem(Problem.of(refused));
            case Answer.Opened opened -> Responses.problem(Problem.internal());
            case Answer.Joined joined -> Responses.problem(Problem.internal());
        });
    }
}
