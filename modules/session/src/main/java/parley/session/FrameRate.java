package parley.session;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How fast one connection sends audio: a token bucket of frames. Confined to the conversation's loop.
 *
 * <p>A frame that comes in time costs a decrement: the clock is looked at four times a second, and for each frame beyond
 * the rate. So up to a quarter of a second more than the burst may pass.
 */
final class FrameRate {
    private static final int LOOKS_PER_SECOND = 4;

    /** What is to be thought of a frame. */
    enum Verdict {
        IN_TIME,
        /** Too many, and none was for a while. */
        BEYOND,
        /** Still too many. */
        STILL_BEYOND,
        /** For so long that it is no accident. */
        ABUSE
    }

    private final LongSupplier nanos;
    /** Of one frame; 0: any number is in time. */
    private final long each;

    private final long most;
    private final int slice;
    private final long calm;
    private final long abuse;
    private int inHand;
    /** Below zero: what passed beyond the rate. */
    private long credit;

    private long lookedAt;
    private boolean beyond;
    private long beyondSince;
    private long lastBeyond;

    /**
     * @param catchUp what a caller may have to send at once, on top of the burst, when its session was sought again
     * @param nanos a clock that never goes back
     */
    FrameRate(SessionSettings.Limits limits, Duration catchUp, LongSupplier nanos) {
        this.nanos = nanos;
        int perSecond = limits.framesPerSecond();
        each = perSecond == 0 ? 0 : 1_000_000_000L / perSecond;
        most = limits.frameBurst().plus(catchUp).toNanos();
        slice = Math.max(1, perSecond / LOOKS_PER_SECOND);
        calm = limits.frameBurst().toNanos();
        abuse = limits.frameAbuse().toNanos();
        credit = most;
        lookedAt = nanos.getAsLong();
    }

    /** Counts a frame, which is dropped unless it comes in time. */
    Verdict take() {
        return isInTime() ? Verdict.IN_TIME : beyond();
    }

    /** Counts a frame that passes in any case. Nanoseconds for which the sender is to be held back; 0: not at all. */
    long pass() {
        if (isInTime()) {
            return 0;
        }
        credit -= each;
        return slice * each - credit;
    }

    private boolean isInTime() {
        if (inHand > 0) {
            inHand--;
            return true;
        }
        return each == 0 || look();
    }

    private boolean look() {
        long now = nanos.getAsLong();
        credit = Math.min(most, credit + now - lookedAt);
        lookedAt = now;
        long frames = Math.min(slice, credit / each);
        if (frames <= 0) {
            return false;
        }
        credit -= frames * each;
        inHand = (int) frames - 1;
        return true;
    }

    private Verdict beyond() {
        if (!beyond || lookedAt - lastBeyond > calm) {
            beyond = true;
            beyondSince = lookedAt;
            lastBeyond = lookedAt;
            return Verdict.BEYOND;
        }
        lastBeyond = lookedAt;
        return lookedAt - beyondSince >= abuse ? Verdict.ABUSE : Verdict.STILL_BEYOND;
    }
}
