package parley.admission;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * That a user's session began, for whoever counts users. Crosses the wire between nodes, and is stored nowhere.
 *
 * @param user the first eight bytes of the SHA-256 of tenant and id
 */
record Arrival(long user, Arm arm) {
    static Arrival of(CallerId caller, Arm arm) {
        try {
            var hash = MessageDigest.getInstance("SHA-256")
                    .digest((caller.tenant() + '\n' + caller.user()).getBytes(StandardCharsets.UTF_8));
            return new Arrival(ByteBuffer.wrap(hash).getLong(), arm);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
