package parley.wire;

import com.typesafe.config.ConfigFactory;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.Materializer;

/** The bare wire between two sockets: what the audio path costs before anything is done with it. */
public final class Relay {
    private Relay() {}

    /** {@code Relay <port> <upstream, e.g. ws://127.0.0.1:9100>} */
    public static void main(String[] args) throws Exception {
        var upstream = URI.create(args[1]);
        var loops = Loops.create(0);
        var config = ConfigFactory.load();
        var system = ActorSystem.create("relay", config);
        var settings = WireSettings.from(config);
        var client = new WebSocketClient(settings);
        var materializer = Materializer.createMaterializer(system);
        HttpServer.bind(
                        loops,
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])),
                        null,
                        settings,
                        materializer,
                        new HttpServer.Handler() {
                            @Override
                            public CompletionStage<HttpServer.Reply> handle(
                                    FullHttpRequest request, HttpServer.Connection connection) {
                                return CompletableFuture.completedFuture(new HttpServer.Reply.Upgrade(
                                        null,
                                        new DefaultHttpHeaders(),
                                        caller -> join(caller, client, upstream, request)));
                            }

                            @Override
                            public void onFault(String method, String path, Throwable fault) {
                                throw new IllegalStateException(fault);
                            }
                        })
                .toCompletableFuture()
                .get();
        System.err.println("relay ready");
    }

    private static void join(WebSocket caller, WebSocketClient client, URI upstream, FullHttpRequest request) {
        var target = URI.create(upstream + request.uri());
        client.connect(caller.loop(), target, new DefaultHttpHeaders()).whenComplete((provider, refused) -> {
            if (refused != null) {
                caller.close(WebSocketClose.TRY_AGAIN_LATER, "no upstream");
            } else {
                caller.join(provider);
            }
        });
    }
}
