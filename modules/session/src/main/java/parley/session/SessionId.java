package parley.session;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A session's name: {@code sess_}, the shard it lives in as three hex digits, and 96 random bits.
 *
 * <p>The shard is in the name so that whoever accepts a caller can choose one that lives on its own node.
 */
public record SessionId(@JsonValue String value) {
    private static final Pattern FORM = Pattern.compile("sess_[0-9a-f]{3}[0-9a-z]{19}");
    private static final String DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
    private static final SecureRandom RANDOM = new SecureRandom();

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public SessionId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("session id: not of the form sess_…");
        }
    }

    /** Reads what a caller sent; empty when it cannot be a session's id. */
    public static Optional<SessionId> parse(String text) {
        return FORM.matcher(text).matches() ? Optional.of(new SessionId(text)) : Optional.empty();
    }

    static SessionId mint(int shard) {
        var id = new StringBuilder(27).append("sess_").append(String.format("%03x", shard));
        for (int digit = 0; digit < 19; digit++) {
            id.append(DIGITS.charAt(RANDOM.nextInt(DIGITS.length())));
        }
        return new SessionId(id.toString());
    }

    int shard() {
        return Integer.parseInt(value.substring(5, 8), 16);
    }

    @Override
    public String toString() {
        return value;
    }
}
