package parley.app;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class RelayTest {
    private static final int PATIENCE = 5_000;
    private ServerSocket target;
    private Relay relay;

    @BeforeEach
    void open() throws IOException {
        target = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::echo);
        relay = Relay.open("127.0.0.1", new InetSocketAddress(InetAddress.getLoopbackAddress(), target.getLocalPort()));
    }

    @AfterEach
    void close() throws IOException {
        relay.close();
        target.close();
    }

    @Test
    void passesEverythingOn() throws IOException {
        try (var client = connect()) {
            assertThat(echoed(client, "hello")).isEqualTo("hello");
        }
    }

    @Test
    void cutsThoseWhoAreConnected() throws IOException {
        try (var client = connect()) {
            echoed(client, "hello");

            relay.cut();

            assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
        }
    }

    @Test
    void aMutedConnectionStaysOpenAndANewOneIsHeard() throws IOException {
        try (var client = connect()) {
            echoed(client, "hello");

            relay.mute();

            client.setSoTimeout(300);
            assertThatThrownBy(() -> echoed(client, "hello")).isInstanceOf(SocketTimeoutException.class);
            try (var other = connect()) {
                assertThat(echoed(other, "hello")).isEqualTo("hello");
            }
        }
    }

    @Test
    void refusesAsAProviderDoes() throws IOException {
        relay.welcome(Relay.Welcome.TOO_MANY_REQUESTS);

        try (var client = connect()) {
            client.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(US_ASCII));
            client.shutdownOutput();
            var answer = new String(client.getInputStream().readAllBytes(), US_ASCII);
            var body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
            assertThat(answer).startsWith("HTTP/1.1 429 ").contains("Content-Length: " + body.length() + "\r\n");
        }
    }

    @Test
    void resetsWhoConnects() throws IOException {
        relay.welcome(Relay.Welcome.RESET);

        try (var client = connect()) {
            assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
        }
        relay.welcome(Relay.Welcome.PASS);
        try (var client = connect()) {
            assertThat(echoed(client, "hello")).isEqualTo("hello");
        }
    }

    @Test
    void delaysEachPiece() throws IOException {
        try (var client = connect()) {
            relay.delay(Duration.ofMillis(100));
            long before = System.nanoTime();

            echoed(client, "hello");

            assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(200_000_000);
        }
    }

    private Socket connect() throws IOException {
        var client = new Socket(InetAddress.getLoopbackAddress(), relay.port());
        client.setSoTimeout(PATIENCE);
        return client;
    }

    private static String echoed(Socket client, String words) throws IOException {
        client.getOutputStream().write(words.getBytes(US_ASCII));
        return new String(client.getInputStream().readNBytes(words.length()), US_ASCII);
    }

    private void echo() {
        while (!target.isClosed()) {
            try {
                var client = target.accept();
                Thread.ofVirtual().start(() -> {
                    try (client) {
                        client.getInputStream().transferTo(client.getOutputStream());
                    } catch (IOException gone) {
                        // As the test wanted.
                    }
                });
            } catch (IOException closed) {
                return;
            }
        }
    }
}
