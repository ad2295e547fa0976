package parley.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Who calls: the user id exactly as authenticated, and the tenant it belongs to.
 *
 * @param user the token's {@code sub}; never empty
 * @param tenant the token's {@code tenant}, or {@code default}
 */
public record CallerId(String user, String tenant) {
    public CallerId {
        if (user.isEmpty()) {
            throw new IllegalArgumentException("user: empty (expected: the id of an authenticated user)");
        }
        if (tenant.isEmpty()) {
            throw new IllegalArgumentException("tenant: empty (expected: a name)");
        }
    }

    /** A pseudonym, the same on every node and after every start: who somebody is does not go into logs. */
    @Override
    public String toString() {
        try {
            var hash = MessageDigest.getInstance("SHA-256")
                    .digest((tenant + "\n" + user).getBytes(StandardCharsets.UTF_8));
            return "caller-" + HexFormat.of().formatHex(hash, 0, 4);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
