package parley.wire;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * HTTP/1.1 and WebSocket on one port, over TLS when given a context.
 *
 * <p>One request of a connection is handled at a time. A malformed request is answered 400, one larger than {@code
 * max-request} 413. A connection is closed when nothing moves on it for {@code request-timeout}, and when its next
 * request is not whole that long after the last answer, or after its beginning: bytes that come one by one keep nothing
 * open.
 */
public final class HttpServer {
    /** Answers requests. Called on the connection's event loop, so it must not block. */
    public interface Handler {
        /**
         * @param request lent until the returned stage completes
         * @return completed on any thread; a failure is answered with 500 and no detail
         */
        CompletionStage<Reply> handle(FullHttpRequest request, Connection connection);

        /** A fault that was answered with 500: the one place to log it. */
        void onFault(String method, String path, Throwable fault);
    }

    /** Where a request came from. */
    public record Connection(InetSocketAddress remote, EventLoop loop, boolean secure) {}

    /** What is done with a request. */
    public sealed interface Reply {
        /** A whole answer. */
        record Answer(FullHttpResponse response) implements Reply {}

        /** An answer whose body is sent as it comes; cancelled when the connection ends, and not run for HEAD. */
        record Streamed(HttpResponse head, Source<ByteString, ?> body) implements Reply {}

        /**
         * The connection becomes a WebSocket.
         *
         * @param subprotocol selected from those offered, or null to select none
         * @param headers added to the 101
         * @param opened called on the connection's loop, once
         */
        record Upgrade(@Nullable String subprotocol, HttpHeaders headers, Consumer<WebSocket> opened)
                implements Reply {}
    }

    private final Channel channel;
    private final ChannelGroup connections;

    private HttpServer(Channel channel, ChannelGroup connections) {
        this.channel = channel;
        this.connections = connections;
    }

