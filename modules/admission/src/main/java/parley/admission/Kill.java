package parley.admission;

import java.time.Instant;

/**
 * The kill switch, on or off. A latch: it stays as it is until somebody says otherwise, and what was said later counts,
 * on every node and after every restart.
 *
 * @param epoch one more than the last that the node knew that was asked; of two with one epoch the kill counts
 * @param live what becomes of live sessions
 */
public record Kill(boolean on, long epoch, Live live, String by, String reason, Instant at)
        implements CborSerializable, Comparable<Kill> {
    /** What becomes of the sessions that are live. */
    public enum Live {
        /** They go on. Nobody new gets in. */
        GO_ON,
        /** Each ends after the turn it is in. */
        FINISH_TURN,
        /** Each is told why and closed. */
        CLOSE
    }

    /** Nobody has ever touched it. */
    public static final Kill NEVER = new Kill(false, 0, Live.GO_ON, "", "", Instant.EPOCH);

    /** Later is greater. */
    @Override
    public int compareTo(Kill other) {
        return Long.compare(version(), other.version());
    }

    /** Rises with every order. */
    long version() {
        return 2 * epoch + (on ? 1 : 0);
    }

    boolean isAfter(Kill other) {
        return compareTo(other) > 0;
    }
}
