package parley.session;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * When a session ends by itself, and the warning before: after {@code idle-timeout} in which nothing happens, and at {@code
 * max-length}, which the entity's clock keeps.
 *
 * <p>Nothing happens while nobody speaks or writes, no answer is due or being heard, and no tool runs; a microphone that
 * sends silence is silent. The resume window runs instead while no caller is on the line, and whoever comes back begins
 * anew. A session that has moved goes on from its last turn; what its caller should have been warned of by then, it was.
 * Confined to the conversation's loop.
 */
final class Expiry {
    /** What it looks at, and whom it tells. */
    interface Talk {
        /** Whether something happens that ends without an event of its own. */
        boolean isBusy();

        /** Whether there is somebody to warn. */
        boolean isHeard();

        void warn(EndReason why, Duration left);

        void idle();
    }

    /** While something happens, its end is looked for so many times in an idle-timeout, and every 15 seconds. */
    private static final int LOOKS = 20;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(15);

    private final EventLoop loop;
    private final Talk talk;
    private final long timeout;
    private final long warning;
    private final long endsAt;
    private long activeAt;
    /** Audio passed that is speech: the agent's, or what a caller says who ends turns by itself. */
    private boolean spoken;

    private boolean idleWarned;
    private boolean lengthWarned;
    private boolean closed;
    private @Nullable Future<?> next;

    /** @param now by the clock that the facts have their times from */
    Expiry(EventLoop loop, SessionSettings settings, SessionState.Live soFar, Instant now, Talk talk) {
        this.loop = loop;
        this.talk = talk;
        var opened = soFar.opened().at();
        var last = soFar.turns().isEmpty() ? opened : soFar.turns().getLast().at();
        long nanos = System.nanoTime();
        timeout = settings.limits().idleTimeout().toNanos();
        warning = settings.limits().warnBefore().toNanos();
        endsAt = nanos + settings.maxLength().toNanos() - since(opened, now);
        activeAt = nanos - since(last, now);
        idleWarned = nanos - activeAt >= timeout - warning;
        lengthWarned = nanos - endsAt >= -warning;
    }

    private static long since(Instant then, Instant now) {
        return Math.max(0, Duration.between(then, now).toNanos());
    }

    /** Something happened. */
    void active() {
        activeAt = System.nanoTime();
        spoken = false;
        idleWarned = false;
    }

    /** Somebody speaks; for each frame, so without a look at the clock. */
    void spoken() {
        spoken = true;
    }

    /** Looks now, and when something will be due. */
    void look() {
        if (next != null) {
            next.cancel(false);
        }
        if (closed) {
            return;
        }
        long now = System.nanoTime();
        boolean busy = talk.isBusy();
        if (busy || spoken) {
            active();
        }
        long idle = Math.max(0, now - activeAt);
        long wait = busy ? Math.min(LOOK_NANOS, timeout / LOOKS) : Long.MAX_VALUE;
        if (talk.isHeard()) {
            if (idle >= timeout) {
                talk.idle();
                return;
            }
            if (!idleWarned && idle >= timeout - warning) {
                idleWarned = true;
                talk.warn(EndReason.IDLE, Duration.ofNanos(timeout - idle));
            }
            if (!lengthWarned && endsAt - now <= warning) {
                lengthWarned = true;
                talk.warn(EndReason.MAX_LENGTH, Duration.ofNanos(Math.max(0, endsAt - now)));
            }
            // Never later than whoever speaks now has to be warned.
            wait = Math.min(wait, Math.min(timeout - warning, timeout - (idleWarned ? 0 : warning) - idle));
            wait = lengthWarned ? wait : Math.min(wait, endsAt - now - warning);
            // Rounded up: a look that comes too early would be followed by many.
            long millis = wait / 1_000_000 + 1;
            next = loop.schedule(this::look, millis, TimeUnit.MILLISECONDS);
        }
    }

    void close() {
        closed = true;
        if (next != null) {
            next.cancel(false);
        }
    }
}
