package parley.admission;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * What this node has seen and not sent yet, the oldest first. Of a user it keeps the sub-bucket and the tenant alone. Where
 * there is no room the oldest goes, and is counted.
 */
final class UnsentOutcomes implements Outcomes {
    private final int bound;
    private final int warmUp;
    private final ConcurrentLinkedQueue<Observation> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private final AtomicInteger firstAudios = new AtomicInteger();
    private final LongAdder lost = new LongAdder();

    /** @param warmUp so many observations of the first audio are those of a node that is not warm yet */
    UnsentOutcomes(int bound, int warmUp) {
        this.bound = bound;
        this.warmUp = warmUp;
    }

    @Override
    public void report(Signal signal, CallerId caller, Arm arm, boolean forced, double failed) {
        queue.add(new Observation(
                signal,
                arm,
                Observation.subBucket(caller.user()),
                caller.tenant(),
                failed,
                forced,
                signal == Signal.FIRST_AUDIO && cold(),
                false));
        if (size.incrementAndGet() > bound && queue.poll() != null) {
            size.decrementAndGet();
            lost.increment();
        }
    }

    /** At most {@code most}, which are here no longer. */
    List<Observation> take(int most) {
        var taken = new ArrayList<Observation>();
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
