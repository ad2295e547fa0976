package parley.gateway;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.Map;

/** What every answer tells a browser. A browser ignores the transport rule on plain HTTP. */
final class SecurityHeaders {
    private static final Map<String, String> ALL = Map.of(
            "Strict-Transport-Security", "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options", "nosniff",
            "X-Frame-Options", "DENY",
            "Referrer-Policy", "no-referrer",
            "Cross-Origin-Opener-Policy", "same-origin",
            "Cross-Origin-Embedder-Policy", "require-corp",
            "Cross-Origin-Resource-Policy", "same-origin",
            "Permissions-Policy", "microphone=(self), camera=(), geolocation=()",
            "Content-Security-Policy",
                    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; "
                            + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");

    private SecurityHeaders() {}

    /** Leaves alone what an answer says for itself. */
    static void addTo(HttpHeaders headers) {
        ALL.forEach((name, value) -> {
            if (!headers.contains(name)) {
                headers.set(name, value);
            }
        });
    }
}
