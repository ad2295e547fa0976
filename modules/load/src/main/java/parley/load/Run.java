package parley.load;

import io.netty.channel.EventLoopGroup;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * One run, in order: connect everybody, let them speak through the warm-up and the measured window, wait a little for
 * the last answers, hang up, report. {@link #stop} cuts any of these short; the report is then of what was so far.
 */
final class Run {
    private static final long PROGRESS = TimeUnit.SECONDS.toNanos(5);
    private static final long LAST_ANSWERS = TimeUnit.SECONDS.toNanos(2);
    private static final long LAST_CLOSES = TimeUnit.SECONDS.toNanos(2);
    private static final long LOOK_AGAIN = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long HEAD_START = TimeUnit.MILLISECONDS.toNanos(20);

    /** The counters at one moment; the generator is the last of the processes. */
    record Mark(long nanos, long sent, long heard, List<Optional<ProcessReading>> processes) {}

    private final Options options;
    private final PrintStream progress;
    private final List<Lane> lanes = new ArrayList<>();
    private final CountDownLatch undecided;
    private final CountDownLatch present;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final SplittableRandom random = new SplittableRandom();
    private final long startedAt = System.nanoTime();
    private long nextProgress = startedAt + PROGRESS;

    Run(Options options, PrintStream progress) {
        this.options = options;
        this.progress = progress;
        this.undecided = new CountDownLatch(options.sessions());
        this.present = new CountDownLatch(options.sessions());
    }

    /** Ends the run early. Any thread may call it, any number of times. */
    void stop() {
        stopped.countDown();
    }

    /** Takes as long as the options say, and a bounded time more; to be called once. */
    Report report() throws InterruptedException {
        var group = Dial.loops(options.threads());
        try {
            var before = mark();
            connect(group);
            var schedule = Schedule.starting(
                    System.nanoTime() + HEAD_START, options.frameMillis(), options.warmup(), options.seconds());
            boolean anybody = sum(tally -> tally.connected) > 0;
            if (anybody) start(schedule);
            if (anybody) await(schedule.measureFrom(), () -> false);
            var from = mark();
            if (anybody) await(schedule.end(), () -> false);
            var to = mark();
            hangUp();
            var total = end(group);
            return Report.of(options, total, before, from, to);
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    private void connect(EventLoopGroup group) throws InterruptedException {
        var frame = Speech.voice(0, options.frameMillis());
        int expectedDelta = options.mode() == Mode.DUPLEX ? new AppendText(frame).audioChars() : 0;
        for (int i = 0; i < options.threads(); i++) {
            lanes.add(new Lane(group.next(), new EventScan(expectedDelta)));
        }
        var conducts = lanes.stream().map(conducts(frame)).toList();
        var dial = Dial.to(options.url(), options.token().map(Options.Token::value), options.insecure());
        long begin = System.nanoTime();
        for (int i = 0; i < options.sessions(); i++) {
            int at = i % lanes.size();
            var lane = lanes.get(at);
            var caller = new Caller(lane, conducts.get(at).apply(i), undecided::countDown, present::countDown);
            lane.callers.add(caller);
            long delay = begin + TimeUnit.SECONDS.toNanos(i) / options.connectRate() - System.nanoTime();
            lane.loop.schedule(() -> caller.dial(dial), delay, TimeUnit.NANOSECONDS);
        }
        long dialling = TimeUnit.SECONDS.toNanos(options.sessions()) / options.connectRate();
        await(
                begin + dialling + TimeUnit.SECONDS.toNanos(Caller.PATIENCE_SECONDS + 1),
                () -> undecided.getCount() == 0);
    }

    private Function<Lane, IntFunction<Conduct>> conducts(byte[] frame) {
        int run = random.nextInt();
        return switch (options.mode()) {
            case DUPLEX ->
                lane -> {
                    var text = new AppendText(frame);
                    return session -> new DuplexConduct(run, session, text, lane.tally);
                };
            case TURN -> {
                var voice = TurnConduct.Voice.of(options.frameMillis());
                yield lane -> session -> new TurnConduct(voice, lane.tally, random.nextLong());
            }
            case IDLE -> lane -> session -> new IdleConduct();
        };
    }

    private void start(Schedule schedule) {
        for (var lane : lanes) {
            long seed = random.nextLong();
            lane.loop.execute(() -> lane.start(schedule, seed));
        }
    }

    private void hangUp() throws InterruptedException {
        for (var lane : lanes) lane.loop.execute(lane::stop);
        if (options.mode() == Mode.DUPLEX) {
            pause(LAST_ANSWERS, () -> sum(tally -> tally.heard) >= sum(tally -> tally.sent));
        }
        for (var lane : lanes) lane.loop.execute(() -> lane.callers.forEach(Caller::hangUp));
        pause(LAST_CLOSES, () -> present.getCount() == 0);
        for (var lane : lanes) lane.loop.execute(() -> lane.callers.forEach(Caller::leave));
    }

    private Tally end(EventLoopGroup group) throws InterruptedException {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).await(2, TimeUnit.SECONDS);
        var total = new Tally();
        for (var lane : lanes) total.add(lane.tally);
        return total;
    }

    /** Returns at the moment, or when it is done, or when the run is stopped; says how it goes while it waits. */
    private void await(long until, BooleanSupplier done) throws InterruptedException {
        while (!done.getAsBoolean()) {
            long now = System.nanoTime();
            if (nextProgress - now <= 0) say(now);
            long left = until - now;
            if (left <= 0 || stopped.await(Math.min(left, LOOK_AGAIN), TimeUnit.NANOSECONDS)) return;
        }
    }

    /** As {@link #await}, but not cut short: the last words count even in a run that was stopped. */
    private static void pause(long atMost, BooleanSupplier done) throws InterruptedException {
        long until = System.nanoTime() + atMost;
        while (!done.getAsBoolean() && until - System.nanoTime() > 0) TimeUnit.NANOSECONDS.sleep(LOOK_AGAIN);
    }

    private void say(long now) {
        nextProgress += PROGRESS;
        long sent = sum(tally -> tally.sent);
        long heard = sum(tally -> tally.heard);
        progress.printf(
                Locale.ROOT,
                "%4d s  connected %d of %d  cut %d  frames sent %d  heard %d%n",
                TimeUnit.NANOSECONDS.toSeconds(now - startedAt),
                sum(tally -> tally.connected),
                options.sessions(),
                sum(tally -> tally.cut),
                sent,
                heard);
    }

    private Mark mark() {
        var processes = new ArrayList<Optional<ProcessReading>>();
        for (long pid : options.pids()) processes.add(ProcessReading.of(pid));
        processes.add(ProcessReading.of(ProcessHandle.current().pid()));
        return new Mark(System.nanoTime(), sum(tally -> tally.sent), sum(tally -> tally.heard), processes);
    }

    private long sum(Function<Tally, LongAdder> counter) {
        return lanes.stream().mapToLong(lane -> counter.apply(lane.tally).sum()).sum();
    }
}
