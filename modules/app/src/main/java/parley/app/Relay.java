package parley.app;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A TCP port that passes everything on to another, until it is told to misbehave: the way to the provider or the database
 * of a cluster under test. Thread-safe; two virtual threads per connection.
 */
final class Relay implements AutoCloseable {

    /** What happens to somebody who connects. */
    enum Welcome {
        PASS,
        /** The connection is reset. */
        RESET,
        /** The connection is answered with HTTP 429. */
        TOO_MANY_REQUESTS
    }

    private static final int BUFFER = 32 * 1024;
    private static final int CONNECT_MILLIS = 5_000;
    private static final byte[] TOO_MANY = ("HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"
                    + "Retry-After: 1\r\nContent-Length: 104\r\nConnection: close\r\n\r\n"
                    + "{\"error\":{\"message\":\"Rate limit reached.\",\"type\":\"requests\",\"param\":null,"
                    + "\"code\":\"rate_limit_exceeded\"}} ")
            .getBytes(StandardCharsets.US_ASCII);

    private final ServerSocket door;
    private final InetSocketAddress target;
    private final Set<Pair> pairs = ConcurrentHashMap.newKeySet();
    private volatile Welcome welcome = Welcome.PASS;
    private volatile Duration delay = Duration.ZERO;

    private Relay(ServerSocket door, InetSocketAddress target) {
        this.door = door;
        this.target = target;
    }

    /** Listens on any free port of this address. */
    static Relay open(String host, InetSocketAddress target) {
        try {
            var door = new ServerSocket();
            door.bind(new InetSocketAddress(host, 0), 512);
            var relay = new Relay(door, target);
            Thread.ofVirtual().start(relay::accept);
            return relay;
        } catch (IOException taken) {
            throw new StartFailure("cannot listen on " + host + ": " + taken.getMessage());
        }
    }

    int port() {
        return door.getLocalPort();
    }

    /** From now on, for those who connect. */
    void welcome(Welcome how) {
        welcome = how;
    }

    /** Each piece of what is passed on waits so long, in both directions; also in connections that are open. */
    void delay(Duration time) {
        delay = time;
    }

    /** Resets every open connection. */
    void cut() {
        pairs.forEach(Pair::reset);
    }

    /** Every open connection stays open, and nothing passes any more. */
    void mute() {
        pairs.forEach(pair -> pair.muted = true);
    }

    @Override
    public void close() {
        try {
            door.close();
        } catch (IOException alreadyClosed) {
            // Nobody can connect any more, which is what was wanted.
        }
        cut();
    }

    private void accept() {
        while (!door.isClosed()) {
            try {
                var from = door.accept();
                Thread.ofVirtual().start(() -> serve(from));
            } catch (IOException closed) {
                // Closed, or one connection that came to nothing.
            }
        }
    }

    private void serve(Socket from) {
        try {
            switch (welcome) {
                case PASS -> {
                    var to = new Socket();
                    to.connect(target, CONNECT_MILLIS);
                    from.setTcpNoDelay(true);
                    to.setTcpNoDelay(true);
                    var pair = new Pair(from, to);
                    pairs.add(pair);
                    Thread.ofVirtual().start(() -> pair.pass(from, to));
                    Thread.ofVirtual().start(() -> pair.pass(to, from));
                }
                case RESET -> reset(from);
                case TOO_MANY_REQUESTS -> {
                    from.getOutputStream().write(TOO_MANY);
                    from.shutdownOutput();
                    from.setSoTimeout(CONNECT_MILLIS);
                    from.getInputStream().readAllBytes();
                    from.close();
                }
            }
        } catch (IOException unreachable) {
            reset(from);
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException alreadyClosed) {
            // Then it is closed.
        }
    }

    /** One connection and its other half. */
    private final class Pair {
        private final Socket one;
        private final Socket other;
        private volatile boolean muted;

        Pair(Socket one, Socket other) {
            this.one = one;
            this.other = other;
        }

        /** Ends when either side does, and ends the other with it; a muted one is still read, to notice that. */
        void pass(Socket from, Socket to) {
            var buffer = new byte[BUFFER];
            try {
                for (int read = from.getInputStream().read(buffer);
                        read >= 0;
                        read = from.getInputStream().read(buffer)) {
                    if (!delay.isZero()) {
                        Thread.sleep(delay);
                    }
                    if (!muted) {
                        to.getOutputStream().write(buffer, 0, read);
                    }
                }
                to.close();
                from.close();
            } catch (IOException ended) {
                reset();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
            pairs.remove(this);
        }

        void reset() {
            Relay.reset(one);
            Relay.reset(other);
        }
    }
}
