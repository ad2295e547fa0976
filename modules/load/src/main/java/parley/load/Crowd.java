package parley.load;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * Everybody who calls, and the event loops they are on. They {@link #join}, {@link #talk}, and {@link #leave} at the end;
 * {@link #take} tells what they saw since it was asked last. More may join after some have talked: nobody speaks while
 * they connect. {@link #stop} cuts any of these short.
 *
 * <p>One thread runs it; any may stop it.
 */
final class Crowd implements AutoCloseable {
    private static final long PROGRESS = TimeUnit.SECONDS.toNanos(5);
    private static final long LAST_ANSWERS = TimeUnit.SECONDS.toNanos(2);
    private static final long LAST_CLOSES = TimeUnit.SECONDS.toNanos(2);
    private static final long LOOK_AGAIN = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long HEAD_START = TimeUnit.MILLISECONDS.toNanos(20);
    /** Much longer than a loop that still runs can be behind. */
    private static final int SECONDS_TO_TELL = 10;

    private final Options options;
    private final PrintStream progress;
    private final EventLoopGroup group;
    private final Dial dial;
    private final Optional<Opening> opening;
    private final List<Lane> lanes = new ArrayList<>();
    private final List<IntFunction<Conduct>> conducts = new ArrayList<>();
    private final AtomicInteger undecided = new AtomicInteger();
    private final AtomicInteger present = new AtomicInteger();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final SplittableRandom random = new SplittableRandom();
    private final long startedAt = System.nanoTime();
    private long nextProgress = startedAt + PROGRESS;
    private int joined;
    /** Of what was taken already. */
    private final Tally taken = new Tally();

    Crowd(Options options, PrintStream progress) {
        this.options = options;
        this.progress = progress;
        this.group = Dial.loops(options.threads());
        this.dial = Dial.to(options.url(), options.access(), options.insecure());
        this.opening = options.openAt().map(node -> new Opening(node, options));
        var frame = Speech.voice(0, options.frameMillis());
        int expectedDelta = options.mode() == Mode.DUPLEX ? new AppendText(frame).audioChars() : 0;
        var conduct = conduct(frame);
        for (int i = 0; i < options.threads(); i++) {
            var lane = new Lane(group.next(), new EventScan(expectedDelta));
            lanes.add(lane);
            conducts.add(conduct.apply(lane));
        }
    }

    private Function<Lane, IntFunction<Conduct>> conduct(byte[] frame) {
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

    /** Ends what goes on, and lets nothing long begin any more. */
    void stop() {
        stopped.countDown();
    }

    boolean isStopped() {
        return stopped.getCount() == 0;
    }

    /** Returns when all of them are connected or have failed to. */
    void join(int more) throws InterruptedException {
        undecided.addAndGet(more);
        present.addAndGet(more);
        long begin = System.nanoTime();
        for (int i = 0; i < more; i++) {
            int session = joined++;
            int at = session % lanes.size();
            var lane = lanes.get(at);
            var caller = new Caller(
                    lane, conducts.get(at).apply(session), undecided::decrementAndGet, present::decrementAndGet);
            lane.callers.add(caller);
            long delay = begin + TimeUnit.SECONDS.toNanos(i) / options.connectRate() - System.nanoTime();
            lane.loop.schedule(() -> dial(lane, caller), delay, TimeUnit.NANOSECONDS);
        }
        long dialling = TimeUnit.SECONDS.toNanos(more) / options.connectRate();
        await(begin + dialling + TimeUnit.SECONDS.toNanos(Caller.PATIENCE_SECONDS + 1), () -> undecided.get() == 0);
    }

    private void dial(Lane lane, Caller caller) {
        if (opening.isEmpty()) {
            caller.dial(dial);
        } else {
            opening.get()
                    .open()
                    .whenCompleteAsync(
                            (url, failure) -> {
                                if (failure == null) caller.dial(dial.at(url));
                                else caller.giveUp(failure);
                            },
                            lane.loop);
        }
    }

    /** Lets those who are connected speak, and returns when the last answers are there, or had their time. */
    Mark.Window talk(int warmup, int seconds) throws InterruptedException {
        var schedule = Schedule.starting(System.nanoTime() + HEAD_START, options.frameMillis(), warmup, seconds);
        boolean anybody = connected() > 0;
        if (anybody) start(schedule);
        if (anybody) await(schedule.measureFrom(), () -> false);
        var from = mark();
        if (anybody) await(schedule.end(), () -> false);
        var to = mark();
        for (var lane : lanes) lane.loop.execute(lane::stop);
        if (options.mode() == Mode.DUPLEX) {
            pause(LAST_ANSWERS, () -> sum(tally -> tally.heard) >= sum(tally -> tally.sent));
        }
        return new Mark.Window(from, to);
    }

    private void start(Schedule schedule) {
        for (var lane : lanes) {
            long seed = random.nextLong();
            lane.loop.execute(() -> lane.start(schedule, seed));
        }
    }

    /** Everybody hangs up. */
    void leave() throws InterruptedException {
        for (var lane : lanes) lane.loop.execute(() -> lane.callers.forEach(Caller::hangUp));
        pause(LAST_CLOSES, () -> present.get() == 0);
        for (var lane : lanes) lane.loop.execute(() -> lane.callers.forEach(Caller::drop));
        pause(LAST_CLOSES, () -> present.get() == 0);
    }

    /** What was seen since this was called last; what was not heard by now counts as lost. */
    Tally take() throws InterruptedException {
        var seen = new Tally();
        for (var lane : lanes) {
            try {
                lane.loop.submit(() -> lane.tell(seen)).get(SECONDS_TO_TELL, TimeUnit.SECONDS);
            } catch (ExecutionException | TimeoutException broken) {
                throw new IllegalStateException("an event loop does not tell what it saw", broken);
            }
        }
        taken.add(seen);
        return seen;
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
        nextProgress = now + PROGRESS;
        progress.printf(
                Locale.ROOT,
                "%4d s  connected %d of %d  cut %d  frames sent %d  heard %d%n",
                TimeUnit.NANOSECONDS.toSeconds(now - startedAt),
                connected(),
                joined,
                sum(tally -> tally.cut),
                sum(tally -> tally.sent),
                sum(tally -> tally.heard));
    }

    Mark mark() {
        var processes = new ArrayList<Optional<ProcessReading>>();
        for (long pid : options.pids()) processes.add(ProcessReading.of(pid));
        processes.add(ProcessReading.of(ProcessHandle.current().pid()));
        var threads = ManagementFactory.getThreadMXBean();
        var loops = lanes.stream()
                .map(lane -> ((SingleThreadEventExecutor) lane.loop).threadProperties())
                .map(thread -> threads.getThreadCpuTime(thread.id()))
                .toList();
        return new Mark(
                System.nanoTime(),
                sum(tally -> tally.sent),
                sum(tally -> tally.heard),
                processes,
                loops,
                MachineReading.now());
    }

    /** Sessions that were connected, whatever became of them. */
    long connected() {
        return sum(tally -> tally.connected);
    }

    private long sum(Function<Tally, LongAdder> counter) {
        return counter.apply(taken).sum()
                + lanes.stream()
                        .mapToLong(lane -> counter.apply(lane.tally).sum())
                        .sum();
    }

    @Override
    public void close() {
        opening.ifPresent(Opening::close);
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
