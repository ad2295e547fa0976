package parley.gateway;

import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.http.scaladsl.model.IllegalUriException;

/** Turns what the front received into what Pekko HTTP routes. */
final class PekkoRequests {
    private PekkoRequests() {}

    /** Empty when method, target or a header is not HTTP. */
    static Optional<HttpRequest> of(FullHttpRequest request, InetSocketAddress remote) {
        var method = HttpMethods.lookup(request.method().name());
        if (method.isEmpty() || !request.uri().startsWith("/")) {
            return Optional.empty();
        }
        var headers = new ArrayList<HttpHeader>();
        for (var header : request.headers()) {
            if (!header.getKey().equalsIgnoreCase("Content-Type")
                    && !header.getKey().equalsIgnoreCase("Content-Length")) {
                headers.add(HttpHeader.parse(header.getKey(), header.getValue()));
            }
        }
        var host = request.headers().get(HttpHeaderNames.HOST, "localhost");
        var body = ByteBufUtil.getBytes(request.content());
        var type = request.headers().get(HttpHeaderNames.CONTENT_TYPE);
        try {
            return Optional.of(HttpRequest.create()
                    .withMethod(method.get())
                    .withUri(Uri.create("http://" + host + request.uri()))
                    .addHeaders(headers)
                    .withEntity(
                            body.length == 0
                                    ? HttpEntities.EMPTY
                                    : HttpEntities.create(
                                            type == null
                                                    ? ContentTypes.APPLICATION_OCTET_STREAM
                                                    : ContentTypes.parse(type),
                                            body))
                    .addAttribute(AttributeKeys.remoteAddress, RemoteAddress.create(remote)));
        } catch (IllegalUriException | IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }
}
