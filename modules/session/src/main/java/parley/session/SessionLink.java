package parley.session;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import parley.wire.Loops;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * Carries frames between the node a caller is connected to and the node its session lives on.
 *
 * <p>One TCP connection per pair of nodes and event loop, opened by the caller's side, shared by all sessions. Each has
 * credits of its own, {@code link.frames} per direction, so that a slow one holds back nobody else. A line is opened
 * with the name of a seat, which the session gave to the caller's node over the cluster's own transport and which is
 * good once.
 *
 * <p>A line ends with 1012 when its seat is gone, when the session moves, and when the connection is lost: its caller
 * is to ask for another. A node that died is noticed at once, one that is frozen or cut off after {@code
 * link.dead-after}.
 */
final class SessionLink {
    private final Loops loops;
    private final SessionSettings settings;
    private final int maxFrame;
    private final ConcurrentHashMap<String, CompletableFuture<LinkConnection>> outgoing = new ConcurrentHashMap<>();
    private final Channel server;
    private final ChannelGroup accepted;
    private final Open open;

    /** The connections that are open now, either way, and what became of lines when one was lost. */
    private static final class Open {
        private final Set<LinkConnection> connections = ConcurrentHashMap.newKeySet();
        private final LongAdder linesLost = new LongAdder();

        void add(LinkConnection connection, Channel channel) {
            connections.add(connection);
            channel.closeFuture().addListener(closed -> {
                connections.remove(connection);
                linesLost.add(connection.lines());
            });
        }
    }

    private SessionLink(
            Loops loops, SessionSettings settings, int maxFrame, Channel server, ChannelGroup accepted, Open open) {
        this.open = open;
        this.accepted = accepted;
        this.loops = loops;
        this.settings = settings;
        this.maxFrame = maxFrame;
        this.server = server;
    }

    /** Listens for the other nodes. Fails with {@link java.net.BindException} when the port is taken. */
    static CompletionStage<SessionLink> start(
            Loops loops, SessionSettings settings, int maxFrame, Conversations conversations) {
        var accepted = new DefaultChannelGroup("session-link", GlobalEventExecutor.INSTANCE, true);
        var started = new CompletableFuture<SessionLink>();
        var open = new Open();
        new ServerBootstrap()
                .group(loops.next(), loops.next().parent())
                .channel(Loops.SERVER_CHANNEL)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOCATOR, Loops.ALLOCATOR)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted.add(channel);
                        open.add(
                                new LinkConnection(
                                        channel,
                                        maxFrame,
                                        settings,
                                        (connection, stream, name) -> admit(connection, stream, name, conversations)),
                                channel);
                    }
                })
                .bind(new InetSocketAddress(settings.linkHost(), settings.linkPort()))
                .addListener((ChannelFuture bound) -> {
                    if (bound.isSuccess()) {
                        started.complete(new SessionLink(loops, settings, maxFrame, bound.channel(), accepted, open));
                    } else {
                        started.completeExceptionally(Loops.bindFailure(
                                new InetSocketAddress(settings.linkHost(), settings.linkPort()), bound.cause()));
                    }
                });
        return started;
    }

    String host() {
        return settings.linkHost();
    }

    int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    /** Connections that other nodes have opened to this one. */
    int connectionsIn() {
        return accepted.size();
    }

    /** Connections that this node has opened to others. */
    int connectionsOut() {
        return outgoing.size();
    }

    /** Lines that are open, either way. */
    int lines() {
        return open.connections.stream().mapToInt(LinkConnection::lines).sum();
    }

    /** Lines that ended because their connection did. */
    long linesLost() {
        return open.linesLost.sum();
    }

    /** The loops that serve connections of other nodes now. */
    Set<EventLoop> loops() {
        return accepted.stream().map(Channel::eventLoop).collect(Collectors.toUnmodifiableSet());
    }

    /**
     * A line to a seat on another node.
     *
     * @param loop where the line's port is to be used
     */
    CompletionStage<Port> open(EventLoop loop, String host, int port, String seat) {
        var key = host + ":" + port + "/" + loops.numberOf(loop);
        return outgoing.computeIfAbsent(key, absent -> connect(key, loop, host, port))
                .thenApplyAsync(connection -> connection.open(seat, loop), loop);
    }

    /** Ends every line, either way, as the end of this node would. */
    void close() {
        server.close();
        accepted.close();
        outgoing.values().forEach(connection -> connection.thenAccept(LinkConnection::close));
    }

    private CompletableFuture<LinkConnection> connect(String key, EventLoop loop, String host, int port) {
        var connected = new CompletableFuture<LinkConnection>();
        var made = new LinkConnection[1];
        new Bootstrap()
                .group(loop)
                .channel(Loops.SOCKET_CHANNEL)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.ALLOCATOR, Loops.ALLOCATOR)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        settings.askTimeout().toMillis())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        made[0] = new LinkConnection(
                                channel, maxFrame, settings, (connection, stream, name) -> connection.refuse(stream));
                        open.add(made[0], channel);
                    }
                })
                .connect(host, port)
                .addListener((ChannelFuture done) -> {
                    if (done.isSuccess()) {
                        done.channel().closeFuture().addListener(closed -> outgoing.remove(key, connected));
                        connected.complete(made[0]);
                    } else {
                        outgoing.remove(key, connected);
                        connected.completeExceptionally(
                                new IOException("the session's node cannot be reached", done.cause()));
                    }
                });
        return connected;
    }

    private static void admit(LinkConnection connection, int stream, String name, Conversations conversations) {
        var seat = conversations.take(name);
        if (seat == null) {
            connection.refuse(stream);
            return;
        }
        var loop = seat.conversation().loop();
        var line = connection.accept(stream, loop);
        seat.take(name).thenAcceptAsync(line::join, loop).exceptionally(fault -> {
            line.close(WebSocketClose.INTERNAL_ERROR, "internal error");
            return null;
        });
    }
}
