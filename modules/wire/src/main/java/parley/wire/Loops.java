package parley.wire;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.BindException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

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

    private static final long WATCH_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final MultiThreadIoEventLoopGroup group;
    private final List<EventLoop> loops;
    private final Map<EventLoop, Integer> numbers = new HashMap<>();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicLong worstNanos = new AtomicLong();
    private final AtomicLongArray due;

    private Loops(MultiThreadIoEventLoopGroup group, int count) {
        this.group = group;
        this.due = new AtomicLongArray(count);
        var all = new ArrayList<EventLoop>();
        for (int number = 0; number < count; number++) {
            var loop = (EventLoop) group.next();
            numbers.put(loop, number);
            all.add(loop);
            watch(loop, number);
        }
        this.loops = List.copyOf(all);
    }

    /** Starts {@code count} loops; 0 means one per processor. */
    public static Loops create(int count) {
        int threads = count > 0 ? count : Math.max(1, Runtime.getRuntime().availableProcessors());
        var group = new MultiThreadIoEventLoopGroup(
                threads,
                new DefaultThreadFactory("parley-loop", true),
                EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        return new Loops(group, threads);
    }

    /** The loops in turn. */
    public EventLoop next() {
        return loops.get(Math.floorMod(next.getAndIncrement(), loops.size()));
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
        var number = numbers.get(loop);
        if (number == null) {
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
        for (int number = 0; number < loops.size(); number++) {
            worst = Math.max(worst, System.nanoTime() - due.get(number));
        }
        return Duration.ofNanos(worst);
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    private void watch(EventLoop loop, int number) {
        due.set(number, System.nanoTime() + WATCH_NANOS);
        loop.scheduleWithFixedDelay(
                () -> {
                    long now = System.nanoTime();
                    worstNanos.accumulateAndGet(now - due.get(number), Math::max);
                    due.set(number, now + WATCH_NANOS);
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
}
