package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.parameterOptional;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.Admission;
import parley.admission.CallerId;
import parley.admission.Decision;

/**
 * The faces' addresses, asked without an upgrade. A browser hides from its page why a WebSocket was refused; the page
 * asks again this way and is told: the refusal that an upgrade would meet, or that an upgrade is what is missing.
 */
final class FaceRoutes {
    private final Admission admission;
    private final Callers callers;
    private final BooleanSupplier draining;

    FaceRoutes(Admission admission, Callers callers, BooleanSupplier draining) {
        this.admission = admission;
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
                session -> Responses.problem(
                        draining.getAsBoolean() ? Problem.draining() : refusal(bearer.caller(), session.isPresent()))));
    }

    private Problem refusal(CallerId caller, boolean comesBack) {
        return switch (comesBack ? admission.readmit(caller, Set.of()) : admission.admit(caller, Set.of())) {
            case Decision.Refused refused -> Problem.of(refused);
            case Decision.Admitted admitted -> {
                admitted.place().leave();
                yield Problem.upgradeRequired();
            }
        };
    }
}
