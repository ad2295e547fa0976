package parley.load;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.nio.charset.StandardCharsets;

/**
 * Greets with {@code session.created}, acknowledges {@code session.update}, and answers each
 * {@code input_audio_buffer.append} with one {@code response.output_audio.delta} of the same audio. Ignores the rest.
 */
final class EchoConversation extends SimpleChannelInboundHandler<TextWebSocketFrame> {
    private static final String SESSION =
            "\"session\":{\"id\":\"sess_echo\",\"object\":\"realtime.session\",\"type\":\"realtime\","
                    + "\"audio\":{\"input\":{\"turn_detection\":{\"type\":\"server_vad\",\"interrupt_response\":true}}}}}";
    private static final byte[] APPEND = bytes("input_audio_buffer.append");
    private static final byte[] UPDATE = bytes("session.update");
    private static final byte[] TYPE = bytes("\"type\"");
    private static final byte[] AUDIO = bytes("\"audio\"");
    private static final byte[] DELTA = bytes("{\"type\":\"response.output_audio.delta\",\"response_id\":\"resp_echo\","
            + "\"item_id\":\"item_echo\",\"output_index\":0,\"content_index\":0,\"event_id\":\"event_");

    private long events;

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete) say(context, "session.created");
        context.fireUserEventTriggered(event);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, TextWebSocketFrame frame) {
        var text = frame.content();
        int type = value(text, TYPE);
        if (begins(text, type, APPEND)) {
            int from = value(text, AUDIO);
            if (from >= 0) echo(context, text, from);
        } else if (begins(text, type, UPDATE)) {
            say(context, "session.updated");
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    private void say(ChannelHandlerContext context, String type) {
        context.writeAndFlush(new TextWebSocketFrame(
                "{\"type\":\"" + type + "\",\"event_id\":\"event_" + events++ + "\"," + SESSION));
    }

    private void echo(ChannelHandlerContext context, ByteBuf text, int from) {
        int to = text.indexOf(from, text.writerIndex(), (byte) '"');
        if (to < 0) return;
        var delta = context.alloc().buffer(DELTA.length + 40 + to - from);
        delta.writeBytes(DELTA);
        ByteBufUtil.writeAscii(delta, Long.toString(events++));
        ByteBufUtil.writeAscii(delta, "\",\"delta\":\"");
        delta.writeBytes(text, from, to - from);
        ByteBufUtil.writeAscii(delta, "\"}");
        context.write(new TextWebSocketFrame(delta), context.voidPromise());
    }

    /** Index of the first character of a key's string value, or -1. Good enough for audio, which holds no quotes. */
    private static int value(ByteBuf text, byte[] key) {
        for (int at = text.readerIndex(); ; at++) {
            at = text.indexOf(at, text.writerIndex(), (byte) '"');
            if (at < 0) return -1;
            if (begins(text, at, key)) {
                int quote = text.indexOf(at + key.length, text.writerIndex(), (byte) '"');
                return quote < 0 ? -1 : quote + 1;
            }
        }
    }

    private static boolean begins(ByteBuf text, int at, byte[] word) {
        if (at < 0 || at + word.length > text.writerIndex()) return false;
        for (int i = 0; i < word.length; i++) {
            if (text.getByte(at + i) != word[i]) return false;
        }
        return true;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
