package parley.app;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.server.Route;
import parley.meter.Meters;

/**
 * What a platform asks a node, on a port of its own that callers do not reach: {@code /alive}, {@code /ready} and {@code
 * /metrics}.
 *
 * <p>It is bound when the node takes calls: migrations are done, the region is started. So a node is ready as long as it is
 * a member of its cluster and does not drain; that voice is switched off makes no difference.
 */
final class Management {
    private final Cluster cluster;
    private final Meters meters;
    private volatile boolean draining;
    private volatile int port;

    private Management(Cluster cluster, Meters meters) {
        this.cluster = cluster;
        this.meters = meters;
    }

    /** Fails with a {@link java.net.BindException} as cause when the port is taken. */
    static CompletionStage<Management> bind(ActorSystem<?> system, String host, int port) {
        var management = new Management(Cluster.get(system), Meters.of(system));
        return Http.get(system)
                .newServerAt(host, port)
                .bind(management.routes())
                .thenApply(bound -> {
                    management.port = bound.localAddress().getPort();
                    return management;
                });
    }

    int port() {
        return port;
    }

    /** Readiness fails first, so that nobody sends callers here any more. */
    void notReady() {
        draining = true;
    }

    boolean isReady() {
        return !draining && isMember();
    }

    /** Weakly up, too: it serves, and the cluster cannot agree on it only because another node is out of reach. */
    private boolean isMember() {
        var status = cluster.selfMember().status();
        return status.equals(MemberStatus.up()) || status.equals(MemberStatus.weaklyUp());
    }

    private Route routes() {
        return concat(
                path("alive", () -> get(() -> complete(StatusCodes.OK, "alive\n"))),
                path(
                        "ready",
                        () -> get(() -> isReady()
                                ? complete(StatusCodes.OK, "ready\n")
                                : complete(StatusCodes.SERVICE_UNAVAILABLE, draining ? "draining\n" : "no member\n"))),
                path(
                        "metrics",
                        () -> get(() -> complete(
                                StatusCodes.OK,
                                HttpEntities.create(
                                        ContentTypes.parse("text/plain; version=0.0.4; charset=utf-8"),
                                        meters.prometheus().getBytes(StandardCharsets.UTF_8))))));
    }
}
