package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.extractUnmatchedPath;
import static org.apache.pekko.http.javadsl.server.Directives.handleRejections;

import com.typesafe.config.Config;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.http.cors.javadsl.CorsDirectives;
import org.apache.pekko.http.cors.javadsl.model.HttpOriginMatcher;
import org.apache.pekko.http.cors.javadsl.settings.CorsSettings;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.headers.HttpOrigin;
import org.apache.pekko.http.javadsl.server.MethodRejection;
import org.apache.pekko.http.javadsl.server.RejectionHandler;
import org.apache.pekko.http.javadsl.server.RequestEntityExpectedRejection;
import org.apache.pekko.http.javadsl.server.Route;

/** Every HTTP resource of the gateway, sealed: whatever no route answers is a {@link Problem}. */
final class GatewayRoutes {
    private final HealthRoutes health;
    private final SessionRoutes sessions;
    private final PageRoutes pages;
    private final GatewaySettings settings;
    private final Config config;

    GatewayRoutes(
            HealthRoutes health, SessionRoutes sessions, PageRoutes pages, GatewaySettings settings, Config config) {
        this.health = health;
        this.sessions = sessions;
        this.pages = pages;
        this.settings = settings;
        this.config = config;
    }

    Route routes() {
        return handleRejections(
                problems(),
                () -> crossOrigin(() -> concat(health.routes(), sessions.routes(), pages.routes(), nothing())));
    }

    private Route crossOrigin(Supplier<Route> inner) {
        if (settings.allowedOrigins().isEmpty()) {
            return inner.get();
        }
        var origins = settings.allowedOrigins().stream().map(HttpOrigin::parse).toArray(HttpOrigin[]::new);
        return CorsDirectives.cors(
                CorsSettings.create(config)
                        .withAllowedOrigins(HttpOriginMatcher.create(origins))
                        .withAllowCredentials(true)
                        .withAllowedMethods(
                                List.of(HttpMethods.GET, HttpMethods.POST, HttpMethods.DELETE, HttpMethods.OPTIONS)),
                inner);
    }

    private static Route nothing() {
        return extractUnmatchedPath(path -> Responses.problem(Problem.notFound(path)));
    }

    private static RejectionHandler problems() {
        return RejectionHandler.newBuilder()
                .handleAll(
                        MethodRejection.class,
                        rejections -> Responses.problem(Problem.methodNotAllowed(rejections.stream()
                                .map(rejection -> rejection.supported().name())
                                .distinct()
                                .toList())))
                .handle(
                        RequestEntityExpectedRejection.class,
                        rejection -> Responses.problem(Problem.badRequest("no body (expected: a JSON object)")))
                .handle(
                        org.apache.pekko.http.javadsl.server.Rejection.class,
                        rejection -> Responses.problem(Problem.badRequest("the request does not fit this resource")))
                .handleNotFound(complete(Responses.of(Problem.notFound(""))))
                .build();
    }
}
