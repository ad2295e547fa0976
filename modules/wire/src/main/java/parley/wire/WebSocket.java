package parley.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.DecoderException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One open WebSocket connection, on either side of it, from the upgrade to the end.
 *
 * <p>Everything but {@link #close}, {@link #closed} and the plain accessors belongs to the event loop of the socket.
 * Backpressure: at {@code inbox-frames} received and not taken messages the socket is no longer read; while more than
 * {@code high-water-mark} bytes are unsent, {@link #isWritable} is false. Pings are answered, silence is probed.
 *
 * <p>It ends once, with a {@link WebSocketClose}; frames received before the peer ended it are still delivered. Whoever
 * is given a socket joins it with another port or closes it.
 */
public final class WebSocket implements Port {
    private static final Logger LOG = LoggerFactory.getLogger(WebSocket.class);

    private final Channel channel;
    private final FrameReader reader;
    private final FrameWriter writer;
    private final WireSettings settings;
    private final ArrayDeque<Frame> inbox = new ArrayDeque<>();
    private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
    private @Nullable WebSocketClose close;
    private boolean closeSent;
    private boolean reading = true;
    private final Runnable flush = this::flush;
    private boolean flushPending;
    private boolean gone;
    private boolean discarding;
    private long lastHeard = System.nanoTime();
    private boolean pinged;
    private @Nullable ScheduledFuture<?> probe;
    private @Nullable Runnable onReadable;
    private @Nullable LongConsumer onPong;
    private long pingedAt;
    private @Nullable Runnable onWritable;

    /** Whose frames it carries. */
    private LogFields concerned = LogFields.NONE;

    private WebSocket(Channel channel, boolean masks, WireSettings settings) {
        this.channel = channel;
        this.settings = settings;
        this.reader = new FrameReader(!masks, settings.maxMessageBytes(), channel.alloc());
        this.writer = new FrameWriter(masks, channel.alloc());
    }

    /** Turns a channel whose upgrade is done into a WebSocket. On the channel's loop. */
    static WebSocket over(Channel channel, boolean masks, WireSettings settings) {
        var socket = new WebSocket(channel, masks, settings);
        channel.config()
                .setWriteBufferWaterMark(new WriteBufferWaterMark(settings.lowWaterMark(), settings.highWaterMark()));
        channel.pipeline().addLast("websocket", socket.new Handler());
        socket.probeAfter(settings.pingInterval().toNanos());
        return socket;
    }

    @Override
    public EventLoop loop() {
        return channel.eventLoop();
    }

    @Override
    public void joined(Port other) {
        concerned = other.concerns();
    }

    /** The other end's address. */
    public SocketAddress peer() {
        return channel.remoteAddress();
    }

    @Override
    public CompletionStage<WebSocketClose> closed() {
        return closed.minimalCompletionStage();
    }

    /** Starts the closing handshake; bounded by {@code close-timeout}. Safe from any thread, and to repeat. */
    @Override
    public void close(int code, String reason) {
        if (loop().inEventLoop()) {
            startClose(code, reason);
        } else {
            loop().execute(() -> startClose(code, reason));
        }
    }

    /** Drops the connection with a TCP reset and no word: for tests of what others make of that. From any thread. */
    public void abort() {
        if (!channel.isOpen()) {
            return;
        }
        channel.config().setOption(ChannelOption.SO_LINGER, 0);
        channel.close();
    }

    @Override
    public @Nullable Frame poll() {
        var frame = inbox.poll();
        if (frame != null && !reading && inbox.size() <= settings.inboxFrames() / 4 && !gone) {
            reading = true;
            channel.config().setAutoRead(true);
        }
        return frame;
    }

    @Override
    public @Nullable WebSocketClose ending() {
        return gone ? close : null;
    }

    @Override
    public boolean isWritable() {
        return !closeSent && channel.isWritable();
    }

    /** Sends a message, taking it over. Written at once, flushed when the loop has done its present round. */
    @Override
    public void send(Frame frame) {
        if (closeSent || gone) {
            frame.release();
            return;
        }
        writer.write(channel, frame);
        flushSoon();
    }

    @Override
    public void onReadable(@Nullable Runnable listener) {
        onReadable = listener;
    }

    @Override
    public void onWritable(@Nullable Runnable listener) {
        onWritable = listener;
    }

    /** Who is told how many nanoseconds the peer took for the first sign of life after each ping of ours. */
    public void onPong(@Nullable LongConsumer listener) {
        onPong = listener;
    }

    @Override
    public void discard() {
        discarding = true;
        for (var frame = inbox.poll(); frame != null; frame = inbox.poll()) {
            frame.release();
        }
        if (!reading && !gone) {
            reading = true;
            channel.config().setAutoRead(true);
        }
    }

    private void flushSoon() {
        if (!flushPending) {
            flushPending = true;
            loop().execute(flush);
        }
    }

    private void flush() {
        flushPending = false;
        channel.flush();
    }

    private void startClose(int code, String reason) {
        if (gone && onReadable == null) {
            // Nobody ever took what was heard, and now nobody will.
            discard();
        }
        if (closeSent || gone) {
            return;
        }
        if (close == null) {
            close = new WebSocketClose(code, reason, false);
        }
        closeSent = true;
        writer.writeClose(channel, code, reason);
        channel.flush();
        // What the peer still says is of no interest, but its Close frame is: keep reading.
        discard();
        dropAfterTimeout();
    }

    private void dropAfterTimeout() {
        loop().schedule((Runnable) channel::close, settings.closeTimeout().toNanos(), TimeUnit.NANOSECONDS);
    }

    private void heard(Frame frame) {
        if (discarding) {
            frame.release();
            return;
        }
        inbox.add(frame);
        if (reading && inbox.size() >= settings.inboxFrames()) {
            reading = false;
            channel.config().setAutoRead(false);
        }
    }

    private void heardClose(int code, String reason) {
        if (close == null) {
            close = new WebSocketClose(code, reason, true);
        }
        if (!closeSent) {
            closeSent = true;
            writer.writeClose(channel, code, "");
        }
        // Behind whatever a slow peer has not taken yet: closing at once would throw that away.
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        dropAfterTimeout();
    }

    private void probeAfter(long nanos) {
        probe = loop().schedule(this::probe, nanos, TimeUnit.NANOSECONDS);
    }

    private void probe() {
        if (closeSent || gone) {
            return;
        }
        long silent = System.nanoTime() - lastHeard;
        long interval = settings.pingInterval().toNanos();
        if (!reading) {
            // Not reading is our doing; its silence says nothing about the peer.
            lastHeard = System.nanoTime();
            pinged = false;
            probeAfter(interval);
        } else if (silent < interval) {
            probeAfter(interval - silent);
        } else if (!pinged) {
            pinged = true;
            pingedAt = System.nanoTime();
            writer.writePing(channel);
            channel.flush();
            probeAfter(settings.pongTimeout().toNanos());
        } else {
            close = new WebSocketClose(WebSocketClose.LOST, "no answer to a ping", false);
            channel.close();
        }
    }

    private void signal(@Nullable Runnable listener) {
        if (listener != null) {
            listener.run();
        }
    }

    /** The socket's place in the channel's pipeline. */
    private final class Handler extends ChannelInboundHandlerAdapter implements FrameReader.Listener {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof ByteBuf bytes) {
                lastHeard = System.nanoTime();
                if (pinged) {
                    pinged = false;
                    if (onPong != null) {
                        onPong.accept(lastHeard - pingedAt);
                    }
                }
                reader.read(bytes, this);
            } else {
                // HTTP decoded before the upgrade was answered: the peer did not wait.
                ReferenceCountUtil.release(message);
                reader.close();
                startClose(WebSocketClose.PROTOCOL_ERROR, "data sent before the upgrade was answered");
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            if (!inbox.isEmpty()) {
                signal(onReadable);
            }
        }

        @Override
        public void onFrame(Frame frame) {
            heard(frame);
        }

        @Override
        public void onPing(ByteBuf payload) {
            // A peer that asks and does not read gets no answer rather than all of our memory.
            if (!closeSent && channel.isWritable()) {
                writer.writePong(channel, payload);
                flushSoon();
            }
        }

        @Override
        public void onClose(int code, String reason) {
            heardClose(code, reason);
        }

        @Override
        public void onViolation(int code, String reason) {
            startClose(code, reason);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (channel.isWritable()) {
                signal(onWritable);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // A reset or a failed TLS record: the connection is lost, and channelInactive says the rest.
            if (!(cause instanceof IOException || cause instanceof DecoderException)) {
                concerned.around(() -> LOG.error("a WebSocket's handler failed", cause));
            }
            context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            gone = true;
            reader.close();
            if (probe != null) {
                probe.cancel(false);
            }
            if (close == null) {
                close = new WebSocketClose(WebSocketClose.LOST, "connection lost", true);
            }
            closed.complete(close);
            signal(onReadable);
            signal(onWritable);
        }
    }
}
