package parley.session;

import org.jspecify.annotations.Nullable;

/**
 * What the caller hears, and has heard, of one item of the agent's speech. Times are {@link System#nanoTime}.
 *
 * <p>A client that tells its playback is believed; of another it is assumed that it plays what it gets at once, one item
 * after the other, and waits when it has played all it got.
 */
final class Playback {
    /** A client's word on its playback is carried on for so long by the clock. */
    private static final long ACK_CARRIES_MS = 300;

    final String itemId;
    final String responseId;
    private @Nullable Playback before;
    private boolean complete;
    private long generatedMs;
    private long sentMs;
    private long startedAt;
    private long ackedMs = -1;
    private long ackedAt;

    /** @param before what is heard first; this item starts when all of that has been played */
    Playback(String itemId, String responseId, @Nullable Playback before) {
        this.itemId = itemId;
        this.responseId = responseId;
        this.before = before;
    }

    void generated(long ms) {
        generatedMs += ms;
    }

    /** Its response is done: no more of it will be generated. */
    void completed() {
        complete = true;
    }

    /** What was to be heard first was thrown away. */
    void isFirst() {
        before = null;
    }

    void sent(long ms, long now) {
        if (sentMs == 0) {
            startedAt = start(now);
            before = null;
        } else if (endsAt(now) - now < 0) {
            // It had run dry: what comes now is heard from now on.
            startedAt = now - nanos(sentMs);
        }
        sentMs += ms;
    }

    /** The client says that it has played this much of the item. */
    void acknowledged(long playedMs, long now) {
        ackedMs = Math.min(playedMs, sentMs);
        ackedAt = now;
    }

    boolean isComplete() {
        return complete;
    }

    long generatedMs() {
        return generatedMs;
    }

    long heardMs(long now) {
        long byClock = sentMs == 0 ? 0 : millis(now - startedAt);
        long heard = ackedMs < 0 ? byClock : ackedMs + Math.min(millis(now - ackedAt), ACK_CARRIES_MS);
        return Math.clamp(heard, 0, sentMs);
    }

    /** Whether nothing of it is left to be heard, now or later. */
    boolean isOver(long now) {
        return complete && heardMs(now) >= generatedMs;
    }

    /** Nanoseconds until the next audio may be sent without running further ahead than the lead; 0 or less: now. */
    long dueIn(long leadMs, long now) {
        return (sentMs == 0 ? start(now) : endsAt(now)) - nanos(leadMs) - now;
    }

    /** When it begins if its first audio is sent now. */
    private long start(long now) {
        long free = before == null ? now : before.endsAt(now);
        return free - now > 0 ? free : now;
    }

    /** When all that was sent has been played. */
    private long endsAt(long now) {
        return sentMs == 0 ? start(now) : startedAt + nanos(sentMs);
    }

    private static long nanos(long ms) {
        return ms * 1_000_000;
    }

    private static long millis(long nanos) {
        return Math.max(0, nanos / 1_000_000);
    }
}
