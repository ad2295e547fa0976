package parley.app;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.server.Route;

/**
 * What a platform asks a node, on a port of its own: {@code /alive} and {@code /ready}. It answers from before the node
 * joins the others, who may have to ask it something, until the process ends.
 */
final class Management {

    /** How far a node is; ready is the only one in which it is sent callers. */
    private enum Phase {
        STARTING,
        READY,
        DRAINING
    }

    private volatile Phase phase = Phase.STARTING;

    private Management() {}

    /**
     * Fails with a {@link java.net.BindException} as cause when the port is taken.
     *
     * @param others what nodes that want to join ask
     */
    static CompletionStage<Management> bind(ActorSystem<?> system, String host, int port, Route others) {
        var management = new Management();
        return Http.get(system)
                .newServerAt(host, port)
                .bind(concat(management.routes(), others))
                .thenApply(bound -> management);
    }

    /** The node takes calls. */
    void ready() {
        phase = Phase.READY;
    }

    /** Readiness fails first, so that nobody sends callers here any more. */
    void notReady() {
        phase = Phase.DRAINING;
    }

    private Route routes() {
        return concat(
                path("alive", () -> get(() -> complete(StatusCodes.OK, "alive\n"))),
                path(
                        "ready",
                        () -> get(() -> {
                            var now = phase;
                            return now == Phase.READY
                                    ? complete(StatusCodes.OK, "ready\n")
                                    : complete(
                                            StatusCodes.SERVICE_UNAVAILABLE,
                                            now.name().toLowerCase(java.util.Locale.ROOT) + "\n");
                        })));
    }
}
