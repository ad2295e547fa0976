package parley.session;

import org.jspecify.annotations.Nullable;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * Two ports of one loop, joined: what one hears the other is sent.
 *
 * <p>A frame is handed on in the very call that takes it, while the other is writable; so what was taken from one has
 * arrived at the other, which a stream between them could not promise of a port that ends meanwhile. Holds nothing. When
 * a port has ended and all of it was taken, the other is closed with its code. Confined to the loop.
 */
final class Bridge {
    private final Port one;
    private final Port other;

    private Bridge(Port one, Port other) {
        this.one = one;
        this.other = other;
    }

    static void between(Port one, Port other) {
        new Bridge(one, other).open();
    }

    private void open() {
        var there = new Way(one, other);
        var back = new Way(other, one);
        one.onWritable(back::pass);
        other.onWritable(there::pass);
        one.onReadable(there::pass);
        other.onReadable(back::pass);
        there.pass();
        back.pass();
    }

    /** One of the two directions. */
    private static final class Way {
        private final Port from;
        private final Port to;
        private boolean passing;

        Way(Port from, Port to) {
            this.from = from;
            this.to = to;
        }

        void pass() {
            if (passing) {
                return;
            }
            passing = true;
            for (var frame = next(); frame != null; frame = next()) {
                to.send(frame);
            }
            passing = false;
            end();
        }

        /** The last frames of a port that has ended do not wait for room: nothing comes after them. */
        private @Nullable Frame next() {
            boolean takes = to.ending() == null && (to.isWritable() || from.ending() != null);
            return takes ? from.poll() : null;
        }

        private void end() {
            var ending = from.ending();
            if (ending == null) {
                return;
            }
            if (to.ending() == null) {
                to.close(
                        ending.code() == WebSocketClose.NO_CODE ? WebSocketClose.NORMAL : ending.code(),
                        ending.reason());
            }
            from.discard();
        }
    }
}
