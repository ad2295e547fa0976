package parley.load.chaos;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import parley.load.Dial;
import parley.load.EventScan;

/**
 * Many callers at once, all on one event loop, from {@link #call} to {@link #hangUp}. Not thread-safe: one thread directs
 * them.
 */
public final class Callers implements AutoCloseable {
    private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
    private static final Duration LAST_CLOSES = Duration.ofSeconds(1);

    private final EventLoopGroup group;
    private final EventLoop loop;
    private final List<TalkingCaller> callers;
    private final Progress progress;

    private Callers(EventLoopGroup group, EventLoop loop, List<TalkingCaller> callers, Progress progress) {
        this.group = group;
        this.loop = loop;
        this.callers = callers;
        this.progress = progress;
    }

    /** Lets them call, one after the other, and returns at once. */
    public static Callers call(Talk talk) {
        var group = Dial.loops(1);
        var loop = group.next();
        var progress = new Progress();
        var dial = Dial.to(talk.nodes().getFirst(), Optional.empty(), talk.insecure());
        var scan = new EventScan(0);
        long now = System.nanoTime();
        var callers = new ArrayList<TalkingCaller>();
        for (int number = 0; number < talk.sessions(); number++) {
            var caller = new TalkingCaller(talk, number, dial, loop, scan, now, progress);
            callers.add(caller);
            loop.schedule(caller::begin, TimeUnit.SECONDS.toNanos(number) / talk.perSecond(), TimeUnit.NANOSECONDS);
        }
        return new Callers(group, loop, List.copyOf(callers), progress);
    }

    /** Waits until there have been as many answers as callers; false when that takes longer. */
    public boolean awaitTalk(Duration atMost) {
        return await(
                atMost, () -> progress.connected.sum() == callers.size() && progress.answered.sum() >= callers.size());
    }

    /**
     * Something is about to be broken: from now on pauses are measured, until the next stroke or {@link #recovered}.
     *
     * @param onOneMoment what is broken is broken at once; false when callers will notice one after the other
     */
    public void stroke(boolean onOneMoment) {
        each(caller -> caller.stroke(onOneMoment));
    }

    /** Whatever was broken is whole again, and has been for a while. */
    public void recovered() {
        each(TalkingCaller::closePauses);
    }

    /** All callers lose their connection at this moment, and come back after a time. */
    public void drop(Duration away, boolean elsewhere) {
        each(caller -> caller.drop(away.toNanos(), elsewhere));
    }

    /**
     * Lets everybody end the turn they are in, within a bound, and hangs up.
     *
     * @return what each of them lived through
     */
    public Conversations hangUp(Duration atMost) {
        each(TalkingCaller::finish);
        await(atMost, () -> on(() -> callers.stream().allMatch(TalkingCaller::isFinished)));
        each(TalkingCaller::hangUp);
        pause(LAST_CLOSES);
        close();
        return new Conversations(callers.stream().map(caller -> caller.diary).toList());
    }

    /** One line about how it goes. */
    public String progress() {
        return String.format(
                Locale.ROOT,
                "connected %d of %d, turns answered %d, given up %d, connections lost %d, come back %d, sessions lost %d",
                progress.connected.sum(),
                callers.size(),
                progress.answered.sum(),
                progress.givenUp.sum(),
                progress.unseated.sum(),
                progress.resumed.sum(),
                progress.lost.sum());
    }

    /** Ends everything without a word. Safe to repeat. */
    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    }

    private void each(Consumer<TalkingCaller> order) {
        on(() -> {
            callers.forEach(order);
            return true;
        });
    }

    private boolean on(BooleanSupplier question) {
        return CompletableFuture.supplyAsync(question::getAsBoolean, loop).join();
    }

    private static boolean await(Duration atMost, BooleanSupplier done) {
        long until = System.nanoTime() + atMost.toNanos();
        while (!done.getAsBoolean()) {
            if (System.nanoTime() - until > 0 || !pause(LOOK_AGAIN)) return false;
        }
        return true;
    }

    private static boolean pause(Duration time) {
        try {
            TimeUnit.NANOSECONDS.sleep(time.toNanos());
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
