package parley.load;

import java.util.List;
import java.util.Optional;

/**
 * What a caller shows to be let in.
 *
 * @param subprotocols offered in this order; the server must choose one of them, if there are any
 */
record Access(List<Header> headers, List<String> subprotocols) {
    static final Access NONE = new Access(List.of(), List.of());

    private static final String TOKEN_CHARACTERS = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
    /** The handshake's own. */
    private static final String RESERVED = "(?i)(connection|upgrade|sec-websocket-.*|content-length|host)";

    Access {
        headers = List.copyOf(headers);
        subprotocols = List.copyOf(subprotocols);
    }

    /** Its value may be a secret, which does not show itself. */
    record Header(String name, String value) {
        /** As in {@code OpenAI-Beta: realtime=v1}; empty when it is none, or one that the handshake sets itself. */
        static Optional<Header> of(String line) {
            int colon = line.indexOf(':');
            var name = line.substring(0, Math.max(0, colon)).strip();
            var value = line.substring(colon + 1).strip();
            boolean good = name.matches(TOKEN_CHARACTERS)
                    && !name.matches(RESERVED)
                    && value.chars().allMatch(c -> c >= ' ' && c <= '~');
            return good ? Optional.of(new Header(name, value)) : Optional.empty();
        }

        @Override
        public String toString() {
            return name + ": (hidden)";
        }
    }

    static Access bearing(String token) {
        return new Access(List.of(new Header("Authorization", "Bearer " + token)), List.of());
    }

    boolean isAuthorized() {
        return headers.stream().anyMatch(header -> header.name().equalsIgnoreCase("Authorization"));
    }

    static boolean isSubprotocol(String text) {
        return text.matches(TOKEN_CHARACTERS);
    }

    /** The number of subprotocols only: one of them may be a key. */
    @Override
    public String toString() {
        return "Access[headers=" + headers + ", subprotocols=" + subprotocols.size() + "]";
    }
}
