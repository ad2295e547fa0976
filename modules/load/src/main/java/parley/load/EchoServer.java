package parley.load;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The command {@code echo}: the smallest server that answers as a realtime model which repeats what it hears. A partner
 * for the generator without a gateway between them, and a cheap upstream behind one.
 */
public final class EchoServer implements AutoCloseable {
    private static final int LONGEST_MESSAGE = 16 << 20;
    private static final int LONGEST_REQUEST = 64 << 10;
    private static final int WAITING_CONNECTS = 1024;

    private final EventLoopGroup group;
    private final Channel listener;

    private EchoServer(EventLoopGroup group, Channel listener) {
        this.group = group;
        this.listener = listener;
    }

    public static void main(String[] arguments) throws InterruptedException {
        var port = port(List.of(arguments));
        if (port < 0) {
            System.err.println("echo: " + String.join(" ", arguments) + " (expected: --port 0..65535)");
            System.exit(2);
        }
        try {
            var server = start(port);
            System.out.println("listening on port " + server.port());
            server.listener.closeFuture().await();
        } catch (BindException taken) {
            System.err.println("echo: " + taken.getMessage());
            System.exit(1);
        }
    }

    private static int port(List<String> arguments) {
        boolean one = arguments.size() == 2
                && arguments.getFirst().equals("--port")
                && arguments.getLast().matches("[0-9]{1,5}");
        int port = one ? Integer.parseInt(arguments.getLast()) : -1;
        return port <= 65_535 ? port : -1;
    }

    /** Repeats what it hears; listens on this machine only, on any free port for 0. */
    public static EchoServer start(int port) throws BindException, InterruptedException {
        return start(port, EchoConversation::new);
    }

    /** Listens on this machine only. Each socket gets a conversation of its own; port 0 takes any free one. */
    @SafeVarargs
    public static EchoServer start(int port, Supplier<ChannelHandler>... conversation)
            throws BindException, InterruptedException {
        var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var protocol = WebSocketServerProtocolConfig.newBuilder()
                .websocketPath("/")
                .checkStartsWith(true)
                .maxFramePayloadLength(LONGEST_MESSAGE)
                .withUTF8Validator(false)
                .allowExtensions(false)
                .build();
        var initializer = new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline()
                        .addLast(new HttpServerCodec())
                        .addLast(new HttpObjectAggregator(LONGEST_REQUEST))
                        .addLast(new WebSocketServerProtocolHandler(protocol))
                        .addLast(new WebSocketFrameAggregator(LONGEST_MESSAGE))
                        .addLast(Arrays.stream(conversation).map(Supplier::get).toArray(ChannelHandler[]::new));
            }
        };
        var listener = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, WAITING_CONNECTS)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(initializer)
                .bind("127.0.0.1", port)
                .await();
        if (listener.isSuccess()) return new EchoServer(group, listener.channel());
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        throw new BindException("port " + port + ": " + listener.cause().getMessage());
    }

    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    @Override
    public void close() {
        // Ending the group alone leaves the port open: the socket is freed by a select after its close.
        listener.close().awaitUninterruptibly();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
