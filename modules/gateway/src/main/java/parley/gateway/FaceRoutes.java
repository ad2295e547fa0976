package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;
import static org.apache.pekko.http.javadsl.server.Directives.parameterOptional;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
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
    private final BooleanSupplier draining;

    FaceRoutes(Admission admission, Quotas quotas, Callers callers, BooleanSupplier draining) {
        this.admission = admission;
        this.quotas = quotas;
        this.callers = callers;
        this.draining = draining;
    }

    Route routes() {
        return concat(
                path(segment("v1").slash("realtime"), () -> get(this::whyNot)),
                path(segment("v1").slash("ws").slash("voice"), () -> get(this::whyNot)));
    }

    private Route whyNot() {
        return callers.asCaller(bearer -> parameterOptional(
                "session_id",
                session -> draining.getAsBoolean()
                        ? Responses.problem(Problem.draining())
                        : onSuccess(refusal(bearer, session.isPresent()), Responses::problem)));
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
