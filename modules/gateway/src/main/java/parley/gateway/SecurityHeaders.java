package parley.gateway;

import io.netty.handler.codec.http.HttpHeaders;

/** What every answer tells a browser (L10). A browser ignores the transport rule on plain HTTP. */
final class SecurityHeaders {
    private SecurityHeaders() {}

    static void addTo(HttpHeaders headers) {
        headers.set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
                .set("X-Content-Type-Options", "nosniff")
                .set("X-Frame-Options", "DENY")
                .set("Referrer-Policy", "no-referrer")
                .set("Cross-Origin-Opener-Policy", "same-origin")
                .set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
                .set(
                        "Content-Security-Policy",
                        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; "
                                + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    }
}
