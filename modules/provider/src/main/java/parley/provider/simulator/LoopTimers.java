package parley.provider.simulator;

import io.netty.channel.EventLoop;
import java.time.Clock;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The time of a conversation on the event loop of its socket. Nothing happens any more once the socket is gone. */
final class LoopTimers implements Timers {

    private final EventLoop loop;
    private final BooleanSupplier alive;
    private final Clock clock = Clock.systemUTC();

    LoopTimers(EventLoop loop, BooleanSupplier alive) {
        this.loop = loop;
        this.alive = alive;
    }

    @Override
    public long millis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    @Override
    public Instant now() {
        return clock.instant();
    }

    @Override
    public Timer after(long millis, Runnable task) {
        var scheduled = loop.schedule(whileAlive(task), millis, TimeUnit.MILLISECONDS);
        return () -> scheduled.cancel(false);
    }

    @Override
    public void soon(Runnable task) {
        loop.execute(whileAlive(task));
    }

    private Runnable whileAlive(Runnable task) {
        return () -> {
            if (alive.getAsBoolean()) task.run();
        };
    }
}
