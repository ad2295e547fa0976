package parley.load;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * One event loop, the callers on it, and the clock that lets them speak.
 *
 * <p>All callers share one period, so their frames are due in one order, round after round: a single timer walks the
 * ring. When the loop falls behind, the frames that were due are sent at once, in small batches, so that answers are
 * read in between.
 */
final class Lane {
    private static final int BATCH = 32;
    private static final long LATE = TimeUnit.MILLISECONDS.toNanos(5);

    private record Seat(Caller caller, long phase) {}

    final EventLoop loop;
    /** One at a time is all a loop can read. */
    final EventScan scan;

    final Tally tally = new Tally();
    final List<Caller> callers = new ArrayList<>();
    private List<Seat> ring = List.of();
    private long round;
    private int position;
    /** Nothing is due and nothing is measured before the callers start to speak. */
    private Schedule schedule = new Schedule(0, 0, 0, 0);

    private boolean stopped;
    /** Tells the timers of this start from those of an earlier one. */
    private int starts;

    Lane(EventLoop loop, EventScan scan) {
        this.loop = loop;
        this.scan = scan;
    }

    Schedule schedule() {
        return schedule;
    }

    /**
     * To be called on the loop, and again for another schedule when the one before is over; the seed fixes where in the
     * period each caller's frames lie.
     */
    void start(Schedule when, long seed) {
        var random = new SplittableRandom(seed);
        schedule = when;
        stopped = false;
        round = 0;
        position = 0;
        int start = ++starts;
        ring = callers.stream()
                .map(caller -> new Seat(caller, random.nextLong(when.period())))
                .sorted(Comparator.comparingLong(Seat::phase))
                .toList();
        if (!ring.isEmpty()) walk(start);
    }

    /**
     * To be called on the loop: nobody speaks any more, what comes is still heard. Frames that were due and that the
     * loop never came to send count as late.
     */
    void stop() {
        stopped = true;
        if (ring.isEmpty()) return;
        long now = System.nanoTime();
        for (long due = next(); schedule.running(due) && now - due > LATE; due = next()) {
            if (schedule.measured(due)) {
                tally.due++;
                tally.late++;
            }
            advance();
        }
    }

    /** To be called on the loop: adds what was seen since the last time, and closes the books on what was not heard. */
    void tell(Tally seen) {
        callers.forEach(Caller::settle);
        seen.add(tally);
        tally.clear();
    }

    private void walk(int start) {
        for (int sent = 0; ; sent++) {
            var seat = ring.get(position);
            long due = next();
            if (stopped || start != starts || !schedule.running(due)) return;
            long late = System.nanoTime() - due;
            if (late < 0) {
                loop.schedule(() -> walk(start), -late, TimeUnit.NANOSECONDS);
                return;
            }
            if (sent == BATCH) {
                loop.execute(() -> walk(start));
                return;
            }
            if (seat.caller().speak(schedule, due) && schedule.measured(due)) {
                tally.due++;
                if (late > LATE) tally.late++;
            }
            advance();
        }
    }

    private long next() {
        return schedule.due(round, ring.get(position).phase());
    }

    private void advance() {
        if (++position == ring.size()) {
            position = 0;
            round++;
        }
    }
}
