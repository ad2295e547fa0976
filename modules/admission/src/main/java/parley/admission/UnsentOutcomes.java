package parley.admission;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What this node has seen and not sent yet, the oldest first. Of a user it keeps the sub-bucket and the tenant alone. Where
 * there is no room the oldest goes, and is counted.
 */
final class UnsentOutcomes implements Outcomes {
    /** The tenant of synthetic sessions. */
    private static final String PROBE = "probe";

    private final int bound;
    private final int warmUp;
    private final ConcurrentLinkedQueue<Noted> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private final AtomicInteger firstAudios = new AtomicInteger();
    private final LongAdder lost = new LongAdder();

    /** @param arrival null where it is nobody's first word */
    record Noted(Observation observation, @Nullable Arrival arrival) {}

    /** @param warmUp so many observations of the first audio are those of a node that is not warm yet */
    UnsentOutcomes(int bound, int warmUp) {
        this.bound = bound;
        this.warmUp = warmUp;
    }

    @Override
    public void report(Signal signal, CallerId caller, Arm arm, boolean forced, double failed) {
        report(signal, caller, arm, forced, failed, false);
    }

    /** @param baked whether the user was in before the present stage, and for a whole stage's bake time */
    void report(Signal signal, CallerId caller, Arm arm, boolean forced, double failed, boolean baked) {
        var observation = new Observation(
                signal,
                arm,
                Observation.subBucket(caller.user()),
                caller.tenant(),
                failed,
                forced,
                signal == Signal.FIRST_AUDIO && cold(),
                false,
                baked);
        // Said once of each session, and first of all.
        add(new Noted(observation, signal == Signal.CREATION && !forced ? Arrival.of(caller, arm) : null));
    }

    @Override
    public void probe(Signal signal, double failed) {
        add(new Noted(new Observation(signal, Arm.CONTROL, 0, PROBE, failed, false, false, true), null));
    }

    private void add(Noted noted) {
        queue.add(noted);
        if (size.incrementAndGet() > bound && queue.poll() != null) {
            size.decrementAndGet();
            lost.increment();
        }
    }

    /** At most {@code most}, which are here no longer. */
    List<Noted> take(int most) {
        var taken = new ArrayList<Noted>();
        while (taken.size() < most) {
            var oldest = queue.poll();
            if (oldest == null) {
                break;
            }
            size.decrementAndGet();
            taken.add(oldest);
        }
        return taken;
    }

    int size() {
        return size.get();
    }

    /** How many went because there was no room. */
    long lost() {
        return lost.sum();
    }

    private boolean cold() {
        // Stops counting, so that it never comes round.
        return firstAudios.get() < warmUp && firstAudios.incrementAndGet() <= warmUp;
    }
}
