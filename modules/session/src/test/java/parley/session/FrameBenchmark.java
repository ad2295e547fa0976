package parley.session;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * What a frame of audio costs between its two sockets: 100 ms, 6.4 kB of JSON, through the whole of a conversation. {@code
 * scripts/bench frame} runs it.
 *
 * <p>A frame begins as a socket's does, as bytes in a pooled buffer; {@link #copied} is that beginning alone, with the
 * loop's task that stands for the socket's wakening. What the others cost more is Parley's.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(FrameBenchmark.FRAMES)
@Fork(
        value = 2,
        jvmArgsAppend = {"-Xmx512m", "-XX:+UseCompactObjectHeaders", "-Dio.netty.leakDetection.level=disabled"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class FrameBenchmark {
    static final int FRAMES = 1000;

    private final Frame append = Frame.text(Events.append(100));
    private final Frame delta = Frame.text(Events.audio("resp_1", "item_1", 100));
    private Rig rig;
    private Stage stage;
    private Line nobody;
    private Line caller;
    private Line provider;

    @Setup
    public void talk() {
        // The provider that is spoken to says nothing all the while, in the middle of an answer.
        rig = new Rig(Map.of("parley.session.max-frames-per-second", 0, "parley.session.stall-after", "1h"));
        stage = new Stage(rig);
        var conversation = stage.starts(Face.REALTIME, "usual");
        nobody = new Line(conversation.loop());
        caller = new Line(conversation.loop());
        provider = new Line(conversation.loop());
        var line = Rig.await(conversation.seat(
                "seat-1", new Conversations.Seat(conversation, Conversations.Manner.FIRST, 1, -1, null, false)));
        var call = rig.provider.called();
        caller.does(() -> {
            caller.join(line);
            call.line().complete(provider);
        });
        provider.says(Events.created());
        caller.heard(1);
        provider.says(Events.begun("resp_1"));
        caller.heard(1);
        stage.settle();
        provider.heard = 0;
    }

    /** A frame's bytes, and a task of the loop. */
    @Benchmark
    public void copied() {
        nobody.says(append);
    }

    /** From the caller to the provider. */
    @Benchmark
    public void spoken() {
        caller.says(append);
        provider.heard(FRAMES);
    }

    /** From the provider to the caller. */
    @Benchmark
    public void answered() {
        provider.says(delta);
        caller.heard(FRAMES);
    }

    @TearDown
    public void end() {
        stage.close();
        rig.close();
    }

    /** A socket whose far end says frames by the thousand and counts what it hears. */
    private static final class Line implements Port {
        private final EventLoop loop;
        private final ArrayDeque<Frame> inbox = new ArrayDeque<>();
        private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
        private volatile int heard;
        private @Nullable WebSocketClose ending;
        private @Nullable Runnable onReadable;

        Line(EventLoop loop) {
            this.loop = loop;
        }

        void says(String text) {
            does(() -> arrives(Frame.text(text)));
        }

        /** Each in a task of its own, as each is a wakening of its own for a socket. */
        void says(Frame frame) {
            var said = new CompletableFuture<Void>();
            loop.execute(new Runnable() {
                private int left = FRAMES;

                @Override
                public void run() {
                    arrives(Frame.copyOf(frame));
                    if (--left > 0) {
                        loop.execute(this);
                    } else {
                        said.complete(null);
                    }
                }
            });
            said.join();
        }

        /** Waits until it has, since it was last asked; more is an error. */
        void heard(int frames) {
            while (heard < frames && ending == null) {
                Thread.onSpinWait();
            }
            if (heard != frames) {
                throw new IllegalStateException("heard " + heard + " of " + frames + ", " + ending);
            }
            heard = 0;
        }

        void does(Runnable action) {
            CompletableFuture.runAsync(action, loop).join();
        }

        private void arrives(Frame frame) {
            if (onReadable == null) {
                frame.release();
            } else {
                inbox.add(frame);
                onReadable.run();
            }
        }

        @Override
        public EventLoop loop() {
            return loop;
        }

        @Override
        public @Nullable Frame poll() {
            return inbox.poll();
        }

        @Override
        public boolean isWritable() {
            return ending == null;
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // by the loop alone
        public void send(Frame frame) {
            frame.release();
            heard++;
        }

        @Override
        public @Nullable WebSocketClose ending() {
            return ending;
        }

        @Override
        public void onReadable(@Nullable Runnable listener) {
            onReadable = listener;
        }

        @Override
        public void onWritable(@Nullable Runnable listener) {
            // It is always writable.
        }

        @Override
        public void discard() {
            inbox.forEach(Frame::release);
            inbox.clear();
        }

        @Override
        public void close(int code, String reason) {
            loop.execute(() -> {
                ending = new WebSocketClose(code, reason, false);
                closed.complete(ending);
                if (onReadable != null) {
                    onReadable.run();
                }
            });
        }

        @Override
        public CompletionStage<WebSocketClose> closed() {
            return closed;
        }
    }
}
