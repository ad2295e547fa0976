package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.optionalHeaderValueByName;
import static org.apache.pekko.http.javadsl.server.Directives.parameterOptional;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.reject;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.Admission;
import parley.admission.Decision;
import parley.admission.Quotas;

/**
 * The faces' addresses, asked without an upgrade. A browser hides from its page why a WebSocket was refused; the page
 * asks again this way and is told: the refusal that an upgrade would meet, or that an upgrade is what is missing.
 */
final class FaceRoutes {
    private final Admission admission;
    private final Quotas quotas;
    private final Callers callers;
    private final VoiceTokens voiceTokens;
    private final BooleanSupplier draining;

    FaceRoutes(Admission admission, Quotas quotas, Callers callers, VoiceTokens voiceTokens, BooleanSupplier draining) {
        this.admission = admission;
        this.quotas = quotas;
        this.callers = callers;
        this.voiceTokens = voiceTokens;
        this.draining = draining;
    }

    Route routes() {
        return concat(
                path(segment("v1").slash("realtime"), () -> get(() -> callers.asCaller(this::whyNot))),
                path(segment("v1").slash("ws").slash("voice"), () -> get(() -> callers.asCaller(this::whyNot))),
                path("ws", () -> voiceTokens.areTaken() ? get(this::whyNotShared) : reject()),
                path(
                        segment("api")
                                .slash("v1")
                                .slash("interviews")
                                .slash(segment())
                                .slash("realtime")
                                .slash("connect"),
                        id -> get(() -> whyNotInterview(new Entrance.Interview(id)))));
    }

    /** Whether the interview's one line is taken is told to those who ask for it. */
    private Route whyNotInterview(Entrance.Interview interview) {
        var malformed = interview.malformed();
        return malformed != null ? Responses.problem(malformed) : inQuery(token -> callers.with(token, this::whyNot));
    }

    private Route whyNotShared() {
        return parameterOptional(
                "user",
                user -> inQuery(token -> switch (voiceTokens.check(token, user.orElse(null))) {
                    case Tokens.Checked.Valid(var bearer) -> whyNot(bearer);
                    case Tokens.Checked refused -> Responses.problem(Problem.of(refused));
                }));
    }

    /** A token that stands in the header, or, where it may, in the address. */
    private static Route inQuery(Function<String, Route> inner) {
        return optionalHeaderValueByName(
                "Authorization",
                header -> parameterOptional("token", named -> {
                    var bearer = Credentials.bearer(header.orElse(null));
                    var token = bearer == null ? named.orElse(null) : bearer;
                    return token == null ? Responses.problem(Problem.unauthenticated("no token")) : inner.apply(token);
                }));
    }

    private Route whyNot(Tokens.Bearer bearer) {
        return parameterOptional(
                "session_id",
                session -> draining.getAsBoolean()
                        ? Responses.problem(Problem.draining())
                        : onSuccess(refusal(bearer, session.isPresent()), Responses::problem));
    }

    private CompletionStage<Problem> refusal(Tokens.Bearer bearer, boolean goesOn) {
        var caller = bearer.caller();
        return switch (goesOn
                ? admission.readmit(caller, bearer.cohorts())
                : admission.admit(caller, bearer.cohorts())) {
            case Decision.Refused refused -> CompletableFuture.completedFuture(Problem.of(refused));
            case Decision.Admitted admitted -> {
                admitted.place().leave();
                yield goesOn
                        ? CompletableFuture.completedFuture(Problem.upgradeRequired())
                        : quotas.look(caller).thenApply(FaceRoutes::refusal);
            }
        };
    }

    private static Problem refusal(Quotas.Answer answer) {
        return switch (answer) {
            case Quotas.Answer.Granted granted -> Problem.upgradeRequired();
            case Quotas.Answer.Refused refused -> Problem.of(refused);
            case Quotas.Answer.Unanswered unanswered -> Problem.of(unanswered);
        };
    }
}
