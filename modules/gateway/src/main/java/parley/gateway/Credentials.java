package parley.gateway;

import org.jspecify.annotations.Nullable;

/** Reads the Authorization header (RFC 6750 §2.1). */
final class Credentials {
    private static final String BEARER = "bearer ";

    private Credentials() {}

    /** The token of {@code Bearer <token>}; null for anything else. */
    static @Nullable String bearer(@Nullable String header) {
        return header != null && header.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? header.substring(BEARER.length()).strip()
                : null;
    }
}
