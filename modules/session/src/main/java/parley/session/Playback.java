package parley.session;

import org.jspecify.annotations.Nullable;

/**
 * What the caller hears, and has heard, of one item of the agent's speech. Times are {@link System#nanoTime}.
 *
 * <p>A client that tells its playback is believed; of another it is assumed that it plays what it gets at once, one item
 * after the other.
 */
final class Playback {
    /** A client's word on its playback is carried on for so long by the clock. */
    private static final long ACK_CARRIES_MS = 300;

    final String itemId;
    final String responseId;
    private final long startsAfter;
    private long generatedMs;
    private long sentMs;
    private long startedAt;
    private long ackedMs = -1;
    private long ackedAt;

    /** @param before what is heard first; this item starts when that has been played */
    Playback(String itemId, String responseId, @Nullable Playback before) {
        this.itemId = itemId;
        this.responseId = responseId;
        this.startsAfter =
                before == null || before.sentMs == 0 ? Long.MIN_VALUE : before.startedAt + nanos(before.sentMs);
    }

    void generated(long ms) {
        generatedMs += ms;
    }

    void sent(long ms, long now) {
        if (sentMs == 0) {
            startedAt = startsAfter == Long.MIN_VALUE ? now : startsAfter - now > 0 ? startsAfter : now;
        }
        sentMs += ms;
    }

    /** The client says that it has played this much of the item. */
    void acknowledged(long playedMs, long now) {
        ackedMs = playedMs;
        ackedAt = now;
    }

    long generatedMs() {
        return generatedMs;
    }

    long heardMs(long now) {
        long byClock = sentMs == 0 ? 0 : millis(now - startedAt);
        long heard = ackedMs < 0 ? byClock : ackedMs + Math.min(millis(now - ackedAt), ACK_CARRIES_MS);
        return Math.clamp(heard, 0, sentMs);
    }

    /** Nanoseconds until the next audio may be sent without running further ahead than the lead; 0 or less: now. */
    long dueIn(long leadMs, long now) {
        if (sentMs == 0) {
            return startsAfter == Long.MIN_VALUE ? 0 : startsAfter - now - nanos(leadMs);
        }
        return startedAt + nanos(sentMs - leadMs) - now;
    }

    private static long nanos(long ms) {
        return ms * 1_000_000;
    }

    private static long millis(long nanos) {
        return Math.max(0, nanos / 1_000_000);
    }
}
