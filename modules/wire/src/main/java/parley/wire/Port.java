package parley.wire;

import io.netty.channel.EventLoop;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One end of a two-way line of frames: a socket, a link to another node, a side of a conversation.
 *
 * <p>Confined to its event loop, except {@link #close} and {@link #closed}. It neither blocks nor buffers beyond its own
 * bound: a reader polls and waits for {@code onReadable}, a writer writes while {@link #isWritable} and waits for
 * {@code onWritable}. It ends once; frames received before are still there to be polled.
 */
public interface Port {
    /** The loop that everything here runs on. */
    EventLoop loop();

    /** The next frame, handed over to the caller, or null when none waits. */
    @Nullable
    Frame poll();

    /** Whether more should be sent now. */
    boolean isWritable();

    /** Takes the frame over. Also while not writable: a writer that minds that sends at most a few. */
    void send(Frame frame);

    /** How the port ended, or null while it is open. What was received before may still be polled. */
    @Nullable
    WebSocketClose ending();

    /** Called on the loop when there is something to poll, or the port has ended. One listener; null takes it away. */
    void onReadable(@Nullable Runnable listener);

    /** Called on the loop when the port is writable again, or has ended. One listener; null takes it away. */
    void onWritable(@Nullable Runnable listener);

    /** Frees what waits to be polled, and what comes from now on. */
    void discard();

    /** Ends the port. Safe from any thread, and to repeat: the first one counts. */
    void close(int code, String reason);

    /** Completed on the loop when the port has ended; never fails. */
    CompletionStage<WebSocketClose> closed();

    /** Whom lines of the log about this port concern. */
    default LogFields concerns() {
        return LogFields.NONE;
    }

    /** It has been joined with another, whose frames it carries from now on. */
    default void joined(Port other) {}

    /**
     * Joins this port and another of the same loop: what arrives at either is sent to the other while that is writable,
     * and nothing is buffered between them. Once for each port, on the loop.
     *
     * <p>A frame that was taken from one has arrived at the other; what the other cannot take stays where it is. When one
     * has ended and all of it was sent, the other is closed with its code and reason; after 1005, with 1000. A fault in
     * either closes both with 1011.
     */
    default void join(Port other) {
        Loops.require(loop());
        Loops.require(other.loop());
        joined(other);
        other.joined(this);
        new Pipe(this, other).open();
        new Pipe(other, this).open();
    }
}
