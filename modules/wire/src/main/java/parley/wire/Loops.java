package parley.wire;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultEventExecutorChooserFactory;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.EventExecutorChooserFactory;
import io.netty.util.concurrent.ThreadPerTaskExecutor;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.BindException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The event loops of this process: each socket, and each conversation, lives on one of them. They are created before the
 * actor system and closed after it.
 *
 * <p>Nothing that runs here may block: {@link #worstDelay()} tells how late the loops ran their own clock.
 */
public final class Loops implements AutoCloseable {
    /** Linux's epoll where it is to be had: an idle socket then costs nothing. Java's own selector elsewhere. */
    private static final boolean EPOLL = Epoll.isAvailable();

    /** The kind of channel that listens on these loops. */
    public static final Class<? extends ServerChannel> SERVER_CHANNEL =
            EPOLL ? EpollServerSocketChannel.class : NioServerSocketChannel.class;

    /** The kind of channel that connects on these loops. */
    public static final Class<? extends Channel> SOCKET_CHANNEL =
            EPOLL ? EpollSocketChannel.class : NioSocketChannel.class;

    /** Pooled direct buffers: what a socket fills and another sends without a copy. */
    public static final ByteBufAllocator ALLOCATOR = new PooledByteBufAllocator(true);

    /** Bytes that {@link #ALLOCATOR} holds outside the heap. */
    public static long directMemory() {
        return ((PooledByteBufAllocator) ALLOCATOR).metric().usedDirectMemory();
    }

    private static final long WATCH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final EventLoopGroup group;
    private final List<Loop> loops;
    private final AtomicLong worstNanos = new AtomicLong();

    private Loops(Group group) {
        this.group = group;
        var all = new ArrayList<Loop>();
        group.forEach(loop -> all.add((Loop) loop));
        this.loops = List.copyOf(all);
        loops.forEach(this::watch);
    }

    /** Starts {@code count} loops that take new sockets in turn; 0 means one per processor. */
    public static Loops create(int count) {
        return create(count, DefaultEventExecutorChooserFactory.INSTANCE);
    }

    /** Starts the loops of a node. */
    public static Loops create(LoopSettings settings) {
        return create(settings.count(), loops -> () -> firstWithRoom(loops, settings));
    }

    private static Loops create(int count, EventExecutorChooserFactory chooser) {
        return new Loops(new Group(
                count > 0 ? count : Runtime.getRuntime().availableProcessors(),
                new ThreadPerTaskExecutor(new DefaultThreadFactory("parley-loop", true)),
                chooser,
                EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory()));
    }

    /**
     * The first that is not full, and when all are, the one with the fewest sockets. A loop that has more to do finds
     * more frames at each wakening, so two half-empty ones cost more than one.
     */
    private static EventExecutor firstWithRoom(EventExecutor[] loops, LoopSettings settings) {
        var chosen = (Loop) loops[0];
        for (var each : loops) {
            var loop = (Loop) each;
            if (loop.hasRoom(settings)) {
                chosen = loop;
                break;
            }
            if (loop.sockets() < chosen.sockets()) {
                chosen = loop;
            }
        }
        chosen.given.incrementAndGet();
        return chosen;
    }

    /** The loop for a new socket or conversation. */
    public EventLoop next() {
        return group.next();
    }

    public int count() {
        return loops.size();
    }

    /** Why a port could not be bound, in the words of the JDK whatever the kind of channel. */
    public static BindException bindFailure(SocketAddress address, Throwable cause) {
        var failure = new BindException(address + ": " + cause.getMessage());
        failure.initCause(cause);
        return failure;
    }

    EventLoopGroup group() {
        return group;
    }

    /** The loop's number, for {@link #get}. */
    public int numberOf(EventLoop loop) {
        int number = loop instanceof Loop own ? loops.indexOf(own) : -1;
        if (number < 0) {
            throw new IllegalArgumentException("not one of these loops: " + loop);
        }
        return number;
    }

    /** @param number 0 to {@link #count()} - 1; others wrap around */
    public EventLoop get(int number) {
        return loops.get(Math.floorMod(number, loops.size()));
    }

    /**
     * How late the loops' own clock ran at worst since the last call: long means something blocked a loop, or still
     * does.
     */
    public Duration worstDelay() {
        long worst = worstNanos.getAndSet(0);
        for (var loop : loops) {
            worst = Math.max(worst, loop.lateNanos());
        }
        return Duration.ofNanos(worst);
    }

    /** Processor time of the busiest loop in the last second, as a share of one processor. */
    public double busiest() {
        return loops.stream().mapToDouble(loop -> loop.busy).max().orElse(0);
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    private void watch(Loop loop) {
        loop.scheduleWithFixedDelay(loop::look, LOOK_NANOS, LOOK_NANOS, TimeUnit.NANOSECONDS);
        loop.due = System.nanoTime() + WATCH_NANOS;
        loop.scheduleWithFixedDelay(
                () -> {
                    worstNanos.accumulateAndGet(loop.lateNanos(), Math::max);
                    loop.due = System.nanoTime() + WATCH_NANOS;
                },
                WATCH_NANOS,
                WATCH_NANOS,
                TimeUnit.NANOSECONDS);
    }

    /** Refuses any other thread: a port is not guarded against a second one. */
    static void require(EventLoop loop) {
        if (!loop.inEventLoop()) {
            throw new IllegalStateException("a port is joined on its event loop");
        }
    }

    private static final class Group extends MultiThreadIoEventLoopGroup {
        Group(int count, Executor threads, EventExecutorChooserFactory chooser, IoHandlerFactory handlers) {
            super(count, threads, chooser, handlers);
        }

        @Override
        protected IoEventLoop newChild(Executor threads, IoHandlerFactory handlers, Object... more) {
            return new Loop(this, threads, handlers);
        }
    }

    /** A loop that knows how full it is. */
    private static final class Loop extends SingleThreadIoEventLoop {
        private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

        /**
         * So late, it is blocked. One that begins, in a JVM that is still cold or on a machine without a processor to
         * spare, is late by a second; what is put elsewhere for that crosses threads for all its life.
         */
        private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(2);

        /** Its processor time in the last second, as a share of a processor; 0 where a thread's time is not known. */
        private volatile double busy;

        /** When it was to look at its clock. */
        private volatile long due;

        /** New sockets since it last looked: it does not know yet what they cost. */
        private final AtomicInteger given = new AtomicInteger();

        private long spent;
        private long seen = System.nanoTime();

        Loop(IoEventLoopGroup group, Executor threads, IoHandlerFactory handlers) {
            super(group, threads, handlers);
        }

        boolean hasRoom(LoopSettings full) {
            return sockets() < full.sockets()
                    && busy < full.busy()
                    && given.get() < full.burst()
                    && lateNanos() < LATE_NANOS;
        }

        int sockets() {
            return getNumOfRegisteredChannels();
        }

        /** How late it is now; negative while it is not. */
        long lateNanos() {
            return System.nanoTime() - due;
        }

        private void look() {
            long now = System.nanoTime();
            long total = THREADS.isCurrentThreadCpuTimeSupported() ? THREADS.getCurrentThreadCpuTime() : 0;
            busy = (double) (total - spent) / (now - seen);
            spent = total;
            seen = now;
            given.set(0);
        }
    }
}
