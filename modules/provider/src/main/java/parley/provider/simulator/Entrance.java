package parley.provider.simulator;

import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.jspecify.annotations.Nullable;
import parley.wire.HttpServer;

/** The port that a simulator listens on; it can be let go of, and taken again. One wish after the other, any thread. */
final class Entrance {

    private static final CompletionStage<Done> DONE = CompletableFuture.completedStage(Done.getInstance());

    private final Function<InetSocketAddress, CompletionStage<HttpServer>> bind;
    private volatile InetSocketAddress address;
    private CompletionStage<?> wishes = DONE;
    private volatile @Nullable HttpServer server;
    private boolean over;

    /** @param address port 0 is any free one, and from then on always that one */
    Entrance(InetSocketAddress address, Function<InetSocketAddress, CompletionStage<HttpServer>> bind) {
        this.address = address;
        this.bind = bind;
    }

    /** Listens; without effect when it does already. */
    CompletionStage<Done> open() {
        return next(() -> {
            if (server != null || over) return DONE;
            return bind.apply(address).thenApply(bound -> {
                server = bound;
                address = new InetSocketAddress(
                        address.getAddress(), bound.address().getPort());
                return Done.getInstance();
            });
        });
    }

    /**
     * Takes no new connections, then drops those open.
     *
     * @param between what is done when no connection can come any more
     */
    CompletionStage<Done> close(Runnable between) {
        return next(() -> {
            var open = server;
            server = null;
            return open == null ? DONE : open.unbind().thenRun(between).thenCompose(unbound -> open.close());
        });
    }

    /** Closes for good. */
    CompletionStage<Done> closeForGood() {
        return next(() -> {
            over = true;
            var open = server;
            server = null;
            return open == null ? DONE : open.close();
        });
    }

    int port() {
        var open = server;
        return open == null ? address.getPort() : open.address().getPort();
    }

    int connections() {
        var open = server;
        return open == null ? 0 : open.connections();
    }

    private synchronized CompletionStage<Done> next(Supplier<CompletionStage<Done>> wish) {
        var done = wishes.handle((before, failed) -> Done.getInstance()).thenCompose(before -> wish.get());
        wishes = done;
        return done;
    }
}
