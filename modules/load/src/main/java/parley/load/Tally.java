package parley.load;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;

/**
 * What one event loop's callers saw. Written by that loop alone; while it runs, others may read only the adders, which
 * exist for the progress line and the edges of the measured window.
 */
final class Tally {
    private static final long LONGEST = TimeUnit.MINUTES.toMicros(10);
    /** Peers choose these texts, so their number must not grow with the run. */
    private static final int DIFFERENT_REASONS = 24;

    final LongAdder connected = new LongAdder();
    final LongAdder cut = new LongAdder();
    final LongAdder sent = new LongAdder();
    final LongAdder heard = new LongAdder();

    /** All in microseconds. */
    final Histogram connect = histogram();

    final Histogram roundTrip = histogram();
    final Histogram service = histogram();
    final Histogram firstAudio = histogram();
    final Histogram firstAudioAfterStop = histogram();

    long due;
    long late;
    long unsent;
    long lost;
    long doubled;
    long reordered;
    long corrupt;
    long compared;
    long turnsCompleted;
    long turnsUnfinished;
    long bargeIns;

    final Map<String, Long> connectFailures = new TreeMap<>();
    final Map<String, Long> closes = new TreeMap<>();
    final Map<String, Long> errors = new TreeMap<>();
    final Map<String, Long> turnFailures = new TreeMap<>();
    final Map<String, Long> disorder = new TreeMap<>();

    static void record(Histogram histogram, long nanos) {
        histogram.recordValue(Math.clamp(TimeUnit.NANOSECONDS.toMicros(nanos), 0, LONGEST));
    }

    static void count(Map<String, Long> reasons, String reason) {
        var key = reasons.containsKey(reason) || reasons.size() < DIFFERENT_REASONS ? reason : "(other)";
        reasons.merge(key, 1L, Long::sum);
    }

    /** The sum of both; to be called on the other's loop. */
    void add(Tally other) {
        connected.add(other.connected.sum());
        cut.add(other.cut.sum());
        sent.add(other.sent.sum());
        heard.add(other.heard.sum());
        connect.add(other.connect);
        roundTrip.add(other.roundTrip);
        service.add(other.service);
        firstAudio.add(other.firstAudio);
        firstAudioAfterStop.add(other.firstAudioAfterStop);
        due += other.due;
        late += other.late;
        unsent += other.unsent;
        lost += other.lost;
        doubled += other.doubled;
        reordered += other.reordered;
        corrupt += other.corrupt;
        compared += other.compared;
        turnsCompleted += other.turnsCompleted;
        turnsUnfinished += other.turnsUnfinished;
        bargeIns += other.bargeIns;
        other.connectFailures.forEach((reason, n) -> connectFailures.merge(reason, n, Long::sum));
        other.closes.forEach((reason, n) -> closes.merge(reason, n, Long::sum));
        other.errors.forEach((reason, n) -> errors.merge(reason, n, Long::sum));
        other.turnFailures.forEach((reason, n) -> turnFailures.merge(reason, n, Long::sum));
        other.disorder.forEach((reason, n) -> disorder.merge(reason, n, Long::sum));
    }

    /** To be called on the tally's loop. */
    void clear() {
        for (var adder : List.of(connected, cut, sent, heard)) adder.reset();
        for (var histogram : List.of(connect, roundTrip, service, firstAudio, firstAudioAfterStop)) histogram.reset();
        due = late = unsent = lost = doubled = reordered = corrupt = compared = 0;
        turnsCompleted = turnsUnfinished = bargeIns = 0;
        for (var reasons : List.of(connectFailures, closes, errors, turnFailures, disorder)) reasons.clear();
    }

    private static Histogram histogram() {
        return new Histogram(LONGEST, 3);
    }
}
