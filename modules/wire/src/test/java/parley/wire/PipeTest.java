package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Two ports that are joined; B12: nothing is lost, doubled or reordered between them, and nothing waits there. */
@Tag("stream")
class PipeTest {
    private static final Loops LOOPS = Loops.create(1);
    private static final EventLoop LOOP = LOOPS.get(0);

    private final Line left = new Line();
    private final Line right = new Line();

    @AfterAll
    static void close() {
        LOOPS.close();
    }

    /** On the loop, and everything that follows from it. */
    private static void onLoop(Runnable action) {
        CompletableFuture.runAsync(action, LOOP).orTimeout(60, TimeUnit.SECONDS).join();
        for (int i = 0; i < 8; i++) {
            CompletableFuture.runAsync(() -> {}, LOOP)
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
        }
    }

    private void joined() {
        onLoop(() -> left.join(right));
    }

    @Test
    void whatArrivesAtOneIsSentToTheOtherInItsOrder() {
        left.arrived.add(Frame.text("before"));
        joined();
        onLoop(() -> {
            for (int i = 0; i < 200; i++) {
                left.arrives("l" + i);
                right.arrives("r" + i);
            }
        });

        assertThat(right.sent).hasSize(201).startsWith("before", "l0", "l1").endsWith("l198", "l199");
        assertThat(left.sent).hasSize(200).startsWith("r0", "r1").endsWith("r198", "r199");
    }

    @Test
    void whatTheOtherDoesNotTakeStaysWhereItArrived() {
        joined();
        onLoop(() -> {
            right.writable = false;
            left.arrives("waits");
        });
        assertThat(right.sent).isEmpty();
        assertThat(left.arrived).hasSize(1);

        onLoop(() -> {
            right.writable = true;
            right.tellWritable();
        });
        assertThat(right.sent).containsExactly("waits");
    }

    @Test
    void aFloodLeavesTheLoopToOthers() {
        joined();
        var order = new ArrayList<Integer>();
        onLoop(() -> {
            for (int i = 0; i < 1000; i++) {
                left.arrived.add(Frame.text("f"));
            }
            left.arrives("f");
            LOOP.execute(() -> order.add(right.sent.size()));
        });
        onLoop(() -> {});

        assertThat(order).singleElement().satisfies(sent -> assertThat(sent).isBetween(1, 1000));
        for (int i = 0; i < 1001 && right.sent.size() < 1001; i++) {
            onLoop(() -> {});
        }
        assertThat(right.sent).hasSize(1001);
    }

    @ParameterizedTest
    @CsvSource({
        "1000, '', 1000, ''",
        "1005, '', 1000, ''",
        "1000, bye, 1000, bye",
        "4321, why, 4321, why",
        "1006, lost, 1006, lost"
    })
    void theEndOfOneIsTheEndOfTheOtherWhenEverythingWasSent(int code, String reason, int closed, String said) {
        joined();
        onLoop(() -> {
            right.writable = false;
            left.arrives("last words");
        });
        assertThat(right.sent).isEmpty();
        onLoop(() -> left.ends(code, reason));

        assertThat(right.sent).as("the last ones do not wait for room").containsExactly("last words");
        assertThat(right.ending()).isEqualTo(new WebSocketClose(closed, said, false));
        assertThat(left.discarding).isTrue();
    }

    @Test
    void whatArrivesForOneThatHasEndedIsNotTaken() {
        joined();
        var untaken = new ArrayList<Integer>();
        onLoop(() -> {
            left.arrives("not heard");
            right.ends(1012, "moved");
            left.closing = () -> untaken.add(left.arrived.size());
        });

        assertThat(right.sent).isEmpty();
        assertThat(left.ending()).isEqualTo(new WebSocketClose(1012, "moved", false));
        assertThat(untaken).as("there when it was closed").containsExactly(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFaultEndsBoth(boolean error) {
        joined();
        onLoop(() -> {
            right.broken = error ? new AssertionError("broken") : new IllegalStateException("broken");
            left.arrives("secret");
        });

        assertThat(left.ending()).isEqualTo(new WebSocketClose(1011, "internal error", false));
        assertThat(right.ending()).isEqualTo(new WebSocketClose(1011, "internal error", false));
    }

    /** O4: who is looking for a caller's trouble finds it by the session. */
    @Test
    void aFaultIsLoggedWithThoseItConcerns() {
        var log = (Logger) LoggerFactory.getLogger(Pipe.class);
        var lines = new ListAppender<ILoggingEvent>();
        lines.start();
        log.addAppender(lines);
        try {
            left.concerns = LogFields.of(Map.of("session", "sess_1", "trace_id", ""));
            right.concerns = LogFields.of(Map.of("session", "sess_2", "user", "caller-1"));
            joined();
            onLoop(() -> {
                right.broken = new IllegalStateException("broken");
                left.arrives("secret");
            });
        } finally {
            log.detachAppender(lines);
        }

        assertThat(lines.list)
                .extracting(ILoggingEvent::getMDCPropertyMap)
                .containsExactly(Map.of("session", "sess_1", "user", "caller-1"));
        onLoop(() -> assertThat(MDC.getCopyOfContextMap()).isNullOrEmpty());
    }

    @Test
    void portsAreJoinedOnTheirLoopOnly() {
        assertThatThrownBy(() -> left.join(right)).isInstanceOf(IllegalStateException.class);
    }

    /** A port in memory; everything in it belongs to the loop. */
    private static final class Line implements Port {
        private final ArrayDeque<Frame> arrived = new ArrayDeque<>();
        private final List<String> sent = new ArrayList<>();
        private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
        private boolean writable = true;
        private @Nullable Throwable broken;
        private boolean discarding;
        private Runnable closing = () -> {};
        private LogFields concerns = LogFields.NONE;
        private @Nullable Runnable onReadable;
        private @Nullable Runnable onWritable;

        void arrives(String text) {
            if (!discarding) {
                arrived.add(Frame.text(text));
            }
            run(onReadable);
        }

        void ends(int code, String reason) {
            if (closed.complete(new WebSocketClose(code, reason, false))) {
                run(onReadable);
                run(onWritable);
            }
        }

        void tellWritable() {
            run(onWritable);
        }

        private static void run(@Nullable Runnable listener) {
            if (listener != null) {
                listener.run();
            }
        }

        @Override
        public EventLoop loop() {
            return LOOP;
        }

        @Override
        public LogFields concerns() {
            return concerns;
        }

        @Override
        public @Nullable Frame poll() {
            return arrived.poll();
        }

        @Override
        public boolean isWritable() {
            return writable && !closed.isDone();
        }

        @Override
        public void send(Frame frame) {
            var text = frame.utf8();
            frame.release();
            switch (broken) {
                case RuntimeException fault -> throw fault;
                case Error fault -> throw fault;
                case null, default -> sent.add(text);
            }
        }

        @Override
        public @Nullable WebSocketClose ending() {
            return closed.getNow(null);
        }

        @Override
        public void onReadable(@Nullable Runnable listener) {
            onReadable = listener;
        }

        @Override
        public void onWritable(@Nullable Runnable listener) {
            onWritable = listener;
        }

        @Override
        public void discard() {
            discarding = true;
            arrived.forEach(Frame::release);
            arrived.clear();
        }

        @Override
        public void close(int code, String reason) {
            closing.run();
            LOOP.execute(() -> ends(code, reason));
        }

        @Override
        public CompletionStage<WebSocketClose> closed() {
            return closed;
        }
    }
}
