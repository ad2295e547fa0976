package parley.load;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import java.util.Base64;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A model that is always interrupted. Each {@code response.create} gets twenty seconds of audio at once and, some moment
 * later, {@code speech_started} with the time it was sent in its {@code item_id}. Everything else is passed on.
 */
final class InterruptedConversation extends SimpleChannelInboundHandler<TextWebSocketFrame> {
    static final String SPEECH = "item_said_at_";

    private static final int DELTAS = 200;
    private static final int DELTA_MILLIS = 100;
    private static final int LEAST_WAIT_MILLIS = 300;
    private static final int MOST_WAIT_MILLIS = 900;
    private static final String AUDIO = Base64.getEncoder().encodeToString(new byte[DELTA_MILLIS * 48]);

    private int answers;

    @Override
    protected void channelRead0(ChannelHandlerContext context, TextWebSocketFrame frame) {
        if (frame.content().readableBytes() < 1000 && frame.text().contains("\"response.create\"")) {
            answer(context, ++answers);
        } else {
            context.fireChannelRead(frame.retain());
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
    }

    private static void answer(ChannelHandlerContext context, int number) {
        var response = "\"response_id\":\"resp_" + number + "\",\"item_id\":\"item_" + number + "\"";
        say(
                context,
                "response.created",
                "\"response\":{\"id\":\"resp_" + number
                        + "\",\"object\":\"realtime.response\",\"status\":\"in_progress\",\"output\":[],"
                        + "\"conversation_id\":\"conv_1\",\"output_modalities\":[\"audio\"],\"usage\":null}");
        for (int delta = 0; delta < DELTAS; delta++) {
            say(
                    context,
                    "response.output_audio.delta",
                    response + ",\"output_index\":0,\"content_index\":0,\"delta\":\"" + AUDIO + "\"");
        }
        context.flush();
        int wait = ThreadLocalRandom.current().nextInt(LEAST_WAIT_MILLIS, MOST_WAIT_MILLIS);
        context.executor().schedule(() -> interrupt(context, number), wait, TimeUnit.MILLISECONDS);
    }

    private static void interrupt(ChannelHandlerContext context, int number) {
        say(
                context,
                "input_audio_buffer.speech_started",
                "\"audio_start_ms\":0,\"item_id\":\"" + SPEECH + System.nanoTime() + "\"");
        say(
                context,
                "response.done",
                "\"response\":{\"id\":\"resp_" + number
                        + "\",\"object\":\"realtime.response\",\"status\":\"cancelled\",\"output\":[],"
                        + "\"conversation_id\":\"conv_1\",\"output_modalities\":[\"audio\"],\"usage\":null}");
        context.flush();
    }

    private static void say(ChannelHandlerContext context, String type, String fields) {
        var id = Long.toHexString(ThreadLocalRandom.current().nextLong());
        context.write(
                new TextWebSocketFrame("{\"type\":\"" + type + "\",\"event_id\":\"event_" + id + "\"," + fields + "}"));
    }
}
