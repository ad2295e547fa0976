package parley.gateway;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which sites' pages may call: those of this gateway's own address, and those that are named. */
record Origins(Set<String> named) {
    Origins {
        named = Set.copyOf(named);
    }

    boolean mayCall(String origin, @Nullable String host, boolean secure) {
        return isNamed(origin) || isOwn(origin, host, secure);
    }

    boolean isNamed(String origin) {
        return named.contains(origin);
    }

    /**
     * Whether it is the address under which the page was served.
     *
     * @param secure whether the connection is: one that is not may still be the last leg behind a proxy that speaks TLS
     */
    boolean isOwn(String origin, @Nullable String host, boolean secure) {
        return host != null
                && (origin.equalsIgnoreCase("https://" + host)
                        || (!secure && origin.equalsIgnoreCase("http://" + host)));
    }
}
