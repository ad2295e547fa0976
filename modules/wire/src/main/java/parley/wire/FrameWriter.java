package parley.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import java.nio.charset.StandardCharsets;

/** Writes RFC 6455 frames. A header goes into the room before the payload when the buffer is ours alone. */
final class FrameWriter {
    private static final int LAST = 0x80;
    private static final int MAX_REASON = 123;

    private final boolean masks;
    private final ByteBufAllocator allocator;

    /** @param masks whether frames are masked, as a client's must be */
    FrameWriter(boolean masks, ByteBufAllocator allocator) {
        this.masks = masks;
        this.allocator = allocator;
    }

    /** Takes the frame over. */
    void write(Channel channel, Frame frame) {
        write(channel, LAST | (frame.isText() ? 1 : 2), frame.buffer());
    }

    void writePing(Channel channel) {
        write(channel, LAST | 9, Frame.allocate(allocator, 0));
    }

    /** The payload is copied. */
    void writePong(Channel channel, ByteBuf payload) {
        write(
                channel,
                LAST | 10,
                Frame.allocate(allocator, payload.readableBytes()).writeBytes(payload));
    }

    /**
     * @param code 1005 sends no code; one that must not be sent, such as 1006, goes out as 1011
     * @param reason cut to the 123 bytes a Close frame can hold
     */
    void writeClose(Channel channel, int code, String reason) {
        var payload = Frame.allocate(allocator, 2 + MAX_REASON);
        if (code != WebSocketClose.NO_CODE) {
            var utf8 = reason.getBytes(StandardCharsets.UTF_8);
            int end = Math.min(utf8.length, MAX_REASON);
            while (end < utf8.length && (utf8[end] & 0xc0) == 0x80) {
                end--;
            }
            payload.writeShort(WebSocketClose.maySend(code) ? code : WebSocketClose.INTERNAL_ERROR)
                    .writeBytes(utf8, 0, end);
        }
        write(channel, LAST | 8, payload);
    }

    private void write(Channel channel, int first, ByteBuf payload) {
        int length = payload.readableBytes();
        int header = (length < 126 ? 2 : length <= 0xffff ? 4 : 10) + (masks ? 4 : 0);
        int mask = 0;
        if (masks) {
            mask = Masking.fresh();
            Masking.apply(payload, mask);
        }
        if (payload.readerIndex() >= header) {
            int start = payload.readerIndex() - header;
            int end = payload.writerIndex();
            payload.setIndex(start, start);
            header(payload, first, length, mask);
            payload.writerIndex(end);
            channel.write(payload, channel.voidPromise());
        } else {
            var head = allocator.directBuffer(header);
            header(head, first, length, mask);
            channel.write(head, channel.voidPromise());
            channel.write(payload, channel.voidPromise());
        }
    }

    private void header(ByteBuf to, int first, int length, int mask) {
        int maskBit = masks ? 0x80 : 0;
        to.writeByte(first);
        if (length < 126) {
            to.writeByte(maskBit | length);
        } else if (length <= 0xffff) {
            to.writeByte(maskBit | 126).writeShort(length);
        } else {
            to.writeByte(maskBit | 127).writeLong(length);
        }
        if (masks) {
            to.writeInt(mask);
        }
    }
}
