package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.optionalHeaderValueByName;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;
import static org.apache.pekko.http.javadsl.server.Directives.post;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.time.Duration;
import org.apache.pekko.http.javadsl.server.Route;
import parley.gateway.Tokens.Refreshed;

/** {@code /v1/tokens/refresh} and {@code /v1/tickets}: from a token that is good, another one, or a ticket. */
final class TokenRoutes {
    private final Tokens tokens;
    private final Tickets tickets;
    private final Callers callers;

    TokenRoutes(Tokens tokens, Tickets tickets, Callers callers) {
        this.tokens = tokens;
        this.tickets = tickets;
        this.callers = callers;
    }

    Route routes() {
        return pathPrefix(
                "v1",
                () -> concat(
                        path(segment("tokens").slash("refresh"), () -> post(() -> callers.withToken(this::refresh))),
                        path("tickets", () -> post(this::ticket))));
    }

    private Route refresh(String token) {
        return onSuccess(tokens.refresh(token), refreshed -> switch (refreshed) {
            case Refreshed.Issued(var issued, var life) -> secret("token", issued, life);
            case Refreshed.Refused(var why) -> Responses.problem(Problem.notRefreshable(why));
            case Refreshed.Unchecked(var checked) -> Responses.problem(Problem.of(checked));
        });
    }

    private Route ticket() {
        return callers.asCaller(bearer -> optionalHeaderValueByName(
                "Origin", origin -> secret("ticket", tickets.issue(bearer, origin.orElse(null)), tickets.life())));
    }

    private static Route secret(String name, String value, Duration life) {
        return Responses.json(
                200, JsonNodeFactory.instance.objectNode().put(name, value).put("expires_in", life.toSeconds()));
    }
}
