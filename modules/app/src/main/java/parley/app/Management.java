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
 * /metrics}. It answers from before the node joins the others, who may have to ask it something, until the process ends.
 *
 * <p>A node is ready when it takes calls: migrations are done, the region is started; and as long as it is a member of its
 * cluster and does not drain. That voice is switched off makes no difference.
 */
final class Management {
    /** How far a node is; ready is the only one in which it is sent callers. */
    private enum Phase {
        STARTING,
        READY,
        DRAINING
    }

    private final Cluster cluster;
    private final Meters meters;
    private volatile Phase phase = Phase.STARTING;
    private volatile int port;

    private Management(Cluster cluster, Meters meters) {
        this.cluster = cluster;
        this.meters = meters;
    }

    /**
     * Fails with a {@link java.net.BindException} as cause when the port is taken.
     *
     * @param others what nodes that want to join ask
     */
    static CompletionStage<Management> bind(ActorSystem<?> system, String host, int port, Route others) {
        var management = new Management(Cluster.get(system), Meters.of(system));
        return Http.get(system)
                .newServerAt(host, port)
                .bind(concat(management.routes(), others))
                .thenApply(bound -> {
                    management.port = bound.localAddress().getPort();
                    return management;
                });
    }

    int port() {
        return port;
    }

    /** The node takes calls. */
    void ready() {
        phase = Phase.READY;
    }

    /** Readiness fails first, so that nobody sends callers here any more. */
    void notReady() {
        phase = Phase.DRAINING;
    }

    boolean isReady() {
        return phase == Phase.READY && isMember();
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
                                : complete(StatusCodes.SERVICE_UNAVAILABLE, notReadyWhy() + "\n"))),
                path(
                        "metrics",
                        () -> get(() -> complete(
                                StatusCodes.OK,
                                HttpEntities.create(
                                        ContentTypes.parse("text/plain; version=0.0.4; charset=utf-8"),
                                        meters.prometheus().getBytes(StandardCharsets.UTF_8))))));
    }

    private String notReadyWhy() {
        return switch (phase) {
            case STARTING -> "starting";
            case READY -> "no member";
            case DRAINING -> "draining";
        };
    }
}
