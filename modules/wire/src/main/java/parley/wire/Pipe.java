package parley.wire;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One direction between two ports of a loop: takes what arrives at one while the other is writable.
 *
 * <p>A port that tells of frames or of room only makes the pipe due; the loop runs it next, on a clean stack. So whoever
 * tells may be in the middle of anything, and however often it tells, the pipe runs once. No frame costs a message, a
 * callback or an object of its own.
 */
final class Pipe implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Pipe.class);

    /** Frames in one go; then the other sockets of the loop have their turn. */
    private static final int IN_ONE_GO = 64;

    private final Port from;
    private final Port to;
    private boolean due;
    private boolean over;

    Pipe(Port from, Port to) {
        this.from = from;
        this.to = to;
    }

    /** Opens the pipe. Once, on the loop. */
    void open() {
        to.onWritable(this::soon);
        from.onReadable(this::soon);
        soon();
    }

    private void soon() {
        if (!due && !over) {
            due = true;
            from.loop().execute(this);
        }
    }

    @Override
    public void run() {
        due = false;
        try {
            if (!over) {
                pass();
            }
        } catch (RuntimeException | Error fault) {
            from.concerns().and(to.concerns()).around(() -> LOG.error("a line of frames failed", fault));
            try {
                from.close(WebSocketClose.INTERNAL_ERROR, "internal error");
            } finally {
                end(WebSocketClose.INTERNAL_ERROR, "internal error");
            }
        }
    }

    /** The last frames of a port that has ended do not wait for room: nothing comes after them. */
    private void pass() {
        for (int passed = 0; to.ending() == null && (to.isWritable() || from.ending() != null); passed++) {
            if (passed == IN_ONE_GO) {
                soon();
                return;
            }
            var frame = from.poll();
            if (frame == null) {
                break;
            }
            to.send(frame);
        }
        var ending = from.ending();
        if (ending != null) {
            end(ending.code() == WebSocketClose.NO_CODE ? WebSocketClose.NORMAL : ending.code(), ending.reason());
        }
    }

    private void end(int code, String reason) {
        over = true;
        if (to.ending() == null) {
            to.close(code, reason);
        }
        from.discard();
    }
}
