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
 * <p>A line of the audit is never taken back, and a scanner must not be able to fill it, however slow it is. So a stranger's
 * first attempt is told at once, and further ones from the same network for the same resource and reason are told together:
 * after a minute, then after two, four, and at last once an hour. Who is quiet for a while goes on where they were; only
 * after the longest window without an attempt is one forgotten. Of somebody known {@code each} attempts are told one by one,
 * and what is beyond that in the same windows together: every caller of the service has a token that is good, and none that
 * opens anything here. There are {@code strangers} and {@code known} such heaps; what would be more is one heap of its own
 * for either kind. So the lines of an hour have a bound, whoever comes, and how often.
 *
 * <p>Thread-safe.
 */
final class Denials implements Consumer<Denied> {
    private final DenialSettings settings;
    private final Consumer<Denied> audit;
    private final Meters meters;
    private final BiFunction<Duration, Runnable, Runnable> after;
    private final Map<Heap, Waiting> waiting = new HashMap<>();
    private int strangers;

    /** What is told together. */
    private record Heap(String who, String network, String target, String why) {
        static final Heap ELSEWHERE = new Heap("", "", "", "");
        static final Heap OTHERS = new Heap("", "", "", "others");

        static Heap of(Denied one) {
            return one.name() == null
                    ? new Heap("", one.network(), resource(one.path()), one.why())
                    : new Heap(one.name(), "", "", "");
        }
    }

    private static final class Waiting {
        /** One by one, already. */
        int told;

        int untold;
        Duration window;
        /** The last window ended without anything to tell: it is about to be forgotten. */
        boolean quiet;

        Denied last;
        /** Counts its windows: only the end of the present one counts. */
        int turn;

        @Nullable
        Runnable end;

        Waiting(Denied first, Duration window) {
            this.last = first;
            this.window = window;
        }
    }

    /**
     * @param audit gets what is to be written, outside of any lock
     * @param after does something later, and gives what calls it off
     */
    Denials(
            DenialSettings settings,
            Consumer<Denied> audit,
            Meters meters,
            BiFunction<Duration, Runnable, Runnable> after) {
        this.settings = settings;
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
        if (there == null && one.name() == null && strangers >= settings.strangers()) {
            heap = Heap.ELSEWHERE;
            there = waiting.get(heap);
        } else if (there == null && one.name() != null && waiting.size() - strangers >= settings.known()) {
            heap = Heap.OTHERS;
            there = waiting.get(heap);
        }
        if (there == null) {
            there = new Waiting(one, settings.first());
            waiting.put(heap, there);
            strangers += one.name() == null ? 1 : 0;
            endLater(heap, there);
        } else if (there.quiet) {
            callOff(there);
            there.quiet = false;
            widen(there);
            endLater(heap, there);
        }
        there.last = one;
        boolean tell = there.told < (one.name() == null ? 1 : settings.each());
        if (tell) {
            there.told++;
        } else {
            there.untold++;
        }
        return tell;
    }

    private void endLater(Heap heap, Waiting there) {
        int turn = ++there.turn;
        there.end = after.apply(there.quiet ? settings.longest() : there.window, () -> end(heap, there, turn));
    }

    private void widen(Waiting there) {
        var twice = there.window.multipliedBy(2);
        there.window = twice.compareTo(settings.longest()) < 0 ? twice : settings.longest();
    }

    private static void callOff(Waiting there) {
        if (there.end != null) {
            there.end.run();
        }
    }

    private void end(Heap heap, Waiting over, int turn) {
        Denied together;
        synchronized (this) {
            if (waiting.get(heap) != over || over.turn != turn) {
                // It was called off when it had begun already.
                return;
            }
            if (over.quiet) {
                waiting.remove(heap);
                strangers -= over.last.name() == null ? 1 : 0;
                return;
            }
            if (over.untold == 0) {
                over.quiet = true;
                endLater(heap, over);
                return;
            }
            together = together(heap, over);
            over.untold = 0;
            over.told = over.last.name() == null ? over.told : 0;
            widen(over);
            endLater(heap, over);
        }
        audit.accept(together);
    }

    private static Denied together(Heap heap, Waiting over) {
        var one = over.last;
        if (heap.equals(Heap.ELSEWHERE)) {
            one = one.at("/…").from("other networks");
        } else if (heap.equals(Heap.OTHERS)) {
            // The last one is not to blame for what others tried.
            one = one.at("/…").from("several networks").byMany("others");
        }
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
            callOff(over);
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
