package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.delete;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.parameterMap;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathEnd;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.server.Route;
import parley.session.Answer;
import parley.session.SessionId;
import parley.session.Sessions;

/** {@code /admin/sessions}: everybody's, for operators. What was said is for administrators only. */
final class AdminSessionRoutes {
    private static final int MOST = 200;

    private final Sessions sessions;
    private final Guard guard;

    AdminSessionRoutes(Sessions sessions, Guard guard) {
        this.sessions = sessions;
        this.guard = guard;
    }

    Route routes() {
        return pathPrefix(
                segment("admin").slash("sessions"),
                () -> concat(
                        pathEnd(() -> get(() -> guard.as(Role.VIEWER, actor -> census()))),
                        path(
                                segment(),
                                id -> concat(
                                        get(() -> guard.as(Role.VIEWER, actor -> one(id, sessions::inspect))),
                                        delete(() -> guard.as(Role.OPERATOR, actor -> one(id, sessions::stop))))),
                        path(
                                segment().slash("transcript"),
                                id -> get(() -> guard.as(Role.ADMIN, actor -> transcript(id))))));
    }

    private Route census() {
        return parameterMap(query -> {
            var limit = query.getOrDefault("limit", Integer.toString(MOST));
            var after = query.getOrDefault("after", "");
            if (!limit.matches("[0-9]{1,3}") || Integer.parseInt(limit) < 1 || Integer.parseInt(limit) > MOST) {
                return Responses.problem(Problem.badRequest("limit: " + limit + " (expected: 1.." + MOST + ")"));
            }
            if (!after.isEmpty() && SessionId.parse(after).isEmpty()) {
                return Responses.problem(
                        Problem.badRequest("after: " + after + " (expected: the last page's next, sess_…)"));
            }
            return onSuccess(
                    sessions.census(after, Integer.parseInt(limit)),
                    census -> Responses.json(200, SessionJson.census(census, Integer.parseInt(limit))));
        });
    }

    private Route one(String id, Function<SessionId, CompletionStage<Answer>> ask) {
        return known(id, session -> say(ask.apply(session), described -> SessionJson.view(described.session())));
    }

    private Route transcript(String id) {
        return known(id, session -> say(sessions.inspect(session), SessionJson::transcript));
    }

    private static Route say(
            CompletionStage<Answer> asked, Function<Answer.Described, com.fasterxml.jackson.databind.JsonNode> json) {
        return onSuccess(asked, answer -> switch (answer) {
            case Answer.Described described -> Responses.json(200, json.apply(described));
            case Answer.Refused refused -> Responses.problem(Problem.of(refused));
            case Answer.Opened opened -> Responses.problem(Problem.internal());
            case Answer.Joined joined -> Responses.problem(Problem.internal());
        });
    }

    private static Route known(String id, Function<SessionId, Route> inner) {
        return SessionId.parse(id)
                .map(inner)
                .orElseGet(() -> Responses.problem(Problem.of(
                        new Answer.Refused(Answer.Refusal.UNKNOWN, "id: not a session's (expected: sess_…)", null))));
    }
}
