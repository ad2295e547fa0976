package parley.gateway;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/** Says back whatever it is told. */
final class EchoPort implements Port {
    private final EventLoop loop;
    private final ArrayDeque<Frame> told = new ArrayDeque<>();
    private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
    private @Nullable Runnable onReadable;

    EchoPort(EventLoop loop) {
        this.loop = loop;
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public @Nullable Frame poll() {
        return told.poll();
    }

    @Override
    public boolean isWritable() {
        return !closed.isDone();
    }

    @Override
    public void send(Frame frame) {
        told.add(frame);
        readable();
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
    public void onWritable(@Nullable Runnable listener) {}

    @Override
    public void discard() {
        told.forEach(Frame::release);
        told.clear();
    }

    @Override
    public void close(int code, String reason) {
        loop.execute(() -> {
            if (closed.complete(new WebSocketClose(code, reason, false))) {
                readable();
            }
        });
    }

    @Override
    public CompletionStage<WebSocketClose> closed() {
        return closed;
    }

    private void readable() {
        if (onReadable != null) {
            onReadable.run();
        }
    }
}
