package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class WebSocketClientTest {
    private interface Script {
        void play(Raw peer, String request) throws IOException;
    }

    private static final WireSettings PATIENT = WireSettingsTest.with("connect-timeout = 60s");
    private final Rig rig = new Rig();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        rig.close();
        for (var one : open) {
            one.close();
        }
    }

    @Test
    void hearsFramesThatCameInOneSegmentWithTheUpgrade() throws IOException {
        int count = 40;
        var uri = server((peer, request) -> {
            var segment = new ArrayList<byte[]>();
            segment.add(Bytes.utf8(accepted(request, "")));
            for (int number = 0; number < count; number++) {
                segment.add(Bytes.frame(false, Bytes.TEXT, Raw.numbered(number, 8)));
            }
            peer.write(segment.toArray(byte[][]::new));
            // The stream that has heard enough goes away, unless the close comes first.
            int code = peer.readFrame().code();
            assertThat(code).isIn(1000, 1001);
            peer.write(Bytes.closing(false, code, ""));
        });

        var heard = Rig.get(connect(uri)
                .thenCompose(socket -> rig.run(
                                socket,
                                Source.<Frame>maybe()
                                        .via(Streams.flow(socket))
                                        .map(WebSocketClientTest::take)
                                        .take(count)
                                        .toMat(Sink.seq(), Keep.right()))
                        .thenApply(all -> {
                            socket.close(1000, "");
                            return all;
                        })));

        assertThat(heard).hasSize(count).startsWith("00000000").endsWith("00000039");
    }

    @Test
    void masksWhatItSendsAndSaysWhatItWasTold() throws IOException {
        var uri = server((peer, request) -> {
            peer.write(accepted(request, "Sec-WebSocket-Protocol: realtime\r\n"));
            assertThat(peer.readFrame().text()).isEqualTo("hello");
            peer.write(Bytes.frame(false, Bytes.TEXT, Bytes.utf8(request)), Bytes.closing(false, 4000, "over"));
            assertThat(peer.readFrame().code()).isEqualTo(4000);
        });
        var headers = new DefaultHttpHeaders()
                .add("Authorization", "Bearer secret")
                .add("Sec-WebSocket-Protocol", "realtime, other");

        var request = Rig.get(connect(URI.create(uri + "path?model=x%20y"), headers)
                .thenCompose(socket -> rig.run(
                        socket,
                        Source.single(Frame.text("hello"))
                                .concat(Source.maybe())
                                .via(Streams.flow(socket))
                                .map(WebSocketClientTest::take)
                                .toMat(Sink.head(), Keep.right()))));

        assertThat(request)
                .startsWith("GET /path?model=x%20y HTTP/1.1\r\n")
                .contains("Authorization: Bearer secret\r\n")
                .contains("host: 127.0.0.1:" + uri.getPort() + "\r\n");
    }

    @Test
    void aRefusalTellsItsStatusAndBody() throws IOException {
        var body = "{\"error\":\"key\"}";
        var uri = server((peer, request) ->
                peer.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: " + body.length() + "\r\n\r\n" + body));

        assertThat(Rig.failure(connect(uri))).isInstanceOfSatisfying(WebSocketClient.Refused.class, refused -> {
            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.body()).isEqualTo(body);
        });
    }

    @Test
    void aRefusalThatIsCutOrTooLongStillTellsItsStatus() throws IOException {
        var cut = server((peer, request) -> peer.write("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nso"));
        var tooLong = server((peer, request) -> {
            try {
                peer.write("HTTP/1.1 502 Bad\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(70_000));
            } catch (IOException hungUp) {
                // It has heard enough.
            }
        });

        assertThat(Rig.failure(connect(cut))).isInstanceOfSatisfying(WebSocketClient.Refused.class, refused -> {
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.body()).isEqualTo("so");
        });
        assertThat(Rig.failure(connect(tooLong))).isInstanceOfSatisfying(WebSocketClient.Refused.class, refused -> {
            assertThat(refused.status()).isEqualTo(502);
            assertThat(refused.body()).isEqualTo("x".repeat(65536));
        });
    }

    @Test
    void aHintBeforeTheUpgradeIsNoAnswer() throws IOException {
        var uri = server((peer, request) -> {
            peer.write("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + accepted(request, ""));
            assertThat(peer.readFrame().code()).isEqualTo(1000);
        });

        Rig.get(connect(uri)).close(1000, "");
    }

    @Test
    void rejectsAServerThatDidNotUnderstand() throws IOException {
        assertRejected(accepted("Sec-WebSocket-Key: other", ""), "the server accepted another WebSocket key");
        assertRejected(null, "Upgrade: websocket\r\n", "Upgrade: h2c\r\n", "the server switched to another protocol");
        assertRejected(
                "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                "",
                "",
                "the server selected an extension nobody offered");
        assertRejected("Sec-WebSocket-Protocol: x\r\n", "", "", "the server selected a subprotocol nobody offered");
        assertRejected("what is this\r\n\r\n", "the upgrade was not answered in HTTP");
        assertRejected("", "connection lost before the upgrade");
    }

    @Test
    void silenceIsBounded() throws IOException {
        var uri = server((peer, request) -> assertThat(peer.isHungUp()).isTrue());
        var client = new WebSocketClient(WireSettingsTest.with("connect-timeout = 2s"));

        assertThat(Rig.failure(client.connect(rig.loops.next(), uri, new DefaultHttpHeaders())))
                .hasMessage("no answer to the upgrade in time");
    }

    @Test
    void aClosedPortIsRefused() throws IOException {
        int port;
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = taken.getLocalPort();
        }

        assertThat(Rig.failure(connect(URI.create("ws://127.0.0.1:" + port + "/?key=secret"))))
                .isInstanceOf(ConnectException.class)
                .message()
                .doesNotContain("secret");
    }

    @Test
    void aNameNobodyHasIsUnknown() {
        assertThat(Rig.failure(connect(URI.create("ws://nobody.invalid/")))).isInstanceOf(UnknownHostException.class);
    }

    @Test
    void anotherSchemeIsNoWebSocket() {
        assertThatThrownBy(() -> connect(URI.create("https://here/?key=secret")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("scheme https, host here (expected: ws or wss, and a host)");
    }

    @Test
    void talksOverTlsOnlyWithWhomItTrusts(@TempDir Path directory) throws Exception {
        var store = directory.resolve("keys.p12");
        var keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "here",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "SAN=dns:localhost",
                        "-keystore",
                        store.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "changeit")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(keytool.waitFor(120, TimeUnit.SECONDS)).isTrue();
        var keys = KeyStore.getInstance("PKCS12");
        try (var in = Files.newInputStream(store)) {
            keys.load(in, "changeit".toCharArray());
        }
        var keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keyManagers.init(keys, "changeit".toCharArray());
        var trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trustManagers.init(keys);
        var server = rig.serve(
                Rig.defaults(), SslContextBuilder.forServer(keyManagers).build(), request -> Rig.upgrade(rig::echo));
        var uri = URI.create("wss://localhost:" + server.address().getPort() + "/");
        var trusting = new WebSocketClient(
                PATIENT,
                SslContextBuilder.forClient().trustManager(trustManagers).build());
        int count = 120;

        var lengths = Rig.get(trusting.connect(rig.loops.next(), uri, new DefaultHttpHeaders())
                .thenCompose(socket -> rig.run(
                        socket,
                        Source.range(1, count)
                                .map(number -> Frame.text(Raw.numbered(number, number * 1000)))
                                .concat(Source.maybe())
                                .via(Streams.flow(socket))
                                .map(frame -> take(frame).length())
                                .take(count)
                                .toMat(Sink.seq(), Keep.right()))));
        assertThat(lengths).hasSize(count).startsWith(1000, 2000).endsWith(count * 1000);

        assertThat(Rig.failure(connect(uri))).isInstanceOf(SSLException.class);
        assertThat(Rig.failure(trusting.connect(
                        rig.loops.next(),
                        URI.create("wss://127.0.0.1:" + server.address().getPort() + "/"),
                        new DefaultHttpHeaders())))
                .isInstanceOf(SSLException.class);
    }

    private void assertRejected(String answer, String message) throws IOException {
        var uri = server((peer, request) -> peer.write(answer));
        assertThat(Rig.failure(connect(uri))).isInstanceOf(IOException.class).hasMessage(message);
    }

    private void assertRejected(
            @org.jspecify.annotations.Nullable String more, String old, String changed, String message)
            throws IOException {
        var uri = server((peer, request) ->
                peer.write(accepted(request, more == null ? "" : more).replace(old.isEmpty() ? "\0" : old, changed)));
        assertThat(Rig.failure(connect(uri))).isInstanceOf(IOException.class).hasMessage(message);
    }

    private CompletionStage<WebSocket> connect(URI uri) {
        return connect(uri, new DefaultHttpHeaders());
    }

    private CompletionStage<WebSocket> connect(URI uri, HttpHeaders headers) {
        return new WebSocketClient(PATIENT).connect(rig.loops.next(), uri, headers);
    }

    /** A server that plays a script to its one caller and hangs up. What fails in it fails the test's close. */
    private URI server(Script script) throws IOException {
        var listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var played = new CompletableFuture<Void>();
        Thread.ofVirtual().start(() -> {
            try (var peer = new Raw(listening.accept())) {
                script.play(peer, peer.readHead());
                played.complete(null);
            } catch (IOException | AssertionError failed) {
                played.completeExceptionally(failed);
            }
        });
        open.add(() -> {
            listening.close();
            Rig.get(played);
        });
        return URI.create("ws://127.0.0.1:" + listening.getLocalPort() + "/");
    }

    private static String accepted(String request, String more) {
        var key = request.lines()
                .filter(line -> line.regionMatches(true, 0, "sec-websocket-key:", 0, 18))
                .map(line -> line.substring(18).trim())
                .findFirst()
                .orElseThrow();
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                + Handshake.accept(key) + "\r\n" + more + "\r\n";
    }

    private static String take(Frame frame) {
        var text = frame.utf8();
        frame.release();
        return text;
    }
}
