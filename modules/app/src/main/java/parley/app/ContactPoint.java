package parley.app;

import static org.apache.pekko.http.javadsl.server.Directives.reject;

import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.javadsl.server.directives.RouteAdapter;
import org.apache.pekko.management.cluster.bootstrap.ClusterBootstrap;
import org.apache.pekko.management.scaladsl.ManagementRouteProviderSettings;

/**
 * Pods that find each other: the platform lists them, each asks the others on their management ports which cluster they
 * are in, and joins it. Where there is none, the one with the lowest address begins it, once every pod that is listed has
 * said that it knows of none.
 */
final class ContactPoint {
    private ContactPoint() {}

    /** What this node's management port has to answer. */
    static Route routes(ActorSystem<?> system, AppSettings settings) {
        if (settings.joining().discovery() == JoinSettings.Discovery.SEEDS) {
            return reject();
        }
        var self = Uri.create("http://" + settings.clusterHost() + ":" + settings.managementPort());
        return RouteAdapter.asJava(ClusterBootstrap.get(system.classicSystem())
                .routes(ManagementRouteProviderSettings.apply(self.asScala(), true)));
    }

    /** Begins to look for the others; {@link #routes} must be answered by now. */
    static void join(ActorSystem<?> system) {
        ClusterBootstrap.get(system.classicSystem()).start();
    }
}
