package parley.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * One whole WebSocket message, unmasked, in the buffer it was received in.
 *
 * <p>A frame owns one reference to its buffer. Whoever holds the frame either passes it on or calls {@link #release};
 * after either, it must not be touched again, nor any view of its buffer: sending masks and frames the bytes where they
 * stand. Text is valid UTF-8. Not thread-safe: a frame belongs to one event loop
 * at a time.
 */
public final class Frame {
    /** The most a WebSocket header takes: 2 bytes, 8 of length, 4 of mask. */
    static final int MAX_HEADER = 14;

    private final ByteBuf buffer;
    private final boolean text;

    private Frame(ByteBuf buffer, boolean text) {
        this.buffer = buffer;
        this.text = text;
    }

    /** Takes over the caller's reference; what stands before the reader index may be overwritten by a header. */
    static Frame received(ByteBuf buffer, boolean text) {
        return new Frame(buffer, text);
    }

    /** A text message. */
    public static Frame text(String text) {
        return text(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A text message of these UTF-8 bytes, which are copied. */
    public static Frame text(byte[] utf8) {
        var buffer = allocate(Loops.ALLOCATOR, utf8.length);
        return new Frame(buffer.writeBytes(utf8), true);
    }

    /** A text message made of a prefix and the rest of another message from {@code skip} on; releases the other. */
    public static Frame spliced(byte[] prefix, Frame rest, int skip) {
        var tail = rest.length() - skip;
        var buffer = allocate(Loops.ALLOCATOR, prefix.length + tail);
        buffer.writeBytes(prefix).writeBytes(rest.buffer, rest.buffer.readerIndex() + skip, tail);
        rest.release();
        return new Frame(buffer, true);
    }

    /** A message of the same content; the other stays as it is. */
    public static Frame copyOf(Frame other) {
        var copy = allocate(Loops.ALLOCATOR, other.length());
        return new Frame(copy.writeBytes(other.buffer, other.buffer.readerIndex(), other.length()), other.text);
    }

    /** A text message of bytes already in a buffer, whose reference is taken over. */
    public static Frame text(ByteBuf utf8) {
        return new Frame(utf8, true);
    }

    /** An empty buffer with room for a header before its content, so that sending needs no second buffer. */
    public static ByteBuf allocate(ByteBufAllocator allocator, int length) {
        return allocator.directBuffer(MAX_HEADER + length).setIndex(MAX_HEADER, MAX_HEADER);
    }

    public boolean isText() {
        return text;
    }

    /** Length of the payload in bytes. */
    public int length() {
        return buffer.readableBytes();
    }

    /** The payload's buffer: content from reader index to writer index; the frame keeps its reference. */
    public ByteBuf buffer() {
        return buffer;
    }

    /** A view for absolute reads; the payload stands at {@link ByteBuffer#position()}. Valid until the next call. */
    public ByteBuffer view() {
        return buffer.nioBufferCount() == 1
                ? buffer.internalNioBuffer(buffer.readerIndex(), buffer.readableBytes())
                : buffer.nioBuffer();
    }

    /** A copy of the payload. */
    public byte[] bytes() {
        return ByteBufUtil.getBytes(buffer);
    }

    /** The payload as text. */
    public String utf8() {
        return buffer.toString(StandardCharsets.UTF_8);
    }

    public void release() {
        buffer.release();
    }

    /** Length and kind only: the content is what people said. */
    @Override
    public String toString() {
        return (text ? "text" : "binary") + "[" + buffer.readableBytes() + " bytes]";
    }
}
