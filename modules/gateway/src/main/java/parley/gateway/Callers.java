package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
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
        return withToken(token -> with(token, inner));
    }

    /** Whoever has this token, wherever it was brought. */
    Route with(String token, Function<Bearer, Route> inner) {
        var checked = tokens.check(token).toCompletableFuture();
        // Nearly always: then nothing has to wait for another thread.
        return checked.isDone() ? admitted(checked.join(), inner) : onSuccess(checked, known -> admitted(known, inner));
    }

    /** With whatever was brought as a token, good or not. */
    Route withToken(Function<String, Route> inner) {
        return optionalHeaderValueByName("Authorization", header -> {
            var token = Credentials.bearer(header.orElse(null));
            return token == null ? Responses.problem(Problem.unauthenticated("no token")) : inner.apply(token);
        });
    }

    private static Route admitted(Checked checked, Function<Bearer, Route> inner) {
        return checked instanceof Checked.Valid(var bearer)
                ? inner.apply(bearer)
                : Responses.problem(Problem.of(checked));
    }
}
