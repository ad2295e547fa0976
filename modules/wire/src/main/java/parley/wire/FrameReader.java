package parley.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads RFC 6455 frames out of the buffers a socket filled.
 *
 * <p>A frame that lies whole in the received buffer is unmasked there and handed on as a slice: no copy, one pass, in
 * which all-ASCII text proves itself valid UTF-8. Only a frame cut by the edge of a buffer, and a fragmented message,
 * are put together by copying.
 */
final class FrameReader {
    interface Listener {
        void onFrame(Frame frame);

        /** The payload is lent for the call. */
        void onPing(ByteBuf payload);

        void onClose(int code, String reason);

        /** The peer broke the protocol; nothing more will be read. */
        void onViolation(int code, String reason);
    }

    private static final int CONTINUATION = 0;
    private static final int TEXT = 1;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;
    private static final int INCOMPLETE = -1;
    private static final int VIOLATED = -2;

    private final boolean masked;
    private final int maxMessage;
    private final ByteBufAllocator allocator;
    /** The start of a frame whose end has not arrived. */
    private @Nullable ByteBuf partial;
    /** The fragments so far of a message that has not ended. */
    private @Nullable ByteBuf message;

    private boolean messageIsText;
    private boolean done;

    /** @param masked whether frames must be masked, as a client's are */
    FrameReader(boolean masked, int maxMessage, ByteBufAllocator allocator) {
        this.masked = masked;
        this.maxMessage = maxMessage;
        this.allocator = allocator;
    }

    /** Takes over the buffer's reference. */
    void read(ByteBuf bytes, Listener listener) {
        try {
            while (bytes.isReadable() && !done) {
                if (partial != null) {
                    complete(partial, bytes, listener);
                } else {
                    int size = sizeOf(bytes, listener);
                    if (size == VIOLATED) {
                        return;
                    }
                    if (size == INCOMPLETE || size > bytes.readableBytes()) {
                        partial = allocator.directBuffer(Math.min(Math.max(size, 256), 64 * 1024));
                        partial.writeBytes(bytes);
                    } else if (size == bytes.readableBytes() && bytes.readerIndex() == 0) {
                        // The usual case, a read of one frame, needs no slice: the buffer itself is handed on. With
                        // other frames before it the room for a header would be theirs.
                        frame(bytes.retain(), listener);
                        return;
                    } else {
                        frame(bytes.readRetainedSlice(size), listener);
                    }
                }
            }
        } finally {
            bytes.release();
        }
    }

    /** Frees what was begun. */
    void close() {
        done = true;
        partial = release(partial);
        message = release(message);
    }

    private void complete(ByteBuf begun, ByteBuf bytes, Listener listener) {
        int size = sizeOf(begun, listener);
        // One byte at a time until the header tells the size: at most 13 times per cut frame.
        while (size == INCOMPLETE && bytes.isReadable()) {
            begun.writeByte(bytes.readByte());
            size = sizeOf(begun, listener);
        }
        if (size == INCOMPLETE || size == VIOLATED) {
            return;
        }
        begun.writeBytes(bytes, Math.min(size - begun.readableBytes(), bytes.readableBytes()));
        if (begun.readableBytes() == size) {
            partial = null;
            frame(begun, listener);
        }
    }

    /** The whole frame's size, {@link #INCOMPLETE} while the header is, {@link #VIOLATED} after a complaint. */
    private int sizeOf(ByteBuf bytes, Listener listener) {
        int available = bytes.readableBytes();
        if (available < 2) {
            return INCOMPLETE;
        }
        int at = bytes.readerIndex();
        int first = bytes.getUnsignedByte(at);
        int second = bytes.getUnsignedByte(at + 1);
        int opcode = first & 0x0f;
        boolean last = (first & 0x80) != 0;
        int shortLength = second & 0x7f;
        if ((first & 0x70) != 0) {
            return violation(WebSocketClose.PROTOCOL_ERROR, "reserved bits set without an extension", listener);
        }
        if (((second & 0x80) != 0) != masked) {
            return violation(
                    WebSocketClose.PROTOCOL_ERROR,
                    masked ? "a client's frames must be masked" : "a server's frames must not be masked",
                    listener);
        }
        if (opcode >= CLOSE ? !last || shortLength > 125 || opcode > PONG : opcode > BINARY) {
            return violation(WebSocketClose.PROTOCOL_ERROR, "no such frame: opcode " + opcode, listener);
        }
        int header = 2 + (shortLength == 126 ? 2 : shortLength == 127 ? 8 : 0) + (masked ? 4 : 0);
        if (available < header) {
            return INCOMPLETE;
        }
        long length = shortLength == 126
                ? bytes.getUnsignedShort(at + 2)
                : shortLength == 127 ? bytes.getLong(at + 2) : shortLength;
        if (shortLength == 126 ? length < 126 : shortLength == 127 && length <= 0xffff) {
            return violation(WebSocketClose.PROTOCOL_ERROR, "a length not in its shortest form", listener);
        }
        int begun = message != null && opcode == CONTINUATION ? message.readableBytes() : 0;
        if (length > maxMessage - begun) {
            return violation(
                    WebSocketClose.TOO_BIG,
                    "a message too long (expected: at most " + maxMessage + " bytes)",
                    listener);
        }
        return header + (int) length;
    }

