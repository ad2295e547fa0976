package parley.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.protocol.EventType;
import parley.protocol.Peek;
import parley.wire.Frame;
import parley.wire.LogFields;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * One end of a line between two nodes. Used on its own loop, which need not be the connection's.
 *
 * <p>Holds at most {@code link.frames} received frames: the other side has no more credits. The caller's end keeps the
 * frames it sent until the session's end says that it has taken them, {@code link.frames} at most, so that a line that
 * ends loses none: {@link #untaken}. The session's end credits audio in batches of half the window, and everything else
 * when it is taken: what a crash leaves in doubt is audio.
 */
final class LinkPort implements Port {
    /** Whose end of a line a port is. */
    enum End {
        CALLER,
        SESSION
    }

    private static final Logger LOG = LoggerFactory.getLogger(LinkPort.class);

    private final LinkConnection connection;
    private final int stream;
    private final End side;
    private final EventLoop loop;
    private final int window;
    private final ArrayDeque<Frame> inbox = new ArrayDeque<>();
    /** Contents of the frames that were sent and not credited: duplicates, which no header written later moves. */
    private final ArrayDeque<ByteBuf> kept = new ArrayDeque<>();

    private final Peek peek = new Peek();
    private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
    private @Nullable WebSocketClose ending;
    private @Nullable Runnable onReadable;
    private @Nullable Runnable onWritable;
    /** Whose frames it carries. */
    private LogFields concerned = LogFields.NONE;

    private boolean discarding;
    private int credits;
    /** Frames taken here that the other side does not know of. */
    private int uncredited;
    /** Frames taken here, and frames of ours the other side said it took; both wrap around. */
    private int taken;

    private int credited;

    LinkPort(LinkConnection connection, int stream, End side, EventLoop loop, int window) {
        this.connection = connection;
        this.stream = stream;
        this.side = side;
        this.loop = loop;
        this.window = window;
        this.credits = window;
    }

    @Override
    public void joined(Port other) {
        concerned = other.concerns();
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public @Nullable Frame poll() {
        var frame = inbox.poll();
        if (frame != null) {
            taken++;
            uncredited++;
            if (ending == null && (uncredited >= window / 2 || isWaitedFor(frame))) {
                connection.grant(stream, uncredited);
                uncredited = 0;
            }
        }
        return frame;
    }

    /** Nobody keeps what goes to a caller, and of a caller's audio a few frames may be in doubt. */
    private boolean isWaitedFor(Frame frame) {
        if (side == End.CALLER) {
            return false;
        }
        var bytes = frame.view();
        return !peek.scan(bytes, bytes.position(), frame.length())
                || peek.type() != EventType.INPUT_AUDIO_BUFFER_APPEND;
    }

    @Override
    public boolean isWritable() {
        return credits > 0 && ending == null;
    }

    @Override
    public void send(Frame frame) {
        if (ending != null) {
            frame.release();
            return;
        }
        if (frame.length() > connection.maxFrame()) {
            int length = frame.length();
            concerned.around(() ->
                    LOG.warn("line closed: a frame of {} bytes (expected: at most {})", length, connection.maxFrame()));
            frame.release();
            close(WebSocketClose.TOO_BIG, "a frame too long for the link");
            return;
        }
        credits--;
        if (side == End.CALLER) {
            kept.add(frame.buffer().retainedDuplicate());
        }
        connection.send(stream, frame);
    }

    /**
     * After the end: the frames that were sent and that the other side has not taken, in order, handed over to the
     * caller. Empty when asked again, after a {@link #close} on this side, and at the session's end.
     *
     * <p>Exact when the other side closed the line; when the connection was lost, frames that were taken and whose
     * credit was under way are among them.
     */
    List<Frame> untaken() {
        var frames = new ArrayList<Frame>(kept.size());
        for (var content = kept.poll(); content != null; content = kept.poll()) {
            // In memory of their own: the old connection may still have to write what stands before them.
            var frame = Frame.text(content);
            frames.add(Frame.copyOf(frame));
            frame.release();
        }
        return frames;
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
        releaseInbox();
        if (ending != null) {
            releaseKept();
        }
    }

    /** What was received and not polled stays untaken, and the other side is told so. */
    @Override
    public void close(int code, String reason) {
        onLoop(() -> {
            if (ending == null) {
                discarding = true;
                releaseInbox();
                releaseKept();
                connection.close(stream, code, taken, reason);
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
            forget(frames);
            run(onWritable);
        });
    }

    /** @param takenByPeer how many frames of this line the other side has taken, all in all */
    void closedByPeer(int code, int takenByPeer, String reason) {
        onLoop(() -> {
            forget(takenByPeer - credited);
            end(new WebSocketClose(code, reason, true));
        });
    }

    void lost() {
        onLoop(() -> {
            if (side == End.SESSION) {
                // Not taken, so the caller's end sends it again over the next line.
                releaseInbox();
            }
            end(new WebSocketClose(WebSocketClose.RESTART, "the session's node is gone", true));
        });
    }

    private void forget(int frames) {
        credited += frames;
        for (int i = 0; i < frames && !kept.isEmpty(); i++) {
            kept.remove().release();
        }
    }

    private void end(WebSocketClose close) {
        if (ending == null) {
            ending = close;
            closed.complete(close);
            run(onReadable);
            run(onWritable);
            if (discarding) {
                releaseKept();
            }
        }
    }

    private void releaseInbox() {
        inbox.forEach(Frame::release);
        inbox.clear();
    }

    private void releaseKept() {
        kept.forEach(ByteBuf::release);
        kept.clear();
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
