package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.conditional;
import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathSingleSlash;
import static org.apache.pekko.http.javadsl.server.Directives.reject;
import static org.apache.pekko.http.javadsl.server.Directives.respondWithHeader;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.EntityTag;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.util.ByteString;

/** The gateway's own pages, what describes its API, and in development the token that one of the pages talks with. */
final class PageRoutes {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=UTF-8",
            "js", "text/javascript; charset=UTF-8",
            "css", "text/css; charset=UTF-8",
            "json", "application/json",
            "svg", "image/svg+xml");

    private static final Pattern NAME = Pattern.compile("[a-z-]+\\.[a-z]+");
    /** Addresses of this machine as numbers, and the one name nobody else may claim. */
    private static final Pattern LOCAL_HOST =
            Pattern.compile("localhost|127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}|\\[?::1]?");
    /** Whoever sends one of these is a page that asks across, or a proxy that asks for somebody else. */
    private static final Set<String> FOREIGN = Set.of("Origin", "Forwarded", "X-Forwarded-For", "Via");

    private static final Set<String> OWN_SITE = Set.of("same-origin", "none");

    private final GatewaySettings settings;
    private final Tokens tokens;
    private final ConcurrentHashMap<String, Page> pages = new ConcurrentHashMap<>();

    PageRoutes(GatewaySettings settings, Tokens tokens) {
        this.settings = settings;
        this.tokens = tokens;
    }

    Route routes() {
        return concat(
                pathSingleSlash(() -> page("index.html")),
                path("admin", () -> page("admin.html")),
                path(segment("v1").slash("dev-token"), () -> get(() -> extractRequest(this::developmentToken))),
                path(segment(), this::page));
    }

    private Route page(String name) {
        return find(name)
                .map(page -> get(() -> respondWithHeader(
                        // Asked again each time, and mostly answered that nothing changed.
                        RawHeader.create("Cache-Control", "no-cache"),
                        () -> conditional(
                                page.tag(),
                                () -> complete(HttpResponse.create()
                                        .withEntity(HttpEntities.create(page.type(), page.bytes())))))))
                .orElseGet(() -> reject());
    }

    /**
     * Only in development, only to this machine, and to no other site's page: not to one that asks across, nor to one
     * that had its own name point here.
     */
    private Route developmentToken(HttpRequest request) {
        if (settings.production()
                || !isLocal(request)
                || FOREIGN.stream().anyMatch(name -> request.getHeader(name).isPresent())
                || !OWN_SITE.contains(request.getHeader("Sec-Fetch-Site")
                        .map(HttpHeader::value)
                        .orElse("none"))) {
            return reject();
        }
        return Responses.json(200, JsonNodeFactory.instance.objectNode().put("token", tokens.development()));
    }

    private static boolean isLocal(HttpRequest request) {
        var host = request.getUri().host().address();
        return request.getAttribute(AttributeKeys.remoteAddress)
                        .flatMap(remote -> remote.getAddress())
                        .filter(address -> address.isLoopbackAddress())
                        .isPresent()
                && LOCAL_HOST.matcher(host).matches();
    }

    private Optional<Page> find(String name) {
        var known = pages.get(name);
        if (known != null) {
            return Optional.of(known);
        }
        var type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        if (type == null || !NAME.matcher(name).matches()) {
            return Optional.empty();
        }
        // What is not there is not remembered: names cost a stranger nothing.
        var found = read(name, ContentTypes.parse(type));
        found.ifPresent(page -> pages.put(name, page));
        return found;
    }

    private static Optional<Page> read(String name, ContentType type) {
        try (var file = PageRoutes.class.getResourceAsStream("/web/" + name)) {
            return file == null ? Optional.empty() : Optional.of(Page.of(file.readAllBytes(), type));
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /** @param tag changes with the bytes and nothing else */
    private record Page(ByteString bytes, ContentType type, EntityTag tag) {
        static Page of(byte[] bytes, ContentType type) {
            try {
                var hash = MessageDigest.getInstance("SHA-256").digest(bytes);
                return new Page(
                        ByteString.fromArrayUnsafe(bytes),
                        type,
                        EntityTag.create(HexFormat.of().formatHex(hash, 0, 16), false));
            } catch (NoSuchAlgorithmException impossible) {
                throw new IllegalStateException("every JVM has SHA-256", impossible);
            }
        }
    }
}
