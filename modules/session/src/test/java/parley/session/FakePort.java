package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/** A socket in memory. Whoever is at its other end is the test: it says, hears, hangs up, and may be slow. */
final class FakePort implements Port {
    private static final long PATIENCE = 60;

    private final EventLoop loop;
    private final ArrayDeque<Frame> inbox = new ArrayDeque<>();
    private final LinkedBlockingQueue<String> sent = new LinkedBlockingQueue<>();
    private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
    private final AtomicInteger untaken = new AtomicInteger();
    private boolean writable = true;
    private boolean discarding;
    private @Nullable WebSocketClose ending;
    private @Nullable Runnable onReadable;
    private @Nullable Runnable onWritable;

    FakePort(EventLoop loop) {
        this.loop = loop;
    }

    /** From now on what this port hears goes there, and the other way around. */
    void joins(Port line) {
        onLoop(() -> join(line));
    }

    // ---- the other end

    void says(String... texts) {
        for (var text : texts) {
            says(Frame.text(text));
        }
    }

    void says(Frame frame) {
        untaken.incrementAndGet();
        loop.execute(() -> arrives(frame));
    }

    /** For who is on the loop: before anything else that is due there. */
    void saysAtOnce(String text) {
        untaken.incrementAndGet();
        arrives(Frame.text(text));
    }

    private void arrives(Frame frame) {
        if (discarding || ending != null) {
            frame.release();
        } else {
            inbox.add(frame);
            run(onReadable);
        }
    }

    /** The next frame that was sent to the other end. */
    String hears() {
        try {
            var text = sent.poll(PATIENCE, TimeUnit.SECONDS);
            assertThat(text).as("a frame within %s s", PATIENCE).isNotNull();
            return String.valueOf(text);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** The next frame of a type; those before are skipped. */
    String hears(String type) {
        var text = hears();
        while (!text.contains("\"type\":\"" + type + "\"")) {
            text = hears();
        }
        return text;
    }

    int unheard() {
        return sent.size();
    }

    /** How many of the frames said nobody took so far. */
    int untaken() {
        return untaken.get();
    }

    void hangsUp(int code, String reason) {
        loop.execute(() -> end(new WebSocketClose(code, reason, true)));
    }

    void stopsReading() {
        onLoop(() -> writable = false);
    }

    void readsOn() {
        onLoop(() -> {
            writable = true;
            run(onWritable);
        });
    }

    /** How the port was ended, by whichever side. */
    WebSocketClose ended() {
        return closed.orTimeout(PATIENCE, TimeUnit.SECONDS).join();
    }

    private void onLoop(Runnable action) {
        CompletableFuture.runAsync(action, loop)
                .orTimeout(PATIENCE, TimeUnit.SECONDS)
                .join();
    }

    // ---- this end

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public @Nullable Frame poll() {
        var frame = inbox.poll();
        if (frame != null) {
            untaken.decrementAndGet();
        }
        return frame;
    }

    @Override
    public boolean isWritable() {
        return writable && ending == null;
    }

    @Override
    public void send(Frame frame) {
        if (ending == null) {
            sent.add(frame.utf8());
        }
        frame.release();
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
        onWritable = listener;
    }

    @Override
    public void discard() {
        discarding = true;
        inbox.forEach(Frame::release);
        inbox.clear();
    }

    @Override
    public void close(int code, String reason) {
        loop.execute(() -> end(new WebSocketClose(code, reason, false)));
    }

    @Override
    public CompletionStage<WebSocketClose> closed() {
        return closed;
    }

    private void end(WebSocketClose close) {
        if (ending == null) {
            ending = close;
            closed.complete(close);
            run(onReadable);
            run(onWritable);
        }
    }

    private static void run(@Nullable Runnable listener) {
        if (listener != null) {
            listener.run();
        }
    }
}
