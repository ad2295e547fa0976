package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Tag("stream")
@Timeout(240)
@Execution(ExecutionMode.CONCURRENT)
class TurnRunTest {
    private static final String AUDIO =
            "{\"type\":\"response.output_audio.delta\",\"response_id\":\"R\",\"item_id\":\"I\",\"delta\":\""
                    + "AAAA".repeat(1600) + "\"}";
    private static final String AUDIO_DONE =
            "{\"type\":\"response.output_audio.done\",\"response_id\":\"R\",\"item_id\":\"I\"}";

    @Test
    void eachSentenceIsAnsweredAndHeardToItsEnd() throws Exception {
        var report = run(new Answer(List.of(created(), AUDIO, AUDIO, AUDIO_DONE, done("completed"))));

        assertThat(report.clean()).isTrue();
        assertThat(report.turns().completed()).isPositive();
        assertThat(report.frames().heard())
                .isGreaterThanOrEqualTo(2 * report.turns().completed());
        assertThat(report.latencies().get("first_audio").p50()).isBetween(50.0, 10_000.0);
        assertThat(report.latencies().get("first_audio_after_stop").p50()).isLessThan(10_000);
        assertThat(ReportTable.of(report)).contains("first audio from speech").contains("completed");
    }

    @Test
    void aFailedResponseIsAFailedTurn() throws Exception {
        var report = run(new Answer(List.of(created(), done("failed"))));

        assertThat(report.turns().failures()).containsOnlyKeys("response failed");
        assertThat(report.turns().completed()).isZero();
        assertThat(report.clean()).isFalse();
    }

    @Test
    void anAnswerWithoutAudioIsAFailedTurn() throws Exception {
        var report = run(new Answer(List.of(created(), done("completed"))));

        assertThat(report.turns().failures()).containsOnlyKeys("answer without audio");
    }

    @Test
    void anAnswerCutShortIsABargeIn() throws Exception {
        var report = run(new Answer(List.of(created(), AUDIO, AUDIO_DONE, done("cancelled"))));

        assertThat(report.turns().bargeIns()).isPositive();
        assertThat(report.turns().completed()).isZero();
        assertThat(report.turns().disorder()).isEmpty();
    }

    @Test
    void audioOutOfPlaceIsNoticed() throws Exception {
        var report = run(new Answer(List.of(created(), AUDIO, AUDIO_DONE, AUDIO, done("completed"), AUDIO)));

        assertThat(report.turns().disorder())
                .containsOnlyKeys("audio of an item after its end", "audio outside any response");
        assertThat(report.clean()).isFalse();
    }

    @Test
    void errorsAreCountedByCode() throws Exception {
        var report = run(new Answer(List.of("{\"type\":\"error\",\"error\":{\"type\":\"t\",\"code\":\"too_loud\"}}")));

        assertThat(report.errors()).containsOnlyKeys("too_loud");
    }

    private static Report run(Answer answer) throws Exception {
        try (var server = EchoServer.start(0, () -> new Listener(answer))) {
            var arguments = new ArrayList<>(List.of("--url", "ws://127.0.0.1:" + server.port() + "/v1/realtime"));
            arguments.addAll(List.of("--mode", "turn", "--sessions", "3", "--seconds", "15", "--warmup", "0"));
            arguments.addAll(List.of("--frame-ms", "50", "--connect-rate", "1000"));
            var silent = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
            return new Run(Options.parse(arguments, Map.of()), silent).report();
        }
    }

    private static String created() {
        return "{\"type\":\"response.created\",\"response\":{\"id\":\"R\",\"status\":\"in_progress\"}}";
    }

    private static String done(String status) {
        return "{\"type\":\"response.done\",\"response\":{\"id\":\"R\",\"status\":\"" + status + "\"}}";
    }

    /** Sent after two frames of silence that follow a voice. */
    private record Answer(List<String> events) {}

    private static final class Listener extends SimpleChannelInboundHandler<TextWebSocketFrame> {
        private final Answer answer;
        private boolean voiced;
        private int silent;

        Listener(Answer answer) {
            this.answer = answer;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete) {
                say(context, "{\"type\":\"session.created\",\"session\":{}}");
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, TextWebSocketFrame frame) {
            if (!frame.text().contains("AAAAAAAAAAAAAAAAAAAAAAAA")) {
                voiced = true;
                silent = 0;
            } else if (voiced && ++silent == 2) {
                voiced = false;
                say(context, "{\"type\":\"input_audio_buffer.speech_stopped\",\"item_id\":\"U\"}");
                answer.events().forEach(event -> say(context, event));
            }
        }

        private static void say(ChannelHandlerContext context, String event) {
            context.writeAndFlush(new TextWebSocketFrame(event));
        }
    }
}
