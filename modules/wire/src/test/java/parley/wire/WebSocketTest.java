package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import java.io.IOException;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.Done;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class WebSocketTest {
    private static final int MIB = 1024 * 1024;

    private final Rig rig = new Rig();
    private final BlockingQueue<WebSocket> opened = new LinkedBlockingQueue<>();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void talksWithTheJdksClient() throws Exception {
        var heard = new LinkedBlockingQueue<String>();
        var listener = new java.net.http.WebSocket.Listener() {
            private final StringBuilder text = new StringBuilder();

            @Override
            public CompletionStage<?> onText(java.net.http.WebSocket socket, CharSequence part, boolean last) {
                text.append(part);
                if (last) {
                    heard.add(text.toString());
                    text.setLength(0);
                }
                socket.request(1);
                return CompletableFuture.completedFuture(null);
            }

            @Override
            public CompletionStage<?> onPong(java.net.http.WebSocket socket, java.nio.ByteBuffer payload) {
                heard.add("pong of " + payload.remaining());
                socket.request(1);
                return CompletableFuture.completedFuture(null);
            }

            @Override
            public CompletionStage<?> onClose(java.net.http.WebSocket socket, int code, String reason) {
                heard.add("close " + code);
                return CompletableFuture.completedFuture(null);
            }
        };
        try (var http = HttpClient.newHttpClient()) {
            var socket = Rig.get(http.newWebSocketBuilder().buildAsync(Rig.uri(rig.echo()), listener));
            for (var message : List.of("", "hello", "gr\u00fc\u00dfe \ud83d\udc4b", "x".repeat(200), "y".repeat(MIB))) {
                Rig.get(socket.sendText(message, true));
                assertThat(next(heard)).isEqualTo(message);
            }
            Rig.get(socket.sendText("in ", false));
            Rig.get(socket.sendPing(java.nio.ByteBuffer.wrap(new byte[3])));
            assertThat(next(heard)).isEqualTo("pong of 3");
            Rig.get(socket.sendText("parts", true));
            assertThat(next(heard)).isEqualTo("in parts");
            Rig.get(socket.sendClose(1000, "bye"));
            assertThat(next(heard)).isEqualTo("close 1000");
        }
    }

    @Test
    void talksWithNettysClient() throws Exception {
        var heard = new LinkedBlockingQueue<String>();
        var ready = new CompletableFuture<Channel>();
        var uri = Rig.uri(rig.echo());
        var handshaker = WebSocketClientHandshakerFactory.newHandshaker(
                uri, WebSocketVersion.V13, null, false, new DefaultHttpHeaders(), 2 * MIB);
        new Bootstrap()
                .group(rig.loops.next())
                .channel(Loops.SOCKET_CHANNEL)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(
                                        new HttpClientCodec(),
                                        new HttpObjectAggregator(8192),
                                        new WebSocketClientProtocolHandler(handshaker, false, false),
                                        new SimpleChannelInboundHandler<WebSocketFrame>() {
                                            @Override
                                            protected void channelRead0(
                                                    ChannelHandlerContext context, WebSocketFrame frame) {
                                                heard.add(frame.getClass().getSimpleName() + " "
                                                        + frame.content().readableBytes());
                                            }

                                            @Override
                                            public void userEventTriggered(
                                                    ChannelHandlerContext context, Object event) {
                                                if (event
                                                        == WebSocketClientProtocolHandler.ClientHandshakeStateEvent
                                                                .HANDSHAKE_COMPLETE) {
                                                    ready.complete(context.channel());
                                                }
                                            }
                                        });
                    }
                })
                .connect(uri.getHost(), uri.getPort());
        var channel = Rig.get(ready);

        channel.writeAndFlush(new TextWebSocketFrame("hello"));
        assertThat(next(heard)).isEqualTo("TextWebSocketFrame 5");
        channel.writeAndFlush(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(new byte[MIB])));
        assertThat(next(heard)).isEqualTo("BinaryWebSocketFrame " + MIB);
        channel.write(new TextWebSocketFrame(false, 0, "in "));
        channel.write(new PingWebSocketFrame(Unpooled.wrappedBuffer(new byte[2])));
        channel.writeAndFlush(new ContinuationWebSocketFrame(true, 0, "parts"));
        assertThat(List.of(next(heard), next(heard)))
                .containsExactlyInAnyOrder("PongWebSocketFrame 2", "TextWebSocketFrame 8");
        channel.writeAndFlush(new CloseWebSocketFrame(1001, "bye"));
        assertThat(next(heard)).isEqualTo("CloseWebSocketFrame 2");
    }

    @Test
    void framesGluedToTheUpgradeAreHeard() throws IOException {
        try (var raw = Raw.to(rig.echo())) {
            raw.write(Raw.upgrade(), text("early"), text("bird"));

            assertThat(raw.readHead()).contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            assertThat(raw.readFrame().text()).isEqualTo("early");
            assertThat(raw.readFrame().text()).isEqualTo("bird");
        }
    }

    @Test
    void answersAViolationWithItsCode() throws Exception {
        var server = rig.sockets(Rig.defaults(), opened::add);
        try (var raw = Raw.upgraded(server)) {
            var socket = opened.take();
            raw.write(Bytes.of("83 80 00 00 00 00"));
            assertThat(raw.readFrame()).isEqualTo(new Raw.Got(Bytes.CLOSE, 1002, "no such frame: opcode 3", 25));
            raw.kill();
            assertThat(Rig.get(socket.closed())).isEqualTo(new WebSocketClose(1002, "no such frame: opcode 3", false));
        }
    }

    @Test
    void aMessageOfTheLimitIsTakenAndOneByteMoreIsNot() throws Exception {
        var lengths = new LinkedBlockingQueue<Integer>();
        var server = rig.sockets(
                Rig.defaults(),
                socket -> rig.run(
                        socket,
                        Source.<Frame>maybe()
                                .viaMat(Streams.flow(socket), Keep.left())
                                .to(Sink.foreach(frame -> {
                                    lengths.add(frame.length());
                                    frame.release();
                                }))));
        try (var raw = Raw.upgraded(server)) {
            raw.write(Bytes.frame(true, Bytes.BINARY, new byte[21 * MIB]));
            assertThat(next(lengths)).isEqualTo(21 * MIB);
            raw.write(Bytes.of("82 ff 00 00 00 00 01 50 00 01 00 00 00 00"));
            assertThat(raw.readFrame().code()).isEqualTo(1009);
        }
    }

    @Test
    void repliesToACloseWithItsCodeAndHangsUp() throws Exception {
        var server = rig.sockets(Rig.defaults(), opened::add);
        try (var raw = Raw.upgraded(server)) {
            raw.write(Bytes.closing(true, 4001, "enough"));

            assertThat(raw.readFrame()).isEqualTo(new Raw.Got(Bytes.CLOSE, 4001, "", 2));
            assertThat(raw.isHungUp()).isTrue();
            assertThat(Rig.get(opened.take().closed())).isEqualTo(new WebSocketClose(4001, "enough", true));
        }
    }

    @Test
    void aCloseItBeganEndsWithThePeersReply() throws Exception {
        var server = rig.sockets(Rig.defaults(), opened::add);
        try (var raw = Raw.upgraded(server)) {
            var socket = opened.take();
            socket.close(4002, "done");
            socket.close(4003, "too late");
            assertThat(raw.readFrame()).isEqualTo(new Raw.Got(Bytes.CLOSE, 4002, "done", 6));
            raw.write(Bytes.closing(true, 4002, ""));

            assertThat(raw.isHungUp()).isTrue();
            assertThat(Rig.get(socket.closed())).isEqualTo(new WebSocketClose(4002, "done", false));
        }
    }

    @Test
    void aCloseNobodyAnswersIsBounded() throws Exception {
        var server = rig.sockets(WireSettingsTest.with("close-timeout = 100ms"), opened::add);
        try (var raw = Raw.upgraded(server)) {
            opened.take().close(1000, "");

            assertThat(raw.readFrame().code()).isEqualTo(1000);
            assertThat(raw.isHungUp()).isTrue();
        }
    }

    @Test
    void aCloseOfASlowPeerWaitsBehindWhatItHasNotReadYet() throws Exception {
        var server = rig.sockets(Rig.defaults(), opened::add);
        try (var raw = Raw.upgraded(server)) {
            var socket = opened.take();
            Rig.get(CompletableFuture.runAsync(
                    () -> {
                        for (int number = 0; number < 16; number++) {
                            socket.send(Frame.text(Raw.numbered(number, MIB)));
                        }
                    },
                    socket.loop()));
            raw.write(Bytes.closing(true, 1000, ""));
            for (int number = 0; number < 16; number++) {
                assertThat(raw.readFrame().text()).startsWith("%08d".formatted(number));
            }
            assertThat(raw.readFrame().code()).isEqualTo(1000);
        }
    }

    @Test
    void aLostConnectionIs1006() throws Exception {
        var server = rig.sockets(Rig.defaults(), opened::add);
        try (var raw = Raw.upgraded(server)) {
            raw.kill();
            assertThat(Rig.get(opened.take().closed())).isEqualTo(new WebSocketClose(1006, "connection lost", true));
        }
    }

    @Test
    void aSilentPeerIsPingedAndThenGivenUp() throws Exception {
        var server = rig.sockets(WireSettingsTest.with("ping-interval = 3s, pong-timeout = 3s"), opened::add);
        try (var raw = Raw.upgraded(server)) {
            for (int answered = 0; answered < 2; answered++) {
                assertThat(raw.readFrame().first()).isEqualTo(Bytes.PING);
                raw.write(Bytes.frame(true, Bytes.PONG, new byte[0]));
            }
            assertThat(raw.readFrame().first()).isEqualTo(Bytes.PING);

            assertThat(raw.isHungUp()).isTrue();
            assertThat(Rig.get(opened.take().closed()))
                    .isEqualTo(new WebSocketClose(1006, "no answer to a ping", false));
        }
    }

    @Test
    void theStreamsEndDecidesTheCloseCode() throws IOException {
        assertThat(closeAfter(Source.empty())).isEqualTo(new Raw.Got(Bytes.CLOSE, 1000, "", 2));
        assertThat(closeAfter(Source.failed(new IllegalStateException("secret"))))
                .isEqualTo(new Raw.Got(Bytes.CLOSE, 1011, "internal error", 16));
        assertThat(closeAfter(Source.failed(Streams.failure(new WebSocketClose(4321, "why", false)))))
                .isEqualTo(new Raw.Got(Bytes.CLOSE, 4321, "why", 5));
        assertThat(closeAfter(Source.failed(Streams.failure(new WebSocketClose(1006, "lost", true)))))
                .isEqualTo(new Raw.Got(Bytes.CLOSE, 1011, "lost", 6));
    }

    @Test
    void theSocketsEndDecidesHowItsOutputEnds() throws Exception {
        for (var close : List.of(
                new WebSocketClose(1000, "", true),
                new WebSocketClose(1000, "max_length", true),
                new WebSocketClose(4001, "end", true))) {
            var ended = new CompletableFuture<CompletionStage<Done>>();
            var server = rig.sockets(
                    Rig.defaults(),
                    socket -> ended.complete(rig.run(
                            socket,
                            Source.<Frame>maybe().via(Streams.flow(socket)).toMat(Sink.ignore(), Keep.right()))));
            try (var raw = Raw.upgraded(server)) {
                raw.write(Bytes.closing(true, close.code(), close.reason()));
                var done = Rig.get(ended);
                if (close.reason().isEmpty()) {
                    assertThat(Rig.get(done)).isEqualTo(Done.getInstance());
                } else {
                    assertThat(Rig.failure(done)).hasMessage(close.code() + " " + close.reason());
                }
            }
        }
    }

    @Test
    void anAbruptlyStoppedStreamClosesItsSocket() throws Exception {
        var materializer = Materializer.createMaterializer(rig.system);
        var server = rig.sockets(
                Rig.defaults(),
                socket -> Streams.flow(socket)
                        .join(Flow.of(Frame.class))
                        .withAttributes(org.apache.pekko.stream.ActorAttributes.dispatcher(
                                Streams.dispatcherOf(rig.loops, socket.loop())))
                        .run(materializer));
        try (var raw = Raw.upgraded(server)) {
            raw.write(text("hello"));
            assertThat(raw.readFrame().text()).isEqualTo("hello");
            materializer.shutdown();

            assertThat(raw.readFrame().code()).isEqualTo(1001);
        }
    }

    @Test
    void aFaultInOpenedClosesTheSocket() throws Exception {
        var server = rig.sockets(Rig.defaults(), socket -> {
            throw new IllegalStateException("broken");
        });
        try (var raw = Raw.upgraded(server)) {
            assertThat(raw.readFrame().code()).isEqualTo(1011);
            rig.await("the report", () -> !rig.faults.isEmpty());
            assertThat(rig.faults).singleElement().isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aPeerThatReadsNothingStopsTheSourceAndThenGetsEverythingInOrder() throws Exception {
        int count = 3000;
        var made = new AtomicInteger();
        var server = rig.sockets(
                Rig.defaults(),
                socket -> rig.run(
                        socket,
                        Source.range(0, count - 1)
                                .map(number -> {
                                    made.incrementAndGet();
                                    return Frame.text(Raw.numbered(number, 16 * 1024));
                                })
                                .via(Streams.flow(socket))
                                .to(Sink.foreach(Frame::release))));
        try (var raw = Raw.upgraded(server)) {
            rig.await("the first", () -> made.get() > 0);
            assertThat(rig.settled(made::get)).isPositive().isLessThan(count * 3L / 4);

            for (int number = 0; number < count; number++) {
                assertThat(raw.readFrame().text()).startsWith("%08d".formatted(number));
            }
            assertThat(raw.readFrame().code()).isEqualTo(1000);
        }
    }

    @Test
    void aStreamThatTakesNothingStopsThePeerAndThenGetsEverythingInOrder() throws Exception {
        int count = 3000;
        var frames = new CompletableFuture<org.apache.pekko.stream.javadsl.SinkQueueWithCancel<Frame>>();
        var server = rig.sockets(
                Rig.defaults(),
                socket -> frames.complete(rig.run(
                        socket,
                        Source.<Frame>maybe().via(Streams.flow(socket)).toMat(Sink.<Frame>queue(), Keep.right()))));
        try (var raw = Raw.upgraded(server)) {
            var sent = new AtomicLong();
            var sender = Thread.ofVirtual().start(() -> {
                try {
                    for (int number = 0; number < count; number++) {
                        raw.write(Bytes.frame(true, Bytes.TEXT, Raw.numbered(number, 16 * 1024)));
                        sent.incrementAndGet();
                    }
                } catch (IOException failed) {
                    sent.set(Long.MIN_VALUE);
                }
            });
            rig.await("the first", () -> sent.get() > 0);
            assertThat(rig.settled(sent::get)).isPositive().isLessThan(count * 3L / 4);

            var queue = Rig.get(frames);
            for (int number = 0; number < count; number++) {
                var frame = Rig.get(queue.pull()).orElseThrow();
                assertThat(frame.utf8()).startsWith("%08d".formatted(number));
                frame.release();
            }
            assertThat(sender.join(java.time.Duration.ofMinutes(1))).isTrue();
            queue.cancel();
        }
    }

    @Test
    void anEchoUnderFullPressureLosesNothing() throws Exception {
        int count = 4000;
        try (var raw = Raw.upgraded(rig.echo())) {
            var sender = Thread.ofVirtual().start(() -> {
                var random = new Random(7);
                try {
                    for (int number = 0; number < count; number++) {
                        raw.write(Bytes.frame(true, Bytes.TEXT, Raw.numbered(number, 8 + random.nextInt(20_000))));
                    }
                } catch (IOException failed) {
                    throw new java.io.UncheckedIOException(failed);
                }
            });
            for (int number = 0; number < count; number++) {
                assertThat(raw.readFrame().text()).startsWith("%08d".formatted(number));
            }
            assertThat(sender.join(java.time.Duration.ofMinutes(1))).isTrue();
        }
    }

    @Test
    void killsInTheMiddleLeaveNothingBehind() throws Exception {
        var random = new Random(3);
        var server = rig.echo();
        var all = Bytes.join(
                text("a".repeat(5000)),
                Bytes.frame(true, 0x01, Bytes.utf8("begun ")),
                Bytes.frame(true, Bytes.PING, Bytes.utf8("and pinged")),
                Bytes.frame(true, 0x80, Bytes.utf8("ended")),
                Bytes.frame(true, Bytes.BINARY, new byte[200_000]));
        for (int kill = 0; kill < 60; kill++) {
            try (var raw = Raw.upgraded(server)) {
                for (int times = random.nextInt(3); times > 0; times--) {
                    raw.write(all);
                }
                raw.write(java.util.Arrays.copyOf(all, random.nextInt(all.length)));
                raw.kill();
            }
        }
        rig.await("no connection", () -> server.connections() == 0);
    }

    @Test
    void aSocketClosedAfterItsPeerWasGoneFreesWhatItHeard() throws Exception {
        var server = rig.sockets(Rig.defaults(), opened::add);
        try (var raw = Raw.upgraded(server)) {
            raw.write(text("unheard"), text("of"), Bytes.closing(true, 1000, ""));
            raw.readFrame();
        }
        var socket = opened.take();
        Rig.get(socket.closed());
        socket.close(1013, "no upstream");
        Rig.get(CompletableFuture.runAsync(() -> {}, socket.loop()));
    }

    private Raw.Got closeAfter(Source<Frame, ?> source) throws IOException {
        var server = rig.sockets(
                Rig.defaults(),
                socket -> rig.run(socket, source.via(Streams.flow(socket)).to(Sink.foreach(Frame::release))));
        try (var raw = Raw.upgraded(server)) {
            return raw.readFrame();
        }
    }

    private static byte[] text(String text) {
        return Bytes.frame(true, Bytes.TEXT, Bytes.utf8(text));
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        var next = queue.poll(60, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("nothing heard in 60 s; open: " + new ArrayList<>(queue));
        }
        return next;
    }
}
