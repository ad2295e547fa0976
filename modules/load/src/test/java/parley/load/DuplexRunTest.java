package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Tag("stream")
@Timeout(240)
@Execution(ExecutionMode.CONCURRENT)
class DuplexRunTest {
    private static final int FAULTY = 5;

    /** Hands on a session's messages one by one; message 0 is {@code session.created}. */
    private interface Fault {
        List<TextWebSocketFrame> pass(int message, TextWebSocketFrame frame);
    }

    @Test
    void anHonestServerLosesNothing() throws Exception {
        var report = run(EchoConversation::new, "--sessions", "20", "--seconds", "2", "--connect-rate", "500");

        assertThat(report.clean()).isTrue();
        assertThat(report.sessions()).isEqualTo(new Report.Sessions(20, 0, 0, Map.of()));
        assertThat(report.frames().sent()).isBetween(1L, 20 * 20L);
        assertThat(report.frames().heard()).isEqualTo(report.frames().sent());
        assertThat(report.frames().lost()).isZero();
        assertThat(report.frames().compared()).isEqualTo(20);
        assertThat(report.latencies().get("round_trip").count())
                .isEqualTo(report.frames().sent());
        assertThat(report.latencies().get("connect").count()).isEqualTo(20);
        assertThat(report.closes()).isEqualTo(Map.of("1000", 20L));
    }

    @Test
    void severalThreadsCountTogether() throws Exception {
        var report = run(EchoConversation::new, "--sessions", "5", "--threads", "2", "--seconds", "3");

        assertThat(report.clean()).isTrue();
        // More than one of the threads could have sent.
        assertThat(report.frames().sent()).isBetween(3 * 30L + 1, 5 * 30L);
        assertThat(report.frames().heard()).isEqualTo(report.frames().sent());
    }

    @Test
    void aDroppedFrameIsLost() throws Exception {
        var report = run(faulty((message, frame) -> message == FAULTY ? none(frame) : List.of(frame)));

        assertThat(found(report)).containsExactly(2, 0, 0, 0);
        assertThat(report.clean()).isFalse();
    }

    @Test
    void aFrameSentTwiceIsDoubled() throws Exception {
        var report = run(faulty((message, frame) -> message == FAULTY ? List.of(frame, frame.copy()) : List.of(frame)));

        assertThat(found(report)).containsExactly(0, 2, 0, 0);
        assertThat(report.clean()).isFalse();
    }

    @Test
    void swappedFramesAreReordered() throws Exception {
        var report = run(() -> {
            var held = new ArrayList<TextWebSocketFrame>();
            return session((message, frame) -> {
                if (message == FAULTY) held.add(frame);
                if (message == FAULTY) return List.of();
                return message == FAULTY + 1 ? List.of(frame, held.removeFirst()) : List.of(frame);
            });
        });

        assertThat(found(report)).containsExactly(0, 0, 2, 0);
        assertThat(report.clean()).isFalse();
    }

    @Test
    void aShortenedFrameIsCorruptAndLost() throws Exception {
        var report = run(faulty((message, frame) -> message == FAULTY ? List.of(shortened(frame)) : List.of(frame)));

        assertThat(found(report)).containsExactly(2, 0, 0, 2);
        assertThat(report.clean()).isFalse();
    }

    @Test
    void changedAudioIsCorruptWhenItIsCompared() throws Exception {
        var report = run(faulty((message, frame) -> message == 1 ? List.of(changed(frame)) : List.of(frame)));

        assertThat(found(report)).containsExactly(0, 0, 0, 2);
        assertThat(report.clean()).isFalse();
    }

