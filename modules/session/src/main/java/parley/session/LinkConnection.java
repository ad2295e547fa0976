package parley.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import parley.wire.Frame;
import parley.wire.WebSocketClose;

/**
 * One connection between two nodes and the lines on it.
 *
 * <p>A message is its length (4 bytes, of what follows), a kind (1), the line's number (3), and its content:
 *
 * <pre>
 *   OPEN    the seat's name          caller's side to session's side
 *   TEXT    one text frame           both ways, one credit each
 *   CREDIT  how many frames (4)      both ways, as the receiver takes frames
 *   CLOSE   close code (2), reason   both ways, last
 * </pre>
 */
final class LinkConnection {
    /** Somebody asks for a seat. */
    interface Opened {
        void open(LinkConnection connection, int stream, String seat);
    }

    static final int OPEN = 1;
    static final int TEXT = 2;
    static final int CREDIT = 3;
    static final int CLOSE = 4;
    private static final int HEADER = 8;
    private static final int NUMBER = 1024;
    static final int MAX_STREAM = 0xffffff;

    private final Channel channel;
    private final int credits;
    private final Opened opened;
    private final ConcurrentHashMap<Integer, LinkPort> lines = new ConcurrentHashMap<>();
    private final AtomicInteger nextStream = new AtomicInteger();
    private boolean flushPending;

    LinkConnection(Channel channel, int maxFrame, int credits, Opened opened) {
        this.channel = channel;
        this.credits = credits;
        this.opened = opened;
        channel.pipeline()
                // A numbered event is longer than the provider's frame it is made of.
                .addLast(new LengthFieldBasedFrameDecoder(maxFrame + HEADER + NUMBER, 0, 4, 0, 0))
                .addLast(new Messages());
    }

    /** Asks for a seat at the other side. */
    LinkPort open(String seat, EventLoop loop) {
        int stream = free();
        var line = accept(stream, loop);
        write(OPEN, stream, Frame.text(seat).buffer());
        return line;
    }

    /** A number comes again after 16 million lines; one that is still open keeps it. */
    private int free() {
        int number;
        do {
            number = nextStream.getAndUpdate(last -> last == MAX_STREAM ? 0 : last + 1);
        } while (lines.containsKey(number));
        return number;
    }

    /** Begins a line that the other side asked for. */
    LinkPort accept(int stream, EventLoop loop) {
        var line = new LinkPort(this, stream, loop, credits);
        lines.put(stream, line);
        if (!channel.isActive()) {
            line.lost();
        }
        return line;
    }

    void refuse(int stream) {
        close(stream, WebSocketClose.RESTART, "the seat is gone");
    }

    void close() {
        channel.close();
    }

    /** Sends a frame of a line, taking it over. From any thread; one thread's frames keep their order. */
    void send(int stream, Frame frame) {
        write(TEXT, stream, frame.buffer());
    }

    void grant(int stream, int frames) {
        write(CREDIT, stream, Frame.allocate(channel.alloc(), 4).writeInt(frames));
    }

    void close(int stream, int code, String reason) {
        lines.remove(stream);
        var text = reason.getBytes(StandardCharsets.UTF_8);
        write(
                CLOSE,
                stream,
                Frame.allocate(channel.alloc(), 2 + text.length)
                        .writeShort(code)
                        .writeBytes(text));
    }

    private void write(int kind, int stream, ByteBuf content) {
        if (channel.eventLoop().inEventLoop()) {
            writeHere(kind, stream, content);
        } else {
            channel.eventLoop().execute(() -> writeHere(kind, stream, content));
        }
    }

    private void writeHere(int kind, int stream, ByteBuf content) {
        int length = content.readableBytes() + HEADER - 4;
        if (content.readerIndex() >= HEADER) {
            int start = content.readerIndex() - HEADER;
            int end = content.writerIndex();
            content.setIndex(start, start)
                    .writeInt(length)
                    .writeInt(kind << 24 | stream)
                    .writerIndex(end);
            channel.write(content, channel.voidPromise());
        } else {
            var header = channel.alloc().directBuffer(HEADER);
            header.writeInt(length).writeInt(kind << 24 | stream);
            channel.write(Unpooled.wrappedBuffer(header, content), channel.voidPromise());
        }
        if (!flushPending) {
            flushPending = true;
            channel.eventLoop().execute(() -> {
                flushPending = false;
                channel.flush();
            });
        }
    }

    private final class Messages extends SimpleChannelInboundHandler<ByteBuf> {
        Messages() {
            super(ByteBuf.class, false);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            message.skipBytes(4);
            int head = message.readInt();
            int stream = head & MAX_STREAM;
            if (head >>> 24 == OPEN) {
                var seat = message.toString(StandardCharsets.UTF_8);
                message.release();
                opened.open(LinkConnection.this, stream, seat);
                return;
            }
            var line = lines.get(stream);
            if (line == null) {
                // Ended on this side while the message was under way.
                message.release();
                return;
            }
            switch (head >>> 24) {
                case TEXT -> line.received(Frame.text(message));
                case CREDIT -> {
                    line.granted(message.readInt());
                    message.release();
                }
                default -> {
                    lines.remove(stream);
                    int code = message.readUnsignedShort();
                    line.closedByPeer(code, message.toString(StandardCharsets.UTF_8));
                    message.release();
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            lines.values().forEach(LinkPort::lost);
            lines.clear();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
