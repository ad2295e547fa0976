package parley.gateway;

import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpVersion;
import java.util.regex.Pattern;

/** Whom and what a request asks for (RFC 9112 §3.2): one host, and a path on it. */
final class Targets {
    private static final Pattern ABSOLUTE = Pattern.compile("(?i)https?://([^/?#]*)(.*)");
    private static final Pattern HOST = Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(:[0-9]{1,5})?");

    private Targets() {}

    /**
     * Brings a target that names scheme and host, as for a proxy, to the usual form.
     *
     * @return false when the request names no host, two, or something that is none, or no path
     */
    static boolean settle(FullHttpRequest request) {
        var absolute = ABSOLUTE.matcher(request.uri());
        if (absolute.matches()) {
            var rest = absolute.group(2);
            request.setUri(rest.startsWith("/") ? rest : "/" + rest);
            request.headers().set(HttpHeaderNames.HOST, absolute.group(1));
        }
        var hosts = request.headers().getAll(HttpHeaderNames.HOST);
        boolean hostless = hosts.isEmpty() && request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        return request.uri().startsWith("/")
                && (hostless
                        || (hosts.size() == 1 && HOST.matcher(hosts.getFirst()).matches()));
    }

    static String path(FullHttpRequest request) {
        int query = request.uri().indexOf('?');
        return query < 0 ? request.uri() : request.uri().substring(0, query);
    }
}
