package parley.session;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Facts that are not known to be in the journal, in order. One batch is under way at a time and gathers what comes
 * meanwhile behind it; each has a number, so that one that is told again is written once. Confined to the
 * conversation's loop.
 */
final class Unwritten {
    /** Facts that are written together. */
    record Batch(long number, List<SessionEvent> facts) {
        Batch {
            facts = List.copyOf(facts);
        }
    }

    private final List<SessionEvent> waiting = new ArrayList<>();
    private @Nullable Batch underWay;
    private long number;
    private long since;

    void add(List<SessionEvent> facts) {
        waiting.addAll(facts);
    }

    /** The next batch to be told, or null while one is under way or nothing waits. */
    @Nullable
    Batch next(long now) {
        if (underWay != null || waiting.isEmpty()) {
            return null;
        }
        underWay = new Batch(++number, waiting);
        waiting.clear();
        since = now;
        return underWay;
    }

    /** The journal has everything up to this number. */
    void written(long upTo) {
        if (underWay != null && underWay.number() <= upTo) {
            underWay = null;
        }
    }

    /** The batch that may or may not have been written; null when none is under way. */
    @Nullable
    Batch again() {
        return underWay;
    }

    /** The number of the batch that the last fact is in, or will be. */
    long lastNumber(boolean moreComes) {
        return waiting.isEmpty() && !moreComes ? number : number + 1;
    }

    boolean isEmpty() {
        return underWay == null && waiting.isEmpty();
    }

    int size() {
        return waiting.size() + (underWay == null ? 0 : underWay.facts().size());
    }

    /** How long the batch under way has been, in nanoseconds; 0 when none is. */
    long waitedNanos(long now) {
        return underWay == null ? 0 : now - since;
    }
}
