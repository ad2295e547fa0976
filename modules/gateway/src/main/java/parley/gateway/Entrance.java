package parley.gateway;

import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import parley.session.Face;

/** An address that callers' WebSockets come to, and what is particular about it. */
sealed interface Entrance {
    /** A face whose callers show a token of their own: {@code /v1/realtime} and {@code /v1/ws/voice}. */
    record Own(Face face) implements Entrance {}

    /** {@code /ws}: the guided face, with acks, for whoever has the token that all its callers share. */
    record Shared() implements Entrance {}

    /** The guided face of an interview, which has one live connection in the cluster. */
    record Interview(String id) implements Entrance {}

    /** Where a client that has no other way may show its token in the address. */
    default boolean takesTokenInQuery() {
        return !(this instanceof Own);
    }

    default Face face() {
        return switch (this) {
            case Own(var face) -> face;
            case Shared shared -> Face.VOICE;
            case Interview interview -> Face.VOICE;
        };
    }

    /** Null: for none. */
    default @Nullable String interview() {
        return this instanceof Interview(var id) ? id : null;
    }

    Pattern INTERVIEW = Pattern.compile("/api/v1/interviews/([^/]*)/realtime/connect");

    /** An interview's id as it stands in a path, and in tables and reports: no character of it is ever escaped. */
    Pattern INTERVIEW_ID = Pattern.compile("[A-Za-z0-9._~:@-]{1,128}");

    /** @return what is at a path; empty: nothing of this kind */
    static Optional<Entrance> at(String path) {
        return switch (path) {
            case "/v1/realtime" -> Optional.of(new Own(Face.REALTIME));
            case "/v1/ws/voice" -> Optional.of(new Own(Face.VOICE));
            case "/ws" -> Optional.of(new Shared());
            default -> {
                var interview = INTERVIEW.matcher(path);
                yield interview.matches() ? Optional.of(new Interview(interview.group(1))) : Optional.empty();
            }
        };
    }

    /** What is wrong with an address of this kind; null: nothing. */
    default @Nullable Problem malformed() {
        return this instanceof Interview(var id) && !INTERVIEW_ID.matcher(id).matches()
                ? Problem.badRequest("interview: not an id (expected: 1 to 128 letters, digits and . _ ~ : @ -)")
                : null;
    }
}
