package parley.load;

import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakeException;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.net.ConnectException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One session's socket: dials, waits for {@code session.created}, lets its {@link Conduct} speak and hear, and hangs up
 * with 1000. Whoever ends the socket before that has cut the session. Lives on one event loop.
 */
final class Caller extends SimpleChannelInboundHandler<WebSocketFrame> {
    static final int PATIENCE_SECONDS = 15;
    private static final int LONGEST_REASON = 80;
    private static final int SWITCHING = 101;

    private enum Phase {
        DIALLING,
        CONNECTED,
        LEAVING,
        OVER
    }

    private final Lane lane;
    private final Conduct conduct;
    private final Runnable decided;
    private final Runnable gone;
    private Phase phase = Phase.DIALLING;
    private long dialledAt;
    private @Nullable ChannelHandlerContext socket;
    private @Nullable String refusal;
    private @Nullable String closeWords;

    /**
     * @param decided called once, when the session is connected or has failed to connect
     * @param gone called once, when the socket is closed or never opened
     */
    Caller(Lane lane, Conduct conduct, Runnable decided, Runnable gone) {
        this.lane = lane;
        this.conduct = conduct;
        this.decided = decided;
        this.gone = gone;
    }

    void dial(Dial dial) {
        if (phase == Phase.OVER) {
            gone.run();
            return;
        }
        dialledAt = System.nanoTime();
        lane.loop.schedule(
                () -> fail("no session.created within " + PATIENCE_SECONDS + " s"), PATIENCE_SECONDS, TimeUnit.SECONDS);
        dial.open(lane.loop, this).addListener((ChannelFutureListener) dialled -> {
            if (!dialled.isSuccess()) {
                fail(words(dialled.cause()));
                gone.run();
            } else if (phase == Phase.OVER) {
                dialled.channel().close();
            }
        });
    }

    /** Whether there was somebody to speak. */
    boolean speak(Schedule schedule, long due) {
        var open = socket;
        if (phase != Phase.CONNECTED || open == null) return false;
        conduct.speak(open, schedule, due);
        return true;
    }

    void hangUp() {
        var open = socket;
        if (phase == Phase.CONNECTED && open != null) {
            phase = Phase.LEAVING;
            open.writeAndFlush(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE, ""));
        } else {
            fail("stopped before it was connected");
        }
    }

    /** Instead of {@link #dial}, when nobody is to be dialled. */
    void giveUp(Throwable cause) {
        fail(words(cause));
        gone.run();
    }

    /** Ends what is still open, because the far side did not answer the close. */
    void drop() {
        if (socket != null) socket.channel().close();
    }

    /** Closes the books on what was said so far. */
    void settle() {
        conduct.settle();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        socket = context;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
        if (frame instanceof TextWebSocketFrame text) {
            hear(text);
        } else if (frame instanceof CloseWebSocketFrame close) {
            closeWords = close.statusCode() < 0 ? "1005" : (close.statusCode() + " " + close.reasonText()).strip();
            if (phase == Phase.LEAVING) context.close();
            else context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
        } else {
            Tally.count(lane.tally.errors, "(binary message)");
        }
    }

    private void hear(TextWebSocketFrame text) {
        var content = text.content();
        var kind = lane.scan.scan(content);
        if (kind == EventScan.Kind.ERROR) {
            var code = EventJson.errorCode(content);
            Tally.count(lane.tally.errors, code);
            if (refusal == null) refusal = code;
        }
        switch (phase) {
            case DIALLING -> {
                if (kind == EventScan.Kind.SESSION_CREATED) connected();
            }
            case CONNECTED, LEAVING -> conduct.hear(lane.scan, kind, content, lane.schedule());
            case OVER -> {}
        }
    }

    private void connected() {
        phase = Phase.CONNECTED;
        lane.tally.connected.increment();
        Tally.record(lane.tally.connect, System.nanoTime() - dialledAt);
        decided.run();
    }

    private void fail(String reason) {
        if (phase != Phase.DIALLING) return;
        phase = Phase.OVER;
        Tally.count(lane.tally.connectFailures, reason);
        decided.run();
        drop();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        var code = closeWords == null ? "1006" : closeWords;
        if (phase == Phase.DIALLING) {
            fail(refusal != null ? refusal : "closed before session.created: " + clipped(code));
        } else if (phase != Phase.OVER) {
            if (phase == Phase.CONNECTED) lane.tally.cut.increment();
            Tally.count(lane.tally.closes, clipped(code));
            phase = Phase.OVER;
        }
        gone.run();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (phase == Phase.DIALLING) fail(words(cause) + Refusal.said(context.channel()));
        else Tally.count(lane.tally.errors, words(cause));
        context.close();
    }

    /** Without addresses and names of system calls, so that equal reasons count as one. */
    private static String words(Throwable cause) {
        if (cause instanceof WebSocketClientHandshakeException handshake && handshake.response() != null) {
            var status = handshake.response().status();
            // Its message would repeat what was offered, which may be a key.
            return status.code() == SWITCHING
                    ? "HTTP 101 with another subprotocol or key than it must"
                    : "HTTP " + status;
        }
        var root = cause;
        while (root.getCause() != null && !(root instanceof ConnectException)) {
            root = root.getCause();
        }
        var message = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        return clipped(
                message.replaceAll(":? ?[^ ]*/[0-9a-f.:]+", "").replaceFirst("^\\w+\\(\\.\\.\\) failed[^:]*: ", ""));
    }

    private static String clipped(String text) {
        return text.length() <= LONGEST_REASON ? text : text.substring(0, LONGEST_REASON) + "…";
    }
}
