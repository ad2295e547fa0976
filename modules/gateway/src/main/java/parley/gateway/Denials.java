package parley.gateway;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parley.gateway.Operators.Denied;
import parley.meter.Meters;

/**
 * What the audit is told of those who were refused: everything of people it knows, and of strangers who came, from where,
 * for what, and how often.
 *
 * <p>A line of the audit is never taken back, and a scanner must not be able to fill it. So a stranger's first attempt is
 * told at once, and further ones from the same network for the same resource and reason are told together: after a minute,
 * then, while they go on, after two, four, and at last once an hour. There are {@value #STRANGERS} such heaps; what would be
 * more is one heap of its own. Of somebody known {@value #EACH} attempts are told one by one, and what is beyond that in the
 * same windows together: every caller of the service has a token that is good, and none that opens anything here.
 *
 * <p>Thread-safe.
 */
final class Denials implements Consumer<Denied> {
    static final int STRANGERS = 20;
    static final int EACH = 20;
    private static final int KNOWN = 200;
    private static final Duration FIRST = Duration.ofMinutes(1);
    private static final Duration LONGEST = Duration.ofHours(1);

    private final Consumer<Denied> audit;
    private final Meters meters;
    private final BiFunction<Duration, Runnable, Runnable> after;
    private final Map<Heap, Waiting> waiting = new HashMap<>();
    private int strangers;

    /** What is told together. */
    private record Heap(String who, String network, String target, String why) {
        static final Heap ELSEWHERE = new Heap("", "", "", "");

        static Heap of(Denied one) {
            return one.name() == null
                    ? new Heap("", one.network(), resource(one.path()), one.why())
                    : new Heap(one.name(), "", "", "");
        }
    }

    private static final class Waiting {
        /** Of this window, told already. */
        int told;

        int untold;
        Duration window = FIRST;
        Denied last;

        @Nullable
        Runnable end;

        Waiting(Denied first) {
            this.last = first;
        }
    }

    /**
     * @param audit gets what is to be written, outside of any lock
     * @param after does something later, and gives what calls it off
     */
    Denials(Consumer<Denied> audit, Meters meters, BiFunction<Duration, Runnable, Runnable> after) {
        this.audit = audit;
        this.meters = meters;
        this.after = after;
        for (var code : new String[] {"unauthenticated", "role_too_small", "identity_unavailable"}) {
            count(code, 0);
        }
    }

    @Override
    public void accept(Denied denied) {
        count(denied.code(), 1);
        var one = denied.name() == null ? denied.at(resource(denied.path())) : denied;
        if (tells(one)) {
            audit.accept(one);
        }
    }

    private synchronized boolean tells(Denied one) {
        var heap = Heap.of(one);
        var there = waiting.get(heap);
        if (there == null && one.name() == null && strangers >= STRANGERS) {
            heap = Heap.ELSEWHERE;
            there = waiting.get(heap);
        } else if (there == null && one.name() != null && waiting.size() - strangers >= KNOWN) {
            // So many people at once are no scanner.
            return true;
        }
        if (there == null) {
            there = new Waiting(one);
            waiting.put(heap, there);
            strangers += one.name() == null ? 1 : 0;
            endLater(heap, there);
        }
        there.last = one;
        boolean tell = there.told < (one.name() == null ? 1 : EACH);
        if (tell) {
            there.told++;
        } else {
            there.untold++;
        }
        return tell;
    }

    private void endLater(Heap heap, Waiting there) {
        there.end = after.apply(there.window, () -> end(heap));
    }

    private void end(Heap heap) {
        Denied together;
        synchronized (this) {
            var over = waiting.get(heap);
            if (over == null) {
                return;
            }
            if (over.untold == 0) {
                waiting.remove(heap);
                strangers -= over.last.name() == null ? 1 : 0;
                return;
            }
            together = together(heap, over);
            over.untold = 0;
            over.told = over.last.name() == null ? over.told : 0;
            over.window = over.window.multipliedBy(2).compareTo(LONGEST) < 0 ? over.window.multipliedBy(2) : LONGEST;
            endLater(heap, over);
        }
        audit.accept(together);
    }

    private static Denied together(Heap heap, Waiting over) {
        var one = heap.equals(Heap.ELSEWHERE) ? over.last.at("/…").from("other networks") : over.last;
        return one.times(over.untold, over.window);
    }

    /** Tells what waits, at once: to be called while the audit can still be reached. */
    void flush() {
        Map<Heap, Waiting> left;
        synchronized (this) {
            left = Map.copyOf(waiting);
            waiting.clear();
            strangers = 0;
        }
        left.forEach((heap, over) -> {
            if (over.end != null) {
                over.end.run();
            }
            if (over.untold > 0) {
                audit.accept(together(heap, over));
            }
        });
    }

    /** The first two segments, which our routes name: what stands behind them, the stranger chose. */
    private static String resource(String path) {
        int second = path.indexOf('/', 1);
        int end = second < 0 ? -1 : path.indexOf('/', second + 1);
        return end < 0 ? path : path.substring(0, end);
    }

    private void count(String code, long more) {
        meters.counter("voice_admin_refused_total", "Operators' requests refused.", "reason", code)
                .add(more);
    }
}
