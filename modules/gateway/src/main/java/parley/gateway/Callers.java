package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.optionalHeaderValueByName;

import java.util.function.Function;
import org.apache.pekko.http.javadsl.server.Route;
import parley.gateway.Tokens.Bearer;
import parley.gateway.Tokens.Checked;

/** Lets those in who say who they are. */
final class Callers {
    private final Tokens tokens;

    Callers(Tokens tokens) {
        this.tokens = tokens;
    }

    Route asCaller(Function<Bearer, Route> inner) {
        return optionalHeaderValueByName("Authorization", header -> {
            var token = Credentials.bearer(header.orElse(null));
            if (token == null) {
                return Responses.problem(Problem.unauthenticated("no token"));
            }
            return switch (tokens.check(token)) {
                case Checked.Invalid(var why) -> Responses.problem(Problem.unauthenticated(why));
                case Checked.Valid(var bearer) -> inner.apply(bearer);
            };
        });
    }
}
