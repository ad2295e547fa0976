package parley.provider.simulator;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;

/** Time that passes only when a test says so; all on the test's thread. */
final class HeldTimers implements Timers {

    static final Instant NOON = Instant.parse("2030-01-31T12:00:00Z");

    private record Due(long at, long order, Runnable task) {}

    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::order));
    private final ArrayDeque<Runnable> soon = new ArrayDeque<>();
    private long now;
    private long order;

    @Override
    public long millis() {
        return now;
    }

    @Override
    public Instant now() {
        return NOON.plusMillis(now);
    }

    @Override
    public Timer after(long millis, Runnable task) {
        var entry = new Due(now + millis, order++, task);
        due.add(entry);
        return () -> due.remove(entry);
    }

    @Override
    public void soon(Runnable task) {
        soon.add(task);
    }

    /** Lets the time pass, and everything happen that is due in it. */
    void advance(long millis) {
        long end = now + millis;
        runSoon();
        while (!due.isEmpty() && due.peek().at() <= end) {
            var next = due.remove();
            now = Math.max(now, next.at());
            next.task().run();
            runSoon();
        }
        now = end;
    }

    /** What is still to come. */
    int waiting() {
        return due.size();
    }

    private void runSoon() {
        while (!soon.isEmpty()) soon.remove().run();
    }
}
