package parley.wire;

import com.typesafe.config.ConfigFactory;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.SslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.RunnableGraph;
import org.jspecify.annotations.Nullable;

/** Two loops, an actor system on them, and servers on free ports of this machine. */
final class Rig implements AutoCloseable {
    final Loops loops = Loops.create(2);
    final ActorSystem system;
    final Materializer materializer;
    final Queue<Throwable> faults = new ConcurrentLinkedQueue<>();
    final Queue<HttpServer> servers = new ConcurrentLinkedQueue<>();

    Rig() {
        var config = Streams.dispatchers(loops)
                .withFallback(ConfigFactory.parseString("pekko.loglevel = off, pekko.stdout-loglevel = off"))
                .withFallback(ConfigFactory.load());
        system =
                ActorSystem.create("rig", ActorSystemSetup.create(BootstrapSetup.create(config), Streams.setup(loops)));
        materializer = Materializer.createMaterializer(system);
    }

    HttpServer serve(
            WireSettings settings,
            @Nullable SslContext tls,
            Function<FullHttpRequest, @Nullable CompletionStage<HttpServer.Reply>> handler) {
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        var server = get(HttpServer.bind(loops, address, tls, settings, materializer, new HttpServer.Handler() {
            @Override
            @SuppressWarnings("NullAway")
            public CompletionStage<HttpServer.Reply> handle(FullHttpRequest request, HttpServer.Connection connection) {
                return handler.apply(request);
            }

            @Override
            public void onFault(String method, String path, Throwable fault) {
                faults.add(fault);
            }
        }));
        servers.add(server);
        return server;
    }

    HttpServer sockets(WireSettings settings, Consumer<WebSocket> opened) {
        return serve(settings, null, request -> upgrade(opened));
    }

    /** Whatever is said is said back. */
    HttpServer echo() {
        return sockets(defaults(), this::echo);
    }

    void echo(WebSocket socket) {
        run(socket, Streams.flow(socket).join(org.apache.pekko.stream.javadsl.Flow.of(Frame.class)));
    }

    /** Runs a graph on the dispatcher of a port's loop, with no buffers between. */
    <M> M run(Port port, RunnableGraph<M> graph) {
        return graph.withAttributes(ActorAttributes.dispatcher(Streams.dispatcherOf(loops, port.loop()))
                        .and(Attributes.inputBuffer(1, 1)))
                .run(materializer);
    }

    static WireSettings defaults() {
        return WireSettings.from(ConfigFactory.load());
    }

    static CompletionStage<HttpServer.Reply> upgrade(Consumer<WebSocket> opened) {
        return now(new HttpServer.Reply.Upgrade(null, new DefaultHttpHeaders(), opened));
    }

    static CompletionStage<HttpServer.Reply> now(HttpServer.Reply reply) {
        return CompletableFuture.completedFuture(reply);
    }

    static HttpServer.Reply answer(String body) {
        var content = Loops.ALLOCATOR.buffer().writeBytes(Bytes.utf8(body));
        return new HttpServer.Reply.Answer(
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, content));
    }

    static URI uri(HttpServer server) {
        return URI.create("ws://127.0.0.1:" + server.address().getPort() + "/");
    }

    /** Waits, within bounds, until something holds. Time passes on a loop of its own. */
    void await(String what, BooleanSupplier holds) {
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (System.nanoTime() < patience) {
            if (holds.getAsBoolean()) {
                return;
            }
            tick();
        }
        throw new AssertionError("did not come true in 60 s: " + what);
    }

    private void tick() {
        get(CompletableFuture.runAsync(
                () -> {}, CompletableFuture.delayedExecutor(10, TimeUnit.MILLISECONDS, Runnable::run)));
    }

    /** Waits until a number has not moved for 300 ms. */
    long settled(java.util.function.LongSupplier number) {
        var last = new long[] {number.getAsLong(), 0};
        await("a number that stands still", () -> {
            long now = number.getAsLong();
            last[1] = now == last[0] ? last[1] + 1 : 0;
            last[0] = now;
            return last[1] >= 30;
        });
        return last[0];
    }

    static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw new java.util.concurrent.CompletionException(failed.getCause());
        } catch (InterruptedException | TimeoutException late) {
            throw new AssertionError(late);
        }
    }

    static Throwable failure(CompletionStage<?> stage) {
        try {
            throw new AssertionError("succeeded with " + get(stage));
        } catch (java.util.concurrent.CompletionException failed) {
            return failed.getCause();
        }
    }

    @Override
    public void close() {
        servers.forEach(server -> get(server.close()));
        system.terminate();
        get(system.getWhenTerminated());
        loops.close();
    }
}
