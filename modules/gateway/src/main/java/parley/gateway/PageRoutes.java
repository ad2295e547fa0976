package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;
import static org.apache.pekko.http.javadsl.server.Directives.pathSingleSlash;
import static org.apache.pekko.http.javadsl.server.Directives.reject;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.CallerId;

/** The gateway's own page, and in development the token it talks with. */
final class PageRoutes {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=UTF-8",
            "js", "text/javascript; charset=UTF-8",
            "css", "text/css; charset=UTF-8",
            "svg", "image/svg+xml");

    private final GatewaySettings settings;
    private final Tokens tokens;
    private final ConcurrentHashMap<String, Optional<byte[]>> files = new ConcurrentHashMap<>();

    PageRoutes(GatewaySettings settings, Tokens tokens) {
        this.settings = settings;
        this.tokens = tokens;
    }

    Route routes() {
        return get(() -> concat(
                pathSingleSlash(() -> file("index.html")),
                pathPrefix("v1", () -> path("dev-token", () -> extractRequest(this::developmentToken))),
                path(segment(), this::file)));
    }

    private Route file(String name) {
        var type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        if (type == null || !name.matches("[a-z-]+\\.[a-z]+")) {
            return reject();
        }
        return files.computeIfAbsent(name, PageRoutes::read)
                .map(bytes -> complete(HttpResponse.create()
                        .addHeader(RawHeader.create("Cache-Control", "no-cache"))
                        .withEntity(HttpEntities.create(ContentTypes.parse(type), bytes))))
                .orElseGet(() -> reject());
    }

    /** Only in development, only to this machine, and to no other site's page: the answer may not be read across. */
    private Route developmentToken(HttpRequest request) {
        if (settings.production()
                || !isLocal(request)
                || request.getHeader("Origin").isPresent()) {
            return reject();
        }
        var token = tokens.sign(
                new Tokens.Bearer(new CallerId("developer", "default"), List.of()), settings.developmentTokenLife());
        return Responses.json(200, JsonNodeFactory.instance.objectNode().put("token", token));
    }

    private static boolean isLocal(HttpRequest request) {
        var host = request.getUri().host().address();
        return request.getAttribute(AttributeKeys.remoteAddress)
                        .flatMap(remote -> remote.getAddress())
                        .filter(address -> address.isLoopbackAddress())
                        .isPresent()
                && (host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]") || host.equals("::1"));
    }

    private static Optional<byte[]> read(String name) {
        try (var file = PageRoutes.class.getResourceAsStream("/web/" + name)) {
            return file == null ? Optional.empty() : Optional.of(file.readAllBytes());
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