    private int violation(int code, String reason, Listener listener) {
        close();
        listener.onViolation(code, reason);
        return VIOLATED;
    }

    /** Takes over the reference of a buffer that holds exactly one frame. */
    private void frame(ByteBuf frame, Listener listener) {
        int first = frame.readUnsignedByte();
        int shortLength = frame.readUnsignedByte() & 0x7f;
        frame.skipBytes(shortLength == 126 ? 2 : shortLength == 127 ? 8 : 0);
        int opcode = first & 0x0f;
        boolean last = (first & 0x80) != 0;
        boolean ascii;
        if (masked) {
            int mask = frame.readInt();
            ascii = Masking.apply(frame, mask);
        } else {
            ascii = opcode == TEXT && last && Masking.ascii(frame);
        }
        switch (opcode) {
            case CLOSE -> {
                try (var lent = new Lent(frame)) {
                    closing(lent.buffer(), listener);
                }
            }
            case PING -> {
                try (var lent = new Lent(frame)) {
                    listener.onPing(lent.buffer());
                }
            }
            case PONG -> frame.release();
            case CONTINUATION -> fragment(frame, last, listener);
            default -> {
                if (message != null) {
                    frame.release();
                    violation(WebSocketClose.PROTOCOL_ERROR, "a new message inside a fragmented one", listener);
                } else if (last) {
                    deliver(frame, opcode == TEXT, ascii, listener);
                } else {
                    messageIsText = opcode == TEXT;
                    message = Frame.allocate(allocator, Math.max(256, 2 * frame.readableBytes()))
                            .writeBytes(frame);
                    frame.release();
                }
            }
        }
    }

    private void fragment(ByteBuf frame, boolean last, Listener listener) {
        var begun = message;
        if (begun == null) {
            frame.release();
            violation(WebSocketClose.PROTOCOL_ERROR, "a continuation of nothing", listener);
            return;
        }
        begun.writeBytes(frame);
        frame.release();
        if (last) {
            message = null;
            deliver(begun, messageIsText, false, listener);
        }
    }

    private void deliver(ByteBuf payload, boolean text, boolean ascii, Listener listener) {
        if (text && !ascii && !isUtf8(payload)) {
            payload.release();
            violation(WebSocketClose.INVALID_TEXT, "text that is not UTF-8", listener);
        } else {
            listener.onFrame(Frame.received(payload, text));
        }
    }

    private void closing(ByteBuf payload, Listener listener) {
        boolean bare = !payload.isReadable();
        int code = payload.readableBytes() >= 2 ? payload.readUnsignedShort() : WebSocketClose.NO_CODE;
        if (!bare && !WebSocketClose.maySend(code)) {
            violation(WebSocketClose.PROTOCOL_ERROR, "no such close code", listener);
        } else if (!isUtf8(payload)) {
            violation(WebSocketClose.INVALID_TEXT, "a close reason that is not UTF-8", listener);
        } else {
            done = true;
            listener.onClose(code, payload.toString(StandardCharsets.UTF_8));
        }
    }

    private static boolean isUtf8(ByteBuf payload) {
        ByteBuffer bytes = payload.nioBuffer();
        try {
            StandardCharsets.UTF_8.newDecoder().decode(bytes);
            return true;
        } catch (CharacterCodingException notUtf8) {
            return false;
        }
    }

    private static @Nullable ByteBuf release(@Nullable ByteBuf buffer) {
        if (buffer != null) {
            buffer.release();
        }
        return null;
    }

    private record Lent(ByteBuf buffer) implements AutoCloseable {
        @Override
        public void close() {
            buffer.release();
        }
    }
}
