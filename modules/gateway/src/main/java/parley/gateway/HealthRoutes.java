package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import org.apache.pekko.http.javadsl.server.Route;

/** {@code /health}: that the node answers, and which release it is. */
final class HealthRoutes {
    private final String version;

    HealthRoutes(String version) {
        this.version = version;
    }

    Route routes() {
        return path(
                "health",
                () -> get(() -> Responses.json(
                        200,
                        JsonNodeFactory.instance
                                .objectNode()
                                .put("status", "ok")
                                .put("version", version))));
    }
}
