package parley.session;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * One end of a line between two nodes. Used on its own loop, which need not be the connection's.
 *
 * <p>Holds at most {@code link.frames} received frames: the other side has no more credits.
 */
final class LinkPort implements Port {
    private final LinkConnection connection;
    private final int stream;
    private final EventLoop loop;
    private final int window;
    private final ArrayDeque<Frame> inbox = new ArrayDeque<>();
    private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
    private @Nullable WebSocketClose ending;
    private @Nullable Runnable onReadable;
    private @Nullable Runnable onWritable;
    private boolean discarding;
    private int credits;
    private int taken;

    LinkPort(LinkConnection connection, int stream, EventLoop loop, int window) {
        this.connection = connection;
        this.stream = stream;
        this.loop = loop;
        this.window = window;
        this.credits = window;
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public @Nullable Frame poll() {
        var frame = inbox.poll();
        if (frame != null && ++taken >= window / 2 && ending == null) {
            connection.grant(stream, taken);
            taken = 0;
        }
        return frame;
    }

    @Override
    public boolean isWritable() {
        return credits > 0;
    }

    @Override
    public void send(Frame frame) {
        if (ending != null) {
            frame.release();
            return;
        }
        credits--;
        connection.send(stream, frame);
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
        onLoop(() -> {
            if (ending == null) {
                connection.close(stream, code, reason);
                end(new WebSocketClose(code, reason, false));
            }
        });
    }

    @Override
    public CompletionStage<WebSocketClose> closed() {
        return closed.minimalCompletionStage();
    }

    // ---- what the connection heard, on the connection's loop

    void received(Frame frame) {
        onLoop(() -> {
            if (discarding) {
                frame.release();
            } else {
                inbox.add(frame);
                run(onReadable);
            }
        });
    }

    void granted(int frames) {
        onLoop(() -> {
            credits += frames;
            run(onWritable);
        });
    }

    void closedByPeer(int code, String reason) {
        onLoop(() -> end(new WebSocketClose(code, reason, true)));
    }

    void lost() {
        onLoop(() -> end(new WebSocketClose(WebSocketClose.RESTART, "the session's node is gone", true)));
    }

    private void end(WebSocketClose close) {
        if (ending == null) {
            ending = close;
            closed.complete(close);
            run(onReadable);
            run(onWritable);
        }
    }

    private void onLoop(Runnable action) {
        if (loop.inEventLoop()) {
            action.run();
        } else {
            loop.execute(action);
        }
    }

    private static void run(@Nullable Runnable listener) {
        if (listener != null) {
            listener.run();
        }
    }
}
