package parley.admission;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The one token that all callers of a face show, as far as the cluster has to know it: by its hash.
 *
 * @param revision how often it was rotated; 0: never, and what each node's configuration names counts
 * @param hash SHA-256 of the present one, in hex; empty at revision 0
 * @param earlier those before it, each good until its time
 * @param by who rotated it last; null at revision 0
 * @param at when, and {@code reason} why
 */
public record SharedToken(
        long revision,
        String hash,
        List<Earlier> earlier,
        @Nullable Actor by,
        @Nullable Instant at,
        String reason) implements CborSerializable {
    /** Never rotated. */
    public static final SharedToken CONFIGURED = new SharedToken(0, "", List.of(), null, null, "");

    /** One that was replaced. */
    public record Earlier(String hash, Instant until) {}

    public SharedToken {
        earlier = List.copyOf(earlier);
    }

    /** Whether a token of this hash is good, once it was rotated. */
    public boolean admits(String shown, Instant now) {
        return shown.equals(hash)
                || earlier.stream()
                        .anyMatch(before ->
                                before.hash().equals(shown) && before.until().isAfter(now));
    }

    /** Not even hashes are for logs. */
    @Override
    public String toString() {
        return "SharedToken[revision=" + revision + ", earlier=" + earlier.size() + "]";
    }
}
