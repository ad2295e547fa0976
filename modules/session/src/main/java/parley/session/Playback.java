package parley.session;

import org.jspecify.annotations.Nullable;

/**
 * What the caller hears, and has heard, of one item of the agent's speech. Times are {@link System#nanoTime}.
 *
 * <p>A client that tells its playback is believed; of another it is assumed that it plays what it gets at once, one item
 * after the other, and waits when it has played all it got. While the caller is away nothing counts as heard. When it is
 * back, what it has and had no time to hear, and what is sent again, is heard from then on; what is lost to it never is.
 */
final class Playback {
    /** A client's word on its playback is carried on for so long by the clock. */
    private static final long ACK_CARRIES_MS = 300;

    private enum Course {
        RUNNING,
        /** The caller is away. */
        HALTED,
        /** What was sent and not heard is lost; it runs again with what is sent next. */
        LOST
    }

    final String itemId;
    final String responseId;
    private @Nullable Playback before;
    private Course course = Course.RUNNING;
    private boolean complete;
    private long generatedMs;
    private long sentMs;
    private long startedAt;
    private long ackedMs = -1;
    private long ackedAt;
    /** Heard when it stopped to run. */
    private long stoppedMs;

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
        } else if (course != Course.RUNNING || endsAt(now) - now < 0) {
            // It had run dry: what comes now is heard from now on.
            startedAt = now - nanos(sentMs);
        }
        course = Course.RUNNING;
        sentMs += ms;
    }

    /** The client says that it has played this much of the item. */
    void acknowledged(long playedMs, long now) {
        ackedMs = Math.min(playedMs, sentMs);
        ackedAt = now;
        if (course == Course.LOST) {
            stoppedMs = ackedMs;
        }
    }

    /** Whether the client itself says that it has played more of it than this. */
    boolean isToldPlayed(long ms) {
        return ackedMs > ms;
    }

    /** The caller is away from now on. */
    void halted(long now) {
        if (course == Course.RUNNING) {
            stoppedMs = heardMs(now);
            course = Course.HALTED;
        }
    }

    /** The caller did not get what was sent from here on: it will be sent again. */
    void unsent(long fromMs) {
        sentMs = Math.min(sentMs, fromMs);
    }

    /**
     * The caller is back, and it goes on where it stopped.
     *
     * @param first what is heard before it
     */
    void resumed(@Nullable Playback first, long now) {
        if (course == Course.LOST) {
            return;
        }
        long heard = heardMs(now);
        course = Course.RUNNING;
        if (sentMs == 0) {
            before = first;
        } else {
            long free = heard > 0 || first == null ? now : first.endsAt(now);
            startedAt = (free - now > 0 ? free : now) - nanos(heard);
        }
        if (ackedMs >= 0) {
            acknowledged(heard, now);
        }
    }

    /** The caller is back, and what was sent and not heard is lost to it: all from {@code fromMs} on, if not before. */
    void lost(long fromMs, long now) {
        stoppedMs = Math.min(heardMs(now), fromMs);
        course = Course.LOST;
        ackedMs = -1;
    }

    boolean isComplete() {
        return complete;
    }

    long generatedMs() {
        return generatedMs;
    }

    long sentMs() {
        return sentMs;
    }

    long heardMs(long now) {
        if (course != Course.RUNNING) {
            return Math.min(stoppedMs, sentMs);
        }
        long byClock = sentMs == 0 ? 0 : millis(now - startedAt);
        long heard = ackedMs < 0 ? byClock : ackedMs + Math.min(millis(now - ackedAt), ACK_CARRIES_MS);
        return Math.clamp(heard, 0, sentMs);
    }

    /** Whether nothing of it is left to be heard, now or later. */
    boolean isOver(long now) {
        return complete && heardMs(now) >= generatedMs;
    }

    /** Whether the caller has got something that is still to be heard. A client may stop to tell its playback. */
    boolean isPlaying(long now) {
        return course != Course.LOST
                && heardMs(now) < sentMs
                && (course == Course.HALTED
                        || ackedMs < 0
                        || millis(now - ackedAt) < sentMs - ackedMs + ACK_CARRIES_MS);
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
        if (course != Course.RUNNING) {
            return now;
        }
        return sentMs == 0 ? start(now) : startedAt + nanos(sentMs);
    }

    private static long nanos(long ms) {
        return ms * 1_000_000;
    }

    private static long millis(long nanos) {
        return Math.max(0, nanos / 1_000_000);
    }
}
