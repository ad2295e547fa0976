package parley.gateway;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which sites' pages may call: those of this gateway's own address, and those that are named. */
record Origins(Set<String> allowed) {
    boolean mayCall(String origin, @Nullable String host) {
        if (allowed.contains(origin)) {
            return true;
        }
        try {
            return host != null && host.equalsIgnoreCase(new URI(origin).getAuthority());
        } catch (URISyntaxException malformed) {
            return false;
        }
    }
}
