package parley.session;

import io.netty.channel.EventLoop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.wire.LogFields;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/** What every port of a conversation has in common: its listeners, and how it ended. Confined to the loop. */
abstract class Line implements Port {
    private final EventLoop loop;
    private final LogFields concerned;
    private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
    private @Nullable WebSocketClose ending;
    private @Nullable Runnable onReadable;
    private @Nullable Runnable onWritable;

    Line(EventLoop loop, LogFields concerned) {
        this.loop = loop;
        this.concerned = concerned;
    }

    @Override
    public final EventLoop loop() {
        return loop;
    }

    @Override
    public final LogFields concerns() {
        return concerned;
    }

    @Override
    public final @Nullable WebSocketClose ending() {
        return ending;
    }

    @Override
    public void onReadable(@Nullable Runnable listener) {
        onReadable = listener;
    }

    @Override
    public final void onWritable(@Nullable Runnable listener) {
        onWritable = listener;
    }

    @Override
    public void discard() {}

    @Override
    public final CompletionStage<WebSocketClose> closed() {
        return closed.minimalCompletionStage();
    }

    @Override
    public final void close(int code, String reason) {
        var close = new WebSocketClose(code, reason, true);
        if (loop.inEventLoop()) {
            closedByPeer(close);
        } else {
            loop.execute(() -> closedByPeer(close));
        }
    }

    /** Whoever is at the other end closed the line; it may have ended before. */
    abstract void closedByPeer(WebSocketClose close);

    final void readable() {
        if (onReadable != null) {
            onReadable.run();
        }
    }

    final void writable() {
        if (onWritable != null) {
            onWritable.run();
        }
    }

    /** Ends the line, once. */
    final void finish(WebSocketClose close) {
        if (ending == null) {
            ending = close;
            closed.complete(close);
            readable();
            writable();
        }
    }
}