    @Test
    void aSessionThatIsClosedWasCut() throws Exception {
        var report = run(() -> new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new CloseAt(FAULTY), new EchoConversation());
            }
        });

        assertThat(report.sessions()).isEqualTo(new Report.Sessions(2, 0, 2, Map.of()));
        assertThat(report.closes()).isEqualTo(Map.of("1011 out of order", 2L));
        assertThat(report.clean()).isFalse();
    }

    @Test
    void aRefusedSessionIsCountedWithItsReason() throws Exception {
        var report = run(Refusing::new);

        assertThat(report.sessions())
                .isEqualTo(new Report.Sessions(0, 2, 0, Map.of("closed before session.created: 4000 no.thanks", 2L)));
        assertThat(report.clean()).isFalse();
    }

    @Test
    void nobodyListeningIsAFailureOfEverySession() throws Exception {
        Report report;
        try (var bound = new Socket()) {
            bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            report = report(bound.getLocalPort());
        }

        assertThat(report.sessions()).isEqualTo(new Report.Sessions(0, 2, 0, Map.of("Connection refused", 2L)));
        assertThat(ReportTable.of(report))
                .contains("Connection refused")
                .endsWith("NOT CLEAN: nobody was connected, so nothing was measured\n")
                .doesNotContain("process", "measured 0", "its busiest event loop");
    }

    @Test
    void aRefusalIsToldInTheServersWords() throws Exception {
        var report = run(() -> new ChannelInboundHandlerAdapter() {
            @Override
            public void handlerAdded(ChannelHandlerContext context) {
                context.pipeline().addFirst(new HttpRefusal());
            }
        });

        assertThat(report.sessions().failures())
                .isEqualTo(Map.of("HTTP 503 Service Unavailable, capacity: No voice for this call", 2L));
    }

    @Test
    void aRefusalIsToldByItsCodeAndNeverAtLength() {
        assertThat(Refusal.said("{\"error\": {\"code\": \"invalid_api_key\", \"message\": \"sk-secret\"}}"))
                .isEqualTo(", invalid_api_key");
        assertThat(Refusal.said("{\"error\": {\"code\": null, \"type\": \"server_error\"}}"))
                .isEqualTo(", server_error");
        assertThat(Refusal.said("{\"code\": \"" + "x".repeat(100) + "\", \"title\": \"a\\nb\"}"))
                .isEqualTo(", " + "x".repeat(40) + "…: a b");
        assertThat(Refusal.said("<html>")).isEmpty();
        assertThat(Refusal.said("")).isEmpty();
    }

    @Test
    void aRunWhoseGeneratorWasLateSaysSoInItsLastLine() throws Exception {
        var report = run(EchoConversation::new);
        var late = new Report(
                report.setup(),
                report.sessions(),
                report.latencies(),
                report.frames(),
                report.turns(),
                report.closes(),
                report.errors(),
                new Report.Generator(9, 45, 20, 40, 1),
                report.machine(),
                report.processes(),
                true);

        assertThat(ReportTable.of(late)).endsWith("clean, but NOT COMPARABLE: the generator was late too often\n");
    }

    @Test
    void theServerSeesTheHeadersAndTheQueryOfTheCommandLine() throws Exception {
        var seen = new ConcurrentLinkedQueue<String>();
        try (var server = EchoServer.start(0, () -> new Handshakes(seen), EchoConversation::new)) {
            var url = "ws://127.0.0.1:" + server.port() + "/openai/realtime?deployment=d&api-version=1";
            var report = report(server.port(), "--url", url, "--header", "OpenAI-Beta: realtime=v1", "--token", "t");

            assertThat(report.clean()).isTrue();
            assertThat(report.setup().url()).endsWith("/openai/realtime?deployment=…&api-version=…");
        }

        assertThat(seen).hasSize(2).containsOnly("/openai/realtime?deployment=d&api-version=1, realtime=v1, Bearer t");
    }

    /** The echo chooses none, which a caller who offered some must refuse; what was offered may be a key. */
    @Test
    void offeredSubprotocolsAreNotTold() throws Exception {
        var report = run(EchoConversation::new, "--subprotocol", "realtime,secret");

        assertThat(report.sessions().failed()).isEqualTo(2);
        assertThat(report.json()).doesNotContain("secret").contains("HTTP 101");
    }

    @Test
    void aClosedServerFreesItsPort() throws Exception {
        int port;
        try (var server = EchoServer.start(0, EchoConversation::new)) {
            port = server.port();
        }

        try (var again = EchoServer.start(port, EchoConversation::new)) {
            assertThat(again.port()).isEqualTo(port);
        }
    }

    @Test
    void aStoppedRunReportsWhatWasSoFar() throws Exception {
        try (var server = EchoServer.start(0, EchoConversation::new)) {
            var run = new Run(options(server.port(), "--seconds", "3600"), silent());
            run.stop();

            assertThat(run.report().frames().lost()).isZero();
        }
    }

    @Test
    void anIdleSessionSaysNothing() throws Exception {
        var report = run(EchoConversation::new, "--mode", "idle");

        assertThat(report.sessions().connected()).isEqualTo(2);
        assertThat(report.frames().sent()).isZero();
        assertThat(report.clean()).isTrue();
    }

    @Test
    void theSameFiguresAreInTheTableAndTheJson() throws Exception {
        var own = Long.toString(ProcessHandle.current().pid());
        var report = run(EchoConversation::new, "--pid", own);
        long heard = report.frames().heard();

        assertThat(report.processes()).hasSize(1);
        assertThat(heard).isBetween(1L, 2 * 10L);
        assertThat(report.json()).contains("\"heard\" : " + heard + ",").contains("\"name\" : \"" + own + "\"");
        assertThat(ReportTable.of(report))
                .contains("%10d heard".formatted(heard))
                .contains("its busiest event loop")
                .contains(own)
                // A busy machine makes the generator late.
                .containsPattern("\nclean(, but NOT COMPARABLE: the generator was late too often)?\n$");
    }

    private static List<Integer> found(Report report) {
        var frames = report.frames();
        return List.of((int) frames.lost(), (int) frames.doubled(), (int) frames.reordered(), (int) frames.corrupt());
    }

    private static Report run(Supplier<ChannelHandler> conversation, String... more) throws Exception {
        try (var server = EchoServer.start(0, conversation)) {
            return report(server.port(), more);
        }
    }

    private static Report report(int port, String... more) throws Exception {
        return new Run(options(port, more), silent()).report();
    }

    /** Two sessions with ten frames each, unless told otherwise. */
    private static Options options(int port, String... more) {
        var arguments = new ArrayList<>(List.of("--url", "ws://127.0.0.1:" + port + "/v1/realtime"));
        arguments.addAll(List.of("--sessions", "2", "--seconds", "1", "--warmup", "0", "--connect-rate", "1000"));
        arguments.addAll(List.of(more));
        return Options.parse(arguments, Map.of());
    }

    private static PrintStream silent() {
        return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    }

    private static Supplier<ChannelHandler> faulty(Fault fault) {
        return () -> session(fault);
    }

    private static ChannelHandler session(Fault fault) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new Faulty(fault), new EchoConversation());
            }
        };
    }

    private static List<TextWebSocketFrame> none(TextWebSocketFrame frame) {
        ReferenceCountUtil.release(frame);
        return List.of();
    }

    private static TextWebSocketFrame shortened(TextWebSocketFrame frame) {
        ByteBuf text = frame.content();
        text.writerIndex(text.writerIndex() - 6).writeBytes(new byte[] {'"', '}'});
        return frame;
    }

    private static TextWebSocketFrame changed(TextWebSocketFrame frame) {
        ByteBuf text = frame.content();
        int last = text.writerIndex() - 3;
        text.setByte(last, text.getByte(last) == 'A' ? 'B' : 'A');
        return frame;
    }

    private static final class Faulty extends ChannelOutboundHandlerAdapter {
        private final Fault fault;
        private int messages;

        Faulty(Fault fault) {
            this.fault = fault;
        }

        @Override
        public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
            if (message instanceof TextWebSocketFrame frame) {
                fault.pass(messages++, frame).forEach(context::write);
            } else {
                context.write(message, promise);
            }
        }
    }

    private static final class CloseAt extends ChannelInboundHandlerAdapter {
        private int left;

        CloseAt(int messages) {
            left = messages;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.fireChannelRead(message);
            if (--left == 0) context.writeAndFlush(new CloseWebSocketFrame(1011, "out of order"));
        }
    }

    private static final class Handshakes extends ChannelInboundHandlerAdapter {
        private final Queue<String> seen;

        Handshakes(Queue<String> seen) {
            this.seen = seen;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete shaken) {
                var headers = shaken.requestHeaders();
                seen.add(String.join(
                        ", ", shaken.requestUri(), headers.get("OpenAI-Beta"), headers.get("Authorization")));
            }
            context.fireUserEventTriggered(event);
        }
    }

    private static final class Refusing extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete) {
                context.writeAndFlush(new CloseWebSocketFrame(4000, "no.thanks"));
            }
        }
    }
}
