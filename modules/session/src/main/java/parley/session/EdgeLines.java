package parley.session;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.wire.WebSocketClose;

/** The lines of the callers that are connected to this node. Thread-safe. */
final class EdgeLines {
    private static final int ROUNDS_PER_SECOND = 10;

    private final EventLoop clock;
    private final Set<EdgeLine> open = new LinkedHashSet<>();
    private @Nullable Leaving leaving;

    /** @param clock where the rounds of {@link #leave} are run */
    EdgeLines(EventLoop clock) {
        this.clock = clock;
    }

    /** Keeps the line until it has ended. */
    void add(EdgeLine line) {
        synchronized (this) {
            open.add(line);
            if (leaving != null) {
                leaving.untold.add(line);
            }
        }
        line.closed().thenAccept(close -> gone(line));
    }

    /** Lines that are open now. */
    synchronized int count() {
        return open.size();
    }

    /**
     * Asks all callers to leave this node, also those who come later; once, further calls get the first one's answer.
     * They are told a few at a time, {@code perSecond} at most, and each that it has some random time, up to {@code
     * spread}, so that the other nodes are not stormed. Who is still here at the deadline is cut off.
     *
     * @return when all are gone, or at the deadline: how many had to be cut off
     */
    CompletionStage<Integer> leave(Duration spread, Duration deadline, int perSecond) {
        synchronized (this) {
            if (leaving == null) {
                leaving = new Leaving(spread, deadline, perSecond);
                leaving.begin();
            }
            return leaving.done.minimalCompletionStage();
        }
    }

    private void gone(EdgeLine line) {
        Leaving current;
        synchronized (this) {
            open.remove(line);
            current = leaving;
            if (current == null) {
                return;
            }
            current.untold.remove(line);
            current.overstayed += line.overstayed() ? 1 : 0;
        }
        current.finishIfEmpty();
    }

    /** Everybody is on the way out. Its fields are guarded by the registry; nobody is called under that lock. */
    private final class Leaving {
        private final CompletableFuture<Integer> done = new CompletableFuture<>();
        private final Set<EdgeLine> untold = new LinkedHashSet<>(open);
        private final long spreadMs;
        private final long end;
        private final int perSecond;
        private @Nullable Future<?> rounds;
        private long round;
        private long told;
        private int overstayed;

        Leaving(Duration spread, Duration deadline, int perSecond) {
            this.spreadMs = spread.toMillis();
            this.end = System.nanoTime() + deadline.toNanos();
            this.perSecond = perSecond;
        }

        void begin() {
            rounds = clock.scheduleAtFixedRate(this::round, 0, 1000 / ROUNDS_PER_SECOND, TimeUnit.MILLISECONDS);
        }

        private void round() {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (leftMs <= 0) {
                finish();
                return;
            }
            for (var line : next()) {
                line.leave(
                        Duration.ofMillis(ThreadLocalRandom.current().nextLong(spreadMs + 1)),
                        Duration.ofMillis(leftMs));
            }
            finishIfEmpty();
        }

        private List<EdgeLine> next() {
            var batch = new ArrayList<EdgeLine>();
            synchronized (EdgeLines.this) {
                round++;
                // What was not used up of a round is not kept for the next.
                told = Math.max(told, (round - 1) * perSecond / ROUNDS_PER_SECOND);
                for (var all = untold.iterator();
                        all.hasNext() && told < round * perSecond / ROUNDS_PER_SECOND;
                        told++) {
                    batch.add(all.next());
                    all.remove();
                }
            }
            return batch;
        }

        /** Rounds go on until the deadline, for whoever comes late. */
        void finishIfEmpty() {
            int cutOff;
            synchronized (EdgeLines.this) {
                if (!open.isEmpty()) {
                    return;
                }
                cutOff = overstayed;
            }
            done.complete(cutOff);
        }

        private void finish() {
            List<EdgeLine> left;
            int cutOff;
            synchronized (EdgeLines.this) {
                left = List.copyOf(open);
                cutOff = overstayed + left.size();
            }
            if (rounds != null) {
                rounds.cancel(false);
            }
            left.forEach(line -> line.close(WebSocketClose.RESTART, "restart"));
            done.complete(cutOff);
        }
    }
}
