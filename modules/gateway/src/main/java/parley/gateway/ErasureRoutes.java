package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.delete;
import static org.apache.pekko.http.javadsl.server.Directives.onComplete;
import static org.apache.pekko.http.javadsl.server.Directives.parameterOptional;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.server.Route;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.CallerId;
import parley.session.Erasure;
import parley.session.Erasure.Erased;

/** {@code DELETE /admin/users/{user}?tenant=}: deletes everything of a user. Safe to repeat. */
final class ErasureRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(ErasureRoutes.class);
    private static final String USUAL_TENANT = "default";

    private final Erasure erasure;
    private final Function<Supplier<Route>, Route> asAdmin;

    /** @param asAdmin answers by itself whoever may not do this */
    ErasureRoutes(Erasure erasure, Function<Supplier<Route>, Route> asAdmin) {
        this.erasure = erasure;
        this.asAdmin = asAdmin;
    }

    Route routes() {
        return pathPrefix(
                "admin",
                () -> pathPrefix(
                        "users",
                        () -> path(
                                segment(),
                                user -> delete(() -> asAdmin.apply(() -> parameterOptional(
                                        "tenant", tenant -> forget(user, tenant.orElse(USUAL_TENANT))))))));
    }

    private Route forget(String user, String tenant) {
        if (tenant.isEmpty()) {
            return Responses.problem(Problem.badRequest("tenant: empty (expected: a name, or none at all)"));
        }
        var caller = new CallerId(user, tenant);
        return onComplete(erasure.forget(caller), erased -> {
            if (erased.isFailure()) {
                LOG.error(
                        "{} was not forgotten: {}",
                        caller,
                        erased.failed().get().toString());
                return Responses.problem(Problem.notForgotten());
            }
            return Responses.json(200, json(erased.get()));
        });
    }

    private static com.fasterxml.jackson.databind.JsonNode json(Erased erased) {
        var json = JsonNodeFactory.instance.objectNode().put("sessions", erased.sessions());
        var rows = json.putObject("rows");
        new TreeMap<>(erased.rows()).forEach(rows::put);
        return json;
    }
}
