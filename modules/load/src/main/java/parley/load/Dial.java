package parley.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;

/**
 * Opens WebSockets with Netty's own codec: masked as RFC 6455 wants, no extensions. The codec is deliberately not the
 * product's, so that the product's framing is read by somebody else.
 */
public final class Dial {
    private static final int LONGEST_MESSAGE = 16 << 20;
    private static final int LONGEST_REFUSAL = 64 << 10;
    /** What one session may have unsent before its frames are given up. */
    private static final WriteBufferWaterMark UNSENT = new WriteBufferWaterMark(128 << 10, 256 << 10);

    private final URI url;
    private final Access access;
    private final WebSocketClientProtocolConfig protocol;
    private final Optional<SslContext> tls;

    private Dial(URI url, Access access, Optional<SslContext> tls) {
        this.url = url;
        this.access = access;
        this.tls = tls;
        var headers = new DefaultHttpHeaders();
        access.headers().forEach(header -> headers.add(header.name(), header.value()));
        this.protocol = WebSocketClientProtocolConfig.newBuilder()
                .webSocketUri(url)
                .subprotocol(access.subprotocols().isEmpty() ? null : String.join(", ", access.subprotocols()))
                .customHeaders(headers)
                .maxFramePayloadLength(LONGEST_MESSAGE)
                .allowExtensions(false)
                .withUTF8Validator(false)
                .handleCloseFrames(false)
                .dropPongFrames(false)
                .sendCloseFrame(null)
                .handshakeTimeoutMillis(TimeUnit.SECONDS.toMillis(Caller.PATIENCE_SECONDS))
                .build();
    }

    /**
     * Dials this address.
     *
     * @param url {@code ws:} or {@code wss:}
     * @param insecure accept any certificate
     */
    static Dial to(URI url, Access access, boolean insecure) {
        return new Dial(url, access, secure(url) ? Optional.of(tls(insecure)) : Optional.empty());
    }

    /** As the other, for a caller who brings at most a token. */
    public static Dial to(URI url, Optional<String> token, boolean insecure) {
        return to(url, token.map(Access::bearing).orElse(Access.NONE), insecure);
    }

    /** The same for another address, which is as secure as the first. */
    Dial at(URI other) {
        return new Dial(other, access, tls);
    }

    /** The same for another address, which is as secure as the first, and another token. */
    public Dial to(URI other, String token) {
        return new Dial(other, Access.bearing(token), tls);
    }

    /**
     * Event loops with timers finer than a millisecond where the platform has them. Java's own selector rounds to whole
     * ones, and would spin through the gaps between frames: time taken from the server under test.
     */
    public static EventLoopGroup loops(int threads) {
        return new MultiThreadIoEventLoopGroup(
                threads, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    }

    /** Connects, and hands over to the caller once the channel is there; the WebSocket's upgrade follows. */
    public ChannelFuture open(EventLoop loop, ChannelHandler caller) {
        return new Bootstrap()
                .group(loop)
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) TimeUnit.SECONDS.toMillis(Caller.PATIENCE_SECONDS))
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, UNSENT)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        tls.ifPresent(context -> channel.pipeline()
                                .addLast(context.newHandler(channel.alloc(), url.getHost(), port(url))));
                        channel.pipeline()
                                .addLast(new HttpClientCodec())
                                .addLast(new HttpObjectAggregator(LONGEST_REFUSAL))
                                .addLast(new Refusal())
                                .addLast(new WebSocketClientProtocolHandler(protocol))
                                .addLast(new WebSocketFrameAggregator(LONGEST_MESSAGE))
                                .addLast(caller);
                    }
                })
                .connect(url.getHost(), port(url));
    }

    static int port(URI url) {
        return url.getPort() >= 0 ? url.getPort() : secure(url) ? 443 : 80;
    }

    private static boolean secure(URI url) {
        return url.getScheme().equalsIgnoreCase("wss");
    }

    private static SslContext tls(boolean insecure) {
        try {
            var builder = SslContextBuilder.forClient();
            if (insecure) {
                builder.trustManager(InsecureTrustManagerFactory.INSTANCE).endpointIdentificationAlgorithm(null);
            }
            return builder.build();
        } catch (SSLException broken) {
            throw new IllegalStateException("this JVM cannot speak TLS", broken);
        }
    }
}
