package parley.app;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.server.Route;

/** What a platform asks a node, on a port of its own: {@code /alive} and {@code /ready}. */
final class Management {
    private final AtomicBoolean ready = new AtomicBoolean(true);

    private Management() {}

    /** Fails with a {@link java.net.BindException} as cause when the port is taken. */
    static CompletionStage<Management> bind(ActorSystem<?> system, String host, int port) {
        var management = new Management();
        return Http.get(system)
                .newServerAt(host, port)
                .bind(management.routes())
                .thenApply(bound -> management);
    }

    /** Readiness fails first, so that nobody sends callers here any more. */
    void notReady() {
        ready.set(false);
    }

    private Route routes() {
        return concat(
                path("alive", () -> get(() -> complete(StatusCodes.OK, "alive\n"))),
                path(
                        "ready",
                        () -> get(() -> ready.get()
                                ? complete(StatusCodes.OK, "ready\n")
                                : complete(StatusCodes.SERVICE_UNAVAILABLE, "draining\n"))));
    }
}
