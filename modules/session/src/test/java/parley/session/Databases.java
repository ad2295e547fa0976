package parley.session;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A PostgreSQL of one's own, and a way to it that the test can close, or stop. */
final class Databases {
    private Databases() {}

    static EmbeddedPostgres start() throws IOException {
        return EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start();
    }

    static Journal journal(int port) {
        return Journal.at("postgresql://postgres:postgres@127.0.0.1:" + port + "/postgres");
    }

    static void run(Journal journal, String... statements) throws SQLException {
        try (var connection = journal.connect(Duration.ofSeconds(30));
                var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** Forwards to a port of this machine. */
    static final class Gate implements AutoCloseable {
        private enum State {
            OPEN,
            CLOSED,
            /** Accepts, and never answers. */
            STILL
        }

        private final int target;
        private final int port;
        private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
        private ServerSocket server;
        private Thread acceptor;
        private volatile State state = State.OPEN;

        Gate(int target) throws IOException {
            this.target = target;
            server = listen(0);
            port = server.getLocalPort();
        }

        Journal journal() {
            return Databases.journal(port);
        }

        void shut() throws IOException {
            state = State.CLOSED;
            server.close();
            try {
                // Until its acceptor has let go of it, the port is still taken.
                acceptor.join();
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
            hangUp();
        }

        void standStill() {
            state = State.STILL;
        }

        void open() throws IOException {
            boolean wasShut = state == State.CLOSED;
            state = State.OPEN;
            if (wasShut) {
                server = listen(port);
            } else {
                hangUp();
            }
        }

        @Override
        public void close() throws IOException {
            shut();
        }

        private void hangUp() throws IOException {
            for (var socket : List.copyOf(sockets)) {
                sockets.remove(socket);
                socket.close();
            }
        }

        private ServerSocket listen(int number) throws IOException {
            var listening = new ServerSocket();
            listening.setReuseAddress(true);
            listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), number));
            acceptor = Thread.ofVirtual().start(() -> accept(listening));
            return listening;
        }

        private void accept(ServerSocket listening) {
            while (!listening.isClosed()) {
                try {
                    connect(listening, listening.accept());
                } catch (IOException failed) {
                    // Shut by the test, or nobody listens at the target.
                }
            }
        }

        private void connect(ServerSocket listening, Socket near) throws IOException {
            Socket far;
            try {
                near.setTcpNoDelay(true);
                far = new Socket(InetAddress.getLoopbackAddress(), target);
                far.setTcpNoDelay(true);
            } catch (IOException failed) {
                near.close();
                throw failed;
            }
            sockets.add(near);
            sockets.add(far);
            if (listening.isClosed()) {
                // Whoever shut it may not have seen them.
                near.close();
                far.close();
                return;
            }
            Thread.ofVirtual().start(() -> forward(near, far));
            Thread.ofVirtual().start(() -> forward(far, near));
        }

        private void forward(Socket from, Socket to) {
            try (from;
                    to) {
                var bytes = new byte[16384];
                int length;
                while ((length = from.getInputStream().read(bytes)) > 0) {
                    if (state == State.STILL) {
                        continue;
                    }
                    to.getOutputStream().write(bytes, 0, length);
                    to.getOutputStream().flush();
                }
            } catch (IOException hungUp) {
                // By the test, or by one of the two.
            }
        }
    }
}
