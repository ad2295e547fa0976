package parley.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Opens WebSockets to others. */
public final class WebSocketClient {
    private static final int MAX_REFUSAL_BYTES = 64 * 1024;

    private final WireSettings settings;
    private final SslContext tls;

    /** Trusts what the JVM trusts. */
    public WebSocketClient(WireSettings settings) {
        this(settings, systemTrust());
    }

    public WebSocketClient(WireSettings settings, SslContext tls) {
        this.settings = settings;
        this.tls = tls;
    }

    /** The server answered the upgrade with something else. */
    public static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;
        private final int status;
        private final String body;

        Refused(int status, String body) {
            super("the upgrade was answered with HTTP " + status);
            this.status = status;
            this.body = body;
        }

        public int status() {
            return status;
        }

        /** The answer's body, as a provider explains itself; at most 64 KiB. */
        public String body() {
            return body;
        }
    }

    /**
     * Connects on this event loop. Bounded by {@code connect-timeout}.
     *
     * @param uri {@code ws:} or {@code wss:}; never printed, as its query may hold secrets
     * @return completed on the loop; fails with {@link Refused}, or the {@link IOException} that prevented it
     * @throws IllegalArgumentException when the URI is of another kind or names no host
     */
    public CompletionStage<WebSocket> connect(EventLoop loop, URI uri, HttpHeaders headers) {
        boolean secure = "wss".equalsIgnoreCase(uri.getScheme());
        if ((!secure && !"ws".equalsIgnoreCase(uri.getScheme())) || uri.getHost() == null) {
            throw new IllegalArgumentException(
                    "scheme " + uri.getScheme() + ", host " + uri.getHost() + " (expected: ws or wss, and a host)");
        }
        int port = uri.getPort() > 0 ? uri.getPort() : secure ? 443 : 80;
        var opened = new CompletableFuture<WebSocket>();
        var upgrade = new Upgrade(uri, port, headers, settings, secure, opened);
        var connecting = new Bootstrap()
                .group(loop)
                .resolver(Lookup.BESIDE_THE_LOOP)
                .channel(Loops.SOCKET_CHANNEL)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.ALLOCATOR, Loops.ALLOCATOR)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        settings.connectTimeout().toMillis())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (secure) {
                            channel.pipeline().addLast("tls", tlsFor(channel, uri.getHost(), port));
                        }
                        channel.pipeline()
                                .addLast("http", new HttpClientCodec())
                                .addLast("upgrade", upgrade);
                    }
                })
                .connect(uri.getHost(), port);
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                opened.completeExceptionally(asIo(done.cause()));
            }
        });
        var deadline = loop.schedule(
                () -> {
                    if (opened.completeExceptionally(new IOException("no answer to the upgrade in time"))) {
                        connecting.channel().close();
                    }
                },
                settings.connectTimeout().toMillis(),
                TimeUnit.MILLISECONDS);
        opened.whenComplete((socket, failure) -> deadline.cancel(false));
        return opened;
    }

    private SslHandler tlsFor(Channel channel, String host, int port) {
        var handler = tls.newHandler(channel.alloc(), host, port);
        var parameters = handler.engine().getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        handler.engine().setSSLParameters(parameters);
        handler.setHandshakeTimeoutMillis(settings.connectTimeout().toMillis());
        return handler;
    }

    private static SslContext systemTrust() {
        try {
            return SslContextBuilder.forClient().build();
        } catch (SSLException broken) {
            throw new IllegalStateException("this JVM has no working TLS", broken);
        }
    }

    private static IOException asIo(@Nullable Throwable cause) {
        return cause instanceof IOException io ? io : new IOException("connection lost before the upgrade", cause);
    }

    private static final class Upgrade extends SimpleChannelInboundHandler<HttpObject> {
        private final URI uri;
        private final int port;
        private final HttpHeaders headers;
        private final WireSettings settings;
        private final boolean secure;
        private final CompletableFuture<WebSocket> opened;
        private final String key = Handshake.key();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream(0);
        private @Nullable HttpResponse answer;

        Upgrade(
                URI uri,
                int port,
                HttpHeaders headers,
                WireSettings settings,
                boolean secure,
                CompletableFuture<WebSocket> opened) {
            this.uri = uri;
            this.port = port;
            this.headers = headers;
            this.settings = settings;
            this.secure = secure;
            this.opened = opened;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            if (!secure) {
                ask(context);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess()) {
                    ask(context);
                } else {
                    fail(context, asIo(handshake.cause()));
                }
            } else {
                context.fireUserEventTriggered(event);
            }
        }

        private void ask(ChannelHandlerContext context) {
            var path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
            var target = uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
            var request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, target);
            boolean defaultPort = port == (secure ? 443 : 80);
            request.headers()
                    .add(headers)
                    .set(HttpHeaderNames.HOST, defaultPort ? uri.getHost() : uri.getHost() + ":" + port)
                    .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                    .set(HttpHeaderNames.SEC_WEBSOCKET_KEY, key)
                    .set(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "13");
            context.writeAndFlush(request);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject part) throws IOException {
            if (part.decoderResult().isFailure()) {
                fail(context, new IOException("the upgrade was not answered in HTTP"));
                return;
            }
            if (part instanceof HttpResponse head) {
                answer = head;
            }
            if (part instanceof HttpContent content && answer != null) {
                var bytes = content.content();
                bytes.readBytes(body, Math.min(bytes.readableBytes(), MAX_REFUSAL_BYTES - body.size()));
                if (content instanceof LastHttpContent || body.size() == MAX_REFUSAL_BYTES) {
                    answered(context, answer);
                }
            }
        }

        private void answered(ChannelHandlerContext context, HttpResponse head) {
            if (head.status().equals(HttpResponseStatus.SWITCHING_PROTOCOLS)) {
                var mistake = mistakeIn(head.headers());
                if (mistake == null) {
                    switchOver(context);
                } else {
                    fail(context, new IOException(mistake));
                }
            } else if (head.status().codeClass() == HttpStatusClass.INFORMATIONAL) {
                answer = null;
            } else {
                fail(context, refused(head));
            }
        }

        /** What RFC 6455 §4.1 makes a client reject. */
        private @Nullable String mistakeIn(HttpHeaders given) {
            if (!given.containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true)
                    || !given.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)) {
                return "the server switched to another protocol";
            }
            if (!Handshake.accept(key).equals(given.get(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT))) {
                return "the server accepted another WebSocket key";
            }
            if (given.contains(HttpHeaderNames.SEC_WEBSOCKET_EXTENSIONS)) {
                return "the server selected an extension nobody offered";
            }
            var selected = given.get(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
            if (selected != null && !headers.containsValue(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, selected, false)) {
                return "the server selected a subprotocol nobody offered";
            }
            return null;
        }

        private void switchOver(ChannelHandlerContext context) {
            var pipeline = context.pipeline();
            var socket = WebSocket.over(context.channel(), true, settings);
            pipeline.remove("upgrade");
            if (!opened.complete(socket)) {
                context.close();
                return;
            }
            // Last: bytes that came right behind the 101 go from the codec to the WebSocket.
            pipeline.remove("http");
        }

        private Refused refused(HttpResponse head) {
            return new Refused(head.status().code(), body.toString(StandardCharsets.UTF_8));
        }

        private void fail(ChannelHandlerContext context, IOException failure) {
            opened.completeExceptionally(failure);
            context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            opened.completeExceptionally(
                    answer == null ? new IOException("connection lost before the upgrade") : refused(answer));
            context.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            fail(context, asIo(cause));
        }
    }
}
