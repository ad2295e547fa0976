package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.extractUnmatchedPath;
import static org.apache.pekko.http.javadsl.server.Directives.handleExceptions;
import static org.apache.pekko.http.javadsl.server.Directives.handleRejections;
import static org.apache.pekko.http.javadsl.server.Directives.respondWithDefaultHeader;

import com.typesafe.config.Config;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.pekko.http.cors.javadsl.CorsDirectives;
import org.apache.pekko.http.cors.javadsl.CorsRejection;
import org.apache.pekko.http.cors.javadsl.model.HttpOriginMatcher;
import org.apache.pekko.http.cors.javadsl.settings.CorsSettings;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.HttpOrigin;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.ExceptionHandler;
import org.apache.pekko.http.javadsl.server.MethodRejection;
import org.apache.pekko.http.javadsl.server.RejectionHandler;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.http.scaladsl.model.IllegalRequestException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Every HTTP resource of the gateway, sealed: whatever no route answers is a {@link Problem}. */
final class GatewayRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(GatewayRoutes.class);

    private static final HttpHeader VARY = RawHeader.create("Vary", "Origin");

    private final List<Route> resources;
    private final Origins origins;
    private final CorsSettings cors;

    /** @param resources asked in this order */
    GatewayRoutes(List<Route> resources, Origins origins, Config config) {
        this.resources = List.copyOf(resources);
        this.origins = origins;
        this.cors = CorsSettings.create(config)
                .withAllowedOrigins(HttpOriginMatcher.create(
                        origins.named().stream().map(HttpOrigin::parse).toArray(HttpOrigin[]::new)))
                .withAllowCredentials(true)
                .withAllowedMethods(List.of(HttpMethods.GET, HttpMethods.HEAD, HttpMethods.POST, HttpMethods.DELETE))
                .withExposedHeaders(List.of("Location", "Retry-After", "WWW-Authenticate"));
    }

    Route routes() {
        var sealed = handleRejections(
                problems(),
                // Within, too: an answer to another site's page must say that the page may read it, refusals included.
                () -> crossOrigin(() -> handleExceptions(
                        faults(),
                        () -> handleRejections(
                                problems(),
                                () -> concat(
                                        resources.getFirst(),
                                        resources.subList(1, resources.size()).toArray(Route[]::new))))));
        // What is kept of an answer to one site is not for another.
        return origins.named().isEmpty() ? sealed : respondWithDefaultHeader(VARY, () -> sealed);
    }

    private Route crossOrigin(Supplier<Route> inner) {
        return extractRequest(request -> {
            var origin = request.getHeader("Origin").map(HttpHeader::value).orElse(null);
            if (origin == null || isOwn(origin, request)) {
                return inner.get();
            }
            return origins.isNamed(origin)
                    ? CorsDirectives.cors(cors, inner)
                    : Responses.problem(Problem.forbiddenOrigin(origin));
        });
    }

    private boolean isOwn(String origin, HttpRequest request) {
        var host = request.getHeader("Host").map(HttpHeader::value).orElse(null);
        return origins.isOwn(origin, host, request.getUri().getScheme().equals("https"));
    }

    private static RejectionHandler problems() {
        return RejectionHandler.newBuilder()
                .handleAll(MethodRejection.class, GatewayRoutes::otherMethods)
                .handle(
                        CorsRejection.class,
                        rejection -> Responses.problem(Problem.badRequest("preflight: "
                                + rejection.cause().description() + " (expected: what this gateway allows)")))
                .handle(
                        org.apache.pekko.http.javadsl.server.Rejection.class,
                        rejection -> Responses.problem(Problem.badRequest("the request does not fit this resource")))
                .handleNotFound(extractUnmatchedPath(path -> Responses.problem(Problem.notFound(path))))
                .build();
    }

    /** Whoever may GET may HEAD; and OPTIONS asks for nothing but this list. */
    private static Route otherMethods(List<MethodRejection> rejections) {
        var methods = new TreeSet<>(rejections.stream()
                .map(rejection -> rejection.supported().name())
                .toList());
        if (methods.contains("GET")) {
            methods.add("HEAD");
        }
        var allow = RawHeader.create(
                "Allow",
                String.join(
                        ", ",
                        Stream.concat(methods.stream(), Stream.of("OPTIONS")).toList()));
        return extractRequest(request -> complete(
                request.method().equals(HttpMethods.OPTIONS)
                        ? HttpResponse.create()
                                .withStatus(StatusCodes.NO_CONTENT)
                                .addHeader(allow)
                        : Responses.of(Problem.methodNotAllowed(List.copyOf(methods)))
                                .addHeader(allow)));
    }

    private static ExceptionHandler faults() {
        return ExceptionHandler.newBuilder()
                .match(
                        IllegalRequestException.class,
                        malformed -> Responses.problem(Problem.badRequest("the request is malformed")))
                .matchAny(fault -> extractRequest(request -> {
                    // The path alone: a query may hold a resume token.
                    LOG.error(
                            "{} {} failed",
                            request.method().name(),
                            request.getUri().path(),
                            fault);
                    return Responses.problem(Problem.internal());
                }))
                .build();
    }
}
