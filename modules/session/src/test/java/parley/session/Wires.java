package parley.session;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import parley.wire.Loops;

/** Two nodes' ends of one connection, without the nodes: the test sits at both. */
final class Wires implements AutoCloseable {
    private static final int MAX_FRAME = 64 * 1024;

    private final Loops loops;
    private final Channel server;
    private final Channel client;
    private final LinkConnection calling;
    private final LinkedBlockingQueue<LinkPort> accepted = new LinkedBlockingQueue<>();
    private final List<Ends> lines = new ArrayList<>();

    /** @param other where the session's end is used; the connection itself has the loops 0 and 1 */
    Wires(Loops loops, SessionSettings settings, int other) {
        this.loops = loops;
        server = new ServerBootstrap()
                .group(loops.get(1))
                .channel(Loops.SERVER_CHANNEL)
                .childOption(ChannelOption.ALLOCATOR, Loops.ALLOCATOR)
                .childHandler(over(channel -> new LinkConnection(
                        channel,
                        MAX_FRAME,
                        settings,
                        (connection, stream, seat) -> accepted.add(connection.accept(stream, loops.get(other))))))
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .syncUninterruptibly()
                .channel();
        var made = new CompletableFuture<LinkConnection>();
        client = new Bootstrap()
                .group(loops.get(0))
                .channel(Loops.SOCKET_CHANNEL)
                .option(ChannelOption.ALLOCATOR, Loops.ALLOCATOR)
                .handler(over(channel -> made.complete(new LinkConnection(
                        channel, MAX_FRAME, settings, (connection, stream, seat) -> connection.refuse(stream)))))
                .connect(server.localAddress())
                .syncUninterruptibly()
                .channel();
        calling = made.join();
    }

    /** A line's two ends. */
    record Ends(LinkPort caller, LinkPort session) {}

    Ends line() {
        var caller = calling.open("seat", loops.get(0));
        try {
            var session = accepted.poll(60, TimeUnit.SECONDS);
            if (session == null) {
                throw new IllegalStateException("nobody asked for a seat");
            }
            var ends = new Ends(caller, session);
            lines.add(ends);
            return ends;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    Channel channel() {
        return client;
    }

    void cut() {
        client.close().syncUninterruptibly();
    }

    /** Also frees what nobody took. */
    @Override
    public void close() {
        cut();
        server.close().syncUninterruptibly();
        for (var line : lines) {
            Rig.await(line.caller().closed());
            Rig.await(line.session().closed());
            Rig.await(CompletableFuture.runAsync(
                    line.caller()::discard, line.caller().loop()));
            Rig.await(CompletableFuture.runAsync(
                    line.session()::discard, line.session().loop()));
        }
    }

    private interface Made {
        void by(Channel channel);
    }

    private static ChannelInitializer<Channel> over(Made made) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                made.by(channel);
            }
        };
    }
}