    /** Fails with {@link java.net.BindException} when the address is taken. */
    public static CompletionStage<HttpServer> bind(
            Loops loops,
            InetSocketAddress address,
            @Nullable SslContext tls,
            WireSettings settings,
            Materializer materializer,
            Handler handler) {
        var connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
        var bound = new CompletableFuture<HttpServer>();
        new ServerBootstrap()
                .group(loops.group())
                .channel(Loops.SERVER_CHANNEL)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOCATOR, Loops.ALLOCATOR)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel child) {
                        connections.add(child);
                        if (tls != null) {
                            child.pipeline().addLast("tls", tls.newHandler(child.alloc()));
                        }
                        child.pipeline()
                                .addLast(
                                        "idle",
                                        new IdleStateHandler(
                                                0, 0, settings.requestTimeout().toMillis(), TimeUnit.MILLISECONDS))
                                .addLast("http", new HttpServerCodec())
                                // Requests that came in one segment wait here while reading is off.
                                .addLast("pipelined", new FlowControlHandler())
                                .addLast("body", new HttpObjectAggregator(settings.maxRequestBytes(), true))
                                .addLast("requests", new Requests(handler, settings, materializer, tls != null));
                    }
                })
                .bind(address)
                .addListener((io.netty.channel.ChannelFuture done) -> {
                    if (done.isSuccess()) {
                        bound.complete(new HttpServer(done.channel(), connections));
                    } else {
                        bound.completeExceptionally(Loops.bindFailure(address, done.cause()));
                    }
                });
        return bound;
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /** Open connections, WebSockets included. */
    public int connections() {
        return connections.size();
    }

    /** Takes no new connections; those open go on. */
    public CompletionStage<Done> unbind() {
        var done = new CompletableFuture<Done>();
        channel.close().addListener(closed -> done.complete(Done.getInstance()));
        return done;
    }

    /** Takes no new connections and drops those open. */
    public CompletionStage<Done> close() {
        var done = new CompletableFuture<Done>();
        unbind().thenRun(() -> connections.close().addListener(closed -> done.complete(Done.getInstance())));
        return done;
    }

    private static final class Requests extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final Handler handler;
        private final WireSettings settings;
        private final Materializer materializer;
        private final boolean secure;
        private @Nullable ScheduledFuture<?> deadline;

        Requests(Handler handler, WireSettings settings, Materializer materializer, boolean secure) {
            super(FullHttpRequest.class, false);
            this.handler = handler;
            this.settings = settings;
            this.materializer = materializer;
            this.secure = secure;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            await(context);
            context.fireChannelActive();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            stopWaiting();
            context.fireChannelInactive();
        }

        /** For a whole request. */
        private void await(ChannelHandlerContext context) {
            deadline = context.executor()
                    .schedule(
                            () -> {
                                context.close();
                            },
                            settings.requestTimeout().toMillis(),
                            TimeUnit.MILLISECONDS);
        }

        private void stopWaiting() {
            if (deadline != null) {
                deadline.cancel(false);
                deadline = null;
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            stopWaiting();
            if (request.decoderResult().isFailure()) {
                request.release();
                answer(context, text(HttpResponseStatus.BAD_REQUEST, "malformed HTTP request"), false);
                return;
            }
            // The next request waits in the socket until this one is answered.
            context.channel().config().setAutoRead(false);
            var remote = (InetSocketAddress) context.channel().remoteAddress();
            CompletionStage<Reply> reply;
            try {
                reply = Objects.requireNonNull(
                        handler.handle(
                                request,
                                new Connection(remote, context.channel().eventLoop(), secure)),
                        "reply");
            } catch (RuntimeException fault) {
                reply = CompletableFuture.failedFuture(fault);
            }
            reply.whenComplete((value, fault) -> onLoop(context, () -> {
                try {
                    if (fault != null) {
                        answer(context, text(HttpResponseStatus.INTERNAL_SERVER_ERROR, "internal error"), false);
                        handler.onFault(request.method().name(), path(request), fault);
                    } else {
                        reply(context, request, value);
                    }
                } finally {
                    request.release();
                }
            }));
        }

        private void reply(ChannelHandlerContext context, FullHttpRequest request, Reply reply) {
            boolean keepAlive = HttpUtil.isKeepAlive(request);
            switch (reply) {
                case Reply.Answer(var response) -> answer(context, response, keepAlive && !saysClose(response));
                case Reply.Streamed(var head, var body) ->
                    stream(context, request, head, body, keepAlive && !saysClose(head));
                case Reply.Upgrade upgrade -> upgrade(context, request, upgrade);
            }
        }

        private static boolean saysClose(HttpResponse response) {
            return response.headers().containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE, true);
        }

        private void answer(ChannelHandlerContext context, FullHttpResponse response, boolean keepAlive) {
            HttpUtil.setContentLength(response, response.content().readableBytes());
            HttpUtil.setKeepAlive(response, keepAlive);
            var written = context.writeAndFlush(response);
            written.addListener(done -> finish(context, keepAlive));
        }

        private void stream(
                ChannelHandlerContext context,
                FullHttpRequest request,
                HttpResponse head,
                Source<ByteString, ?> body,
                boolean keepAlive) {
            // HTTP/1.0 knows no chunks: there the body ends with the connection.
            boolean chunked = request.protocolVersion().isKeepAliveDefault();
            HttpUtil.setTransferEncodingChunked(head, chunked);
            HttpUtil.setKeepAlive(head, keepAlive && chunked);
            context.writeAndFlush(head);
            if (request.method().equals(HttpMethod.HEAD)) {
                end(context, keepAlive && chunked);
                return;
            }
            var running = body.viaMat(KillSwitches.single(), Keep.right())
                    .mapAsync(1, bytes -> write(context, bytes))
                    .toMat(Sink.ignore(), Keep.both())
                    .run(materializer);
            ChannelFutureListener stop = closed -> running.first().shutdown();
            context.channel().closeFuture().addListener(stop);
            running.second()
                    .whenComplete((done, fault) -> onLoop(context, () -> {
                        context.channel().closeFuture().removeListener(stop);
                        if (fault != null) {
                            context.close();
                        } else {
                            end(context, keepAlive && chunked);
                        }
                    }));
        }

        private void end(ChannelHandlerContext context, boolean keepAlive) {
            context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT).addListener(ended -> finish(context, keepAlive));
        }

        private static CompletionStage<Done> write(ChannelHandlerContext context, ByteString bytes) {
            var written = new CompletableFuture<Done>();
            var content = new DefaultHttpContent(Unpooled.wrappedBuffer(bytes.toArrayUnsafe()));
            context.writeAndFlush(content).addListener(done -> {
                if (done.isSuccess()) {
                    written.complete(Done.getInstance());
                } else {
                    written.completeExceptionally(done.cause());
                }
            });
            return written;
        }

        private void finish(ChannelHandlerContext context, boolean keepAlive) {
            if (keepAlive && context.channel().isActive()) {
                await(context);
                // Later, not within: a thousand requests in one segment must not be a thousand calls deep.
                context.channel()
                        .eventLoop()
                        .execute(() -> context.channel().config().setAutoRead(true));
            } else {
                context.close();
            }
        }

        private void upgrade(ChannelHandlerContext context, FullHttpRequest request, Reply.Upgrade upgrade) {
            var headers = request.headers();
            var path = path(request);
            var key = headers.get(HttpHeaderNames.SEC_WEBSOCKET_KEY);
            if (!isUpgrade(request) || key == null) {
                answer(context, text(HttpResponseStatus.BAD_REQUEST, "not a WebSocket upgrade"), false);
                return;
            }
            if (!headers.contains(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "13", false)) {
                var response = text(HttpResponseStatus.UPGRADE_REQUIRED, "WebSocket version 13 is spoken here");
                response.headers().set(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "13");
                answer(context, response, false);
                return;
            }
            var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS);
            response.headers()
                    .add(upgrade.headers())
                    .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                    .set(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT, Handshake.accept(key));
            if (upgrade.subprotocol() != null) {
                response.headers().set(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, upgrade.subprotocol());
            }
            context.writeAndFlush(response).addListener(sent -> {
                if (!sent.isSuccess()) {
                    context.close();
                    return;
                }
                var channel = context.channel();
                var pipeline = channel.pipeline();
                var socket = WebSocket.over(channel, false, settings);
                // Before the codecs go: what they still hold may fill the inbox and stop the reading again.
                channel.config().setAutoRead(true);
                pipeline.remove("idle");
                pipeline.remove("requests");
                pipeline.remove("body");
                pipeline.remove("pipelined");
                pipeline.remove("http");
                try {
                    upgrade.opened().accept(socket);
                } catch (RuntimeException fault) {
                    socket.close(WebSocketClose.INTERNAL_ERROR, "internal error");
                    handler.onFault(HttpMethod.GET.name(), path, fault);
                }
            });
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof IdleStateEvent) {
                context.close();
            } else {
                context.fireUserEventTriggered(event);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // Resets, TLS handshakes of scanners, oversized heads: the peer's doing, and it is told by the close.
            context.close();
        }

        private static void onLoop(ChannelHandlerContext context, Runnable action) {
            var loop = context.channel().eventLoop();
            if (loop.inEventLoop()) {
                action.run();
            } else {
                loop.execute(action);
            }
        }

        private static FullHttpResponse text(HttpResponseStatus status, String text) {
            ByteBuf body = Unpooled.copiedBuffer(text + "\n", java.nio.charset.StandardCharsets.UTF_8);
            var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
            response.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8");
            return response;
        }

        private static String path(FullHttpRequest request) {
            var uri = request.uri();
            int query = uri.indexOf('?');
            return query < 0 ? uri : uri.substring(0, query);
        }
    }

    /** Whether a request asks for a WebSocket. */
    public static boolean isUpgrade(FullHttpRequest request) {
        var headers = request.headers();
        return request.method().equals(HttpMethod.GET)
                && headers.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
                && headers.containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
    }
}
