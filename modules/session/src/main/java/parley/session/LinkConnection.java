package parley.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.wire.Frame;
import parley.wire.WebSocketClose;

/**
 * One connection between two nodes and the lines on it.
 *
 * <p>A message is its length (4 bytes, of what follows), a kind (1), the line's number (3), and its content:
 *
 * <pre>
 *   OPEN    the seat's name                      caller's side to session's side
 *   TEXT    one text frame                       both ways, one credit each
 *   CREDIT  how many frames (4)                  both ways, as the receiver takes frames
 *   CLOSE   close code (2), how many TEXT of     both ways, last
 *           this line its sender took (4), reason
 *   BEAT    nothing; the line's number is 0      both ways, every link.ping
 * </pre>
 *
 * <p>Each side beats whatever it hears: an answer to a question would come late from a side that has much to say. A
 * connection on which nothing came for {@code link.dead-after} is closed, and found out up to a {@code link.ping} later.
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
    static final int BEAT = 5;
    static final int MAX_STREAM = 0xffffff;
    private static final Logger LOG = LoggerFactory.getLogger(LinkConnection.class);
    private static final int HEADER = 8;
    /** A numbered event is longer than the provider's frame it is made of. */
    private static final int NUMBER = 1024;

    private final Channel channel;
    private final int maxFrame;
    private final SessionSettings settings;
    private final Opened opened;
    private final ConcurrentHashMap<Integer, LinkPort> lines = new ConcurrentHashMap<>();
    private final AtomicInteger nextStream = new AtomicInteger();
    private boolean flushPending;
    private boolean heard;

    /** @param maxFrame bytes of the longest frame that a caller or a provider may send */
    LinkConnection(Channel channel, int maxFrame, SessionSettings settings, Opened opened) {
        this.channel = channel;
        this.maxFrame = maxFrame + NUMBER;
        this.settings = settings;
        this.opened = opened;
        if (channel instanceof EpollSocketChannel) {
            channel.config().setOption(EpollChannelOption.TCP_USER_TIMEOUT, (int)
                    settings.linkDeadAfter().toMillis());
        }
        channel.pipeline()
                .addLast(new LengthFieldBasedFrameDecoder(this.maxFrame + HEADER, 0, 4, 0, 0))
                .addLast(new Messages());
    }

    /** Bytes of the longest frame that the other side takes. */
    int maxFrame() {
        return maxFrame;
    }

    /** Lines that are open. */
    int lines() {
        return lines.size();
    }

    /** Asks for a seat at the other side. */
    LinkPort open(String seat, EventLoop loop) {
        int stream = free();
        var line = begin(stream, LinkPort.End.CALLER, loop);
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
        return begin(stream, LinkPort.End.SESSION, loop);
    }

    private LinkPort begin(int stream, LinkPort.End side, EventLoop loop) {
        var line = new LinkPort(this, stream, side, loop, settings.linkFrames());
        lines.put(stream, line);
        if (!channel.isActive()) {
            line.lost();
        }
        return line;
    }

    void refuse(int stream) {
        close(stream, WebSocketClose.RESTART, 0, "the seat is gone");
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

    /** @param taken how many frames of the line this side has taken; modulo 2^32 */
    void close(int stream, int code, int taken, String reason) {
        lines.remove(stream);
        var text = reason.getBytes(StandardCharsets.UTF_8);
        write(
                CLOSE,
                stream,
                Frame.allocate(channel.alloc(), 6 + text.length)
                        .writeShort(code)
                        .writeInt(taken)
                        .writeBytes(text));
    }

    private void write(int kind, int stream, ByteBuf content) {
        if (channel.eventLoop().inEventLoop()) {
            writeHere(kind, stream, content);
        } else {
            channel.eventLoop().execute(() -> writeHere(kind, stream, content));
        }
    }

    /** The header goes into the room before the content, which nobody else may be using by now. */
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
        private @Nullable ScheduledFuture<?> pulse;
        private int silentPulses;

        Messages() {
            super(ByteBuf.class, false);
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            long every = settings.linkPing().toNanos();
            pulse = context.executor().scheduleWithFixedDelay(this::pulse, every, every, TimeUnit.NANOSECONDS);
        }

        /**
         * Silence is counted, not timed: after a pause of this process one pulse is late, and says nothing about the
         * other side.
         */
        private void pulse() {
            write(BEAT, 0, Frame.allocate(channel.alloc(), 0));
            silentPulses = heard ? 0 : silentPulses + 1;
            heard = false;
            if (settings.linkPing().multipliedBy(silentPulses).compareTo(settings.linkDeadAfter()) >= 0) {
                LOG.warn("link to {} closed: nothing came for {}", channel.remoteAddress(), settings.linkDeadAfter());
                channel.close();
            }
        }

        /** Also after a part of a message. */
        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            heard = true;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            if (message.readableBytes() < HEADER) {
                message.release();
                throw new CorruptedFrameException("a message without a header");
            }
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
            if (head >>> 24 == BEAT || line == null) {
                // A line may have ended on this side while the message was under way.
                message.release();
            } else if (head >>> 24 == TEXT) {
                line.received(Frame.text(message));
            } else {
                try {
                    about(line, head >>> 24, stream, message);
                } finally {
                    message.release();
                }
            }
        }

        private void about(LinkPort line, int kind, int stream, ByteBuf message) {
            switch (kind) {
                case CREDIT -> line.granted(message.readInt());
                case CLOSE -> {
                    int code = message.readUnsignedShort();
                    int taken = message.readInt();
                    lines.remove(stream);
                    line.closedByPeer(code, taken, message.toString(StandardCharsets.UTF_8));
                }
                default -> throw new CorruptedFrameException("no such kind of message: " + kind);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (pulse != null) {
                pulse.cancel(false);
            }
            lines.values().forEach(LinkPort::lost);
            lines.clear();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // A reset is how a node's end looks, and channelInactive says the rest.
            if (!(cause instanceof IOException)) {
                LOG.warn("link to {} closed: {}", channel.remoteAddress(), cause.toString());
            }
            context.close();
        }
    }
}
