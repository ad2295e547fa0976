package parley.session;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.ToDoubleFunction;
import parley.meter.Meters;
import parley.wire.Loops;

/**
 * How full the queues of this node's conversations are: each loop looks at its own now and then, since nobody else may.
 * What it saw last is read when somebody asks.
 */
final class QueueWatch implements AutoCloseable {
    private static final Duration EVERY = Duration.ofSeconds(5);

    /** What one loop saw. The ratios are those of the fullest queue. */
    static final class Levels {
        private long toCaller;
        private long toProvider;
        private long replay;
        private long unwritten;
        private double toCallerRatio;
        private double toProviderRatio;
        private double replayRatio;

        void toCaller(int frames, double ratio) {
            toCaller += frames;
            toCallerRatio = Math.max(toCallerRatio, ratio);
        }

        void toProvider(int frames, double ratio) {
            toProvider += frames;
            toProviderRatio = Math.max(toProviderRatio, ratio);
        }

        void replay(int events, double ratio) {
            replay += events;
            replayRatio = Math.max(replayRatio, ratio);
        }

        void unwritten(int facts) {
            unwritten += facts;
        }
    }

    private final AtomicReferenceArray<Levels> seen;
    private final List<Future<?>> looks = new ArrayList<>();

    private QueueWatch(int loops) {
        seen = new AtomicReferenceArray<>(loops);
    }

    static QueueWatch start(Loops loops, Conversations conversations, Meters meters) {
        var watch = new QueueWatch(loops.count());
        for (int number = 0; number < loops.count(); number++) {
            int own = number;
            var loop = loops.get(number);
            watch.looks.add(loop.scheduleWithFixedDelay(
                    () -> watch.seen.set(own, look(loop, conversations)),
                    EVERY.toMillis(),
                    EVERY.toMillis(),
                    TimeUnit.MILLISECONDS));
        }
        watch.tell(meters);
        return watch;
    }

    private static Levels look(EventLoop loop, Conversations conversations) {
        var levels = new Levels();
        conversations.forEach(conversation -> {
            if (conversation.loop().equals(loop)) {
                conversation.measure(levels);
            }
        });
        return levels;
    }

    private void tell(Meters meters) {
        var frames = "voice_buffer_frames";
        var waiting = "Frames waiting, of all conversations.";
        meters.gauge(frames, waiting, () -> sum(levels -> levels.toCaller), "buffer", "to_caller");
        meters.gauge(frames, waiting, () -> sum(levels -> levels.toProvider), "buffer", "to_provider");
        meters.gauge(frames, waiting, () -> sum(levels -> levels.replay), "buffer", "replay");
        var ratio = "voice_buffer_fullest_ratio";
        var fullest = "How full the fullest one is, of its bound.";
        meters.gauge(ratio, fullest, () -> most(levels -> levels.toCallerRatio), "buffer", "to_caller");
        meters.gauge(ratio, fullest, () -> most(levels -> levels.toProviderRatio), "buffer", "to_provider");
        meters.gauge(ratio, fullest, () -> most(levels -> levels.replayRatio), "buffer", "replay");
        meters.gauge(
                "voice_journal_backlog_facts",
                "Facts not known to be written, of all conversations.",
                () -> sum(levels -> levels.unwritten));
    }

    private double sum(ToDoubleFunction<Levels> of) {
        double sum = 0;
        for (int number = 0; number < seen.length(); number++) {
            var levels = seen.get(number);
            sum += levels == null ? 0 : of.applyAsDouble(levels);
        }
        return sum;
    }

    private double most(ToDoubleFunction<Levels> of) {
        double most = 0;
        for (int number = 0; number < seen.length(); number++) {
            var levels = seen.get(number);
            most = Math.max(most, levels == null ? 0 : of.applyAsDouble(levels));
        }
        return most;
    }

    @Override
    public void close() {
        looks.forEach(look -> look.cancel(false));
    }
}
