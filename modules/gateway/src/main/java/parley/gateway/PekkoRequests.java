package parley.gateway;

import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.scaladsl.model.IllegalUriException;
import org.jspecify.annotations.Nullable;
import parley.wire.HttpServer.Connection;

/** Turns what the front received into what Pekko HTTP routes. */
final class PekkoRequests {
    /** Headers that directives look for in parsed form; the others stay as they came. */
    private static final Set<String> PARSED =
            Set.of("origin", "access-control-request-method", "access-control-request-headers", "if-none-match");

    private static final Set<String> OF_THE_ENTITY = Set.of("content-type", "content-length", "transfer-encoding");

    /** Who asks, as far as the proxies that are ours tell. */
    static final AttributeKey<Address> CLIENT = AttributeKey.create("client", Address.class);

    private PekkoRequests() {}

    /** Routes answer HEAD as GET; the front leaves the body out. Empty for a method nobody knows. */
    static Optional<HttpMethod> method(FullHttpRequest request) {
        return HttpMethods.lookup(request.method().name())
                .map(method -> method.equals(HttpMethods.HEAD) ? HttpMethods.GET : method);
    }

    /**
     * @param request with a {@link Targets settled} target
     * @param client who asks; the peer of the connection may be a proxy
     * @return empty when the target or the type of the body is malformed
     */
    static Optional<HttpRequest> of(FullHttpRequest request, HttpMethod method, Address client, Connection connection) {
        var headers = new ArrayList<HttpHeader>();
        for (var header : request.headers()) {
            if (!OF_THE_ENTITY.contains(header.getKey().toLowerCase(Locale.ROOT))) {
                headers.add(header(header.getKey(), header.getValue()));
            }
        }
        var scheme = connection.secure() ? "https" : "http";
        // An old client names no host, and then none of ours is meant.
        var host = request.headers().get(HttpHeaderNames.HOST, "0.0.0.0");
        var body = ByteBufUtil.getBytes(request.content());
        try {
            return Optional.of(HttpRequest.create()
                    .withMethod(method)
                    .withUri(Uri.create(scheme + "://" + host + request.uri()))
                    .addHeaders(headers)
                    .withEntity(
                            body.length == 0
                                    ? HttpEntities.EMPTY
                                    : HttpEntities.create(
                                            type(request.headers().get(HttpHeaderNames.CONTENT_TYPE)), body))
                    .addAttribute(AttributeKeys.remoteAddress, RemoteAddress.create(connection.remote()))
                    .addAttribute(CLIENT, client));
        } catch (IllegalUriException | IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }

    private static HttpHeader header(String name, String value) {
        if (PARSED.contains(name.toLowerCase(Locale.ROOT))) {
            try {
                return HttpHeader.parse(name, value);
            } catch (IllegalArgumentException malformed) {
                return RawHeader.create(name, value);
            }
        }
        return RawHeader.create(name, value);
    }

    private static ContentType type(@Nullable String header) {
        return header == null ? ContentTypes.APPLICATION_OCTET_STREAM : ContentTypes.parse(header);
    }
}
