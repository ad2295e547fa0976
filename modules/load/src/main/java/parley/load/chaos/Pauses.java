package parley.load.chaos;

import java.util.ArrayList;
import java.util.List;

/**
 * How long a caller waited, from the outside, around each stroke of a fault.
 *
 * <p>Two clocks. The talk's: while an answer is owed, from the end of the caller's turn to {@code response.done}, the
 * longest time between two signs of the session, or from the end of the turn to the first. A stroke that falls on one
 * moment counts for those who were in a turn then, until that turn is answered; one that takes its time counts for
 * whoever was owed an answer before the next. The probe's: a {@code ping} goes out every {@value Sound#FRAME_MILLIS} ms,
 * and the longest time between two {@code pong} counts, for everybody. Times are those of {@link System#nanoTime}.
 */
final class Pauses {
    private static final long NEVER = Long.MIN_VALUE;

    private final List<Long> talk = new ArrayList<>();
    private final List<Long> probe = new ArrayList<>();
    private long owedSince = NEVER;
    private long signAt = NEVER;
    private boolean measuring;
    private boolean untilAnswered;
    private long longest = NEVER;
    private long pongAt = NEVER;
    private boolean probing;
    private long longestSilence = NEVER;

    /** A stroke falls. What the last one did is closed. */
    void stroke(long now, boolean onOneMoment, boolean inTurn) {
        close(now);
        measuring = !onOneMoment || inTurn;
        untilAnswered = onOneMoment;
        probing = pongAt != NEVER;
    }

    /** The caller has said its turn: from now on something is to be heard. */
    void owed(long now) {
        owedSince = now;
    }

    /** The turn is answered, or given up. */
    void settled(long now) {
        sign(now);
        owedSince = NEVER;
        if (measuring && untilAnswered) closeTalk();
    }

    /** Anything came from the session but a pong. */
    void sign(long now) {
        if (measuring && owedSince != NEVER) longest = Math.max(longest, now - Math.max(signAt, owedSince));
        signAt = now;
    }

    void pong(long now) {
        if (probing) longestSilence = Math.max(longestSilence, now - pongAt);
        pongAt = now;
    }

    /** Nothing is measured any more until the next stroke. */
    void close(long now) {
        if (measuring && owedSince != NEVER) longest = Math.max(longest, now - Math.max(signAt, owedSince));
        closeTalk();
        if (probing) probe.add(Math.max(longestSilence, now - pongAt));
        probing = false;
        longestSilence = NEVER;
    }

    private void closeTalk() {
        if (measuring && longest != NEVER) talk.add(longest);
        measuring = false;
        longest = NEVER;
    }

    /** One for each stroke that found the caller in a turn, in nanoseconds. */
    List<Long> talk() {
        return talk;
    }

    /** One for each stroke, in nanoseconds; none without a probe. */
    List<Long> probe() {
        return probe;
    }
}
