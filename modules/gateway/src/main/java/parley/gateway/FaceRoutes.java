package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.Admission;
import parley.admission.Decision;

/**
 * The faces' addresses, asked without an upgrade. A browser hides from its page why a WebSocket was refused; the page
 * asks again this way and is told: the refusal that an upgrade would meet, or that an upgrade is what is missing.
 */
final class FaceRoutes {
    private final Admission admission;
    private final Callers callers;

    FaceRoutes(Admission admission, Callers callers) {
        this.admission = admission;
        this.callers = callers;
    }

    Route routes() {
        return concat(
                path(segment("v1").slash("realtime"), () -> get(this::whyNot)),
                path(segment("v1").slash("ws").slash("voice"), () -> get(this::whyNot)));
    }

    private Route whyNot() {
        return callers.asCaller(bearer -> switch (admission.admit(bearer.caller())) {
            case Decision.Refused refused -> Responses.problem(Problem.of(refused));
            case Decision.Admitted admitted -> {
                admitted.place().leave();
                yield Responses.problem(Problem.upgradeRequired());
            }
        });
    }
}
