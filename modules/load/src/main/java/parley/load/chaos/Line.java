package parley.load.chaos;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakeException;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import org.jspecify.annotations.Nullable;
import parley.load.Dial;

/** One socket of a caller, from dialling to its end, which is told once. Lives on the caller's event loop. */
final class Line extends SimpleChannelInboundHandler<WebSocketFrame> {

    /** Who listens. */
    interface Ears {
        /** An event came; the text is valid during the call. */
        void heard(Line line, ByteBuf text);

        void ended(Line line, Ending ending);
    }

    private static final int LONGEST_REASON = 120;

    /** Where it leads to. */
    final int node;
    /** When it was dialled. */
    final long dialledAt = System.nanoTime();

    final Numbering numbering;
    private final Ears ears;
    private @Nullable ChannelFuture dialling;
    private @Nullable Channel channel;
    private @Nullable Ending told;
    private boolean over;
    private long arrivedAt = dialledAt;

    /** @param seen the number of the last event that the caller has seen */
    Line(int node, long seen, Ears ears) {
        this.node = node;
        this.numbering = new Numbering(seen);
        this.ears = ears;
    }

    void open(Dial dial, EventLoop loop) {
        dialling = dial.open(loop, this);
        dialling.addListener((ChannelFutureListener) connected -> {
            if (!connected.isSuccess()) end(Ending.lost(words(connected.cause())));
            else if (over) connected.channel().close();
        });
    }

    /** When the far side last gave a sign of life. */
    long arrivedAt() {
        return arrivedAt;
    }

    /** Whether a frame can be sent without its waiting here. */
    boolean isWritable() {
        return channel != null && channel.isWritable();
    }

    void send(ByteBuf text) {
        write(new TextWebSocketFrame(text));
    }

    /** Asks the node, not the session, for a sign of life. */
    void ping() {
        write(new PingWebSocketFrame());
    }

    /** Says goodbye: the session is over. */
    void hangUp() {
        if (channel != null && channel.isActive()) {
            channel.writeAndFlush(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE, ""));
        }
    }

    /** Ends it without a word to the far side, and without telling its ears. */
    void drop() {
        over = true;
        close();
    }

    /** Gives it up: its ears are told why. */
    void giveUp(String why) {
        close();
        end(Ending.lost(why));
    }

    private void close() {
        if (channel != null) channel.close();
        else if (dialling != null) dialling.channel().close();
    }

    private void write(WebSocketFrame frame) {
        if (channel == null || !channel.isActive()) frame.release();
        else channel.writeAndFlush(frame, channel.voidPromise());
    }

    private void end(Ending ending) {
        if (over) return;
        over = true;
        ears.ended(this, ending);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
        arrivedAt = System.nanoTime();
        if (over) return;
        if (frame instanceof TextWebSocketFrame text) {
            ears.heard(this, text.content());
        } else if (frame instanceof CloseWebSocketFrame close) {
            told = new Ending(close.statusCode() < 0 ? 1005 : close.statusCode(), clipped(close.reasonText()));
            context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end(told == null ? Ending.lost("") : told);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof WebSocketClientHandshakeException handshake && handshake.response() != null) {
            told = new Ending(handshake.response().status().code(), "HTTP");
        } else if (told == null) {
            told = Ending.lost(words(cause));
        }
        context.close();
    }

    /** Without addresses and names of system calls, so that equal reasons count as one. */
    private static String words(Throwable cause) {
        var message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return clipped(
                message.replaceAll(":? ?[^ ]*/[0-9a-f.:]+", "").replaceFirst("^\\w+\\(\\.\\.\\) failed[^:]*: ", ""));
    }

    private static String clipped(String text) {
        return text.length() <= LONGEST_REASON ? text : text.substring(0, LONGEST_REASON) + "…";
    }
}
