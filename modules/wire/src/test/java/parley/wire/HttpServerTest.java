package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class HttpServerTest {
    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void aConnectionServesOneRequestAfterAnother() throws IOException {
        try (var raw = Raw.to(paths())) {
            raw.write(get("/one"));
            assertThat(raw.readHead()).startsWith("HTTP/1.1 200 OK").contains("content-length: 4\r\n");
            assertThat(raw.readText(4)).isEqualTo("/one");

            raw.write(get("/two"));
            raw.readHead();
            assertThat(raw.readText(4)).isEqualTo("/two");
        }
    }

    @Test
    void requestsInOneSegmentAreHandledOneAtATimeAndAnsweredInOrder() throws IOException {
        var first = new CompletableFuture<HttpServer.Reply>();
        var asked = new AtomicInteger();
        var server = rig.serve(
                Rig.defaults(), null, request -> asked.incrementAndGet() == 1 ? first : Rig.now(Rig.answer("two")));
        try (var raw = Raw.to(server)) {
            raw.write(get("/one") + get("/two"));
            rig.await("the first request", () -> asked.get() == 1);
            assertThat(rig.settled(asked::get)).isEqualTo(1);
            first.complete(Rig.answer("one"));

            raw.readHead();
            assertThat(raw.readText(3)).isEqualTo("one");
            raw.readHead();
            assertThat(raw.readText(3)).isEqualTo("two");
        }
    }

    @Test
    void aThousandRequestsInOneSegmentAreNotAThousandCallsDeep() throws IOException {
        try (var raw = Raw.to(paths())) {
            raw.write(get("/").repeat(1000));

            for (int answer = 0; answer < 1000; answer++) {
                raw.readHead();
                assertThat(raw.readText(1)).isEqualTo("/");
            }
        }
    }

    @Test
    void aBodyOverTheLimitIsRefusedAndTheConnectionGoesOn() throws IOException {
        var server =
                rig.serve(WireSettingsTest.with("max-request = 100 B"), null, request -> Rig.now(Rig.answer("ok")));
        try (var raw = Raw.to(server)) {
            raw.write("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 101\r\n\r\n" + "x".repeat(101) + get("/"));

            assertThat(raw.readHead()).startsWith("HTTP/1.1 413");
            assertThat(raw.readHead()).startsWith("HTTP/1.1 200");
            assertThat(raw.readText(2)).isEqualTo("ok");
        }
    }

    @Test
    void aChunkedBodyOverTheLimitEndsTheConnection() throws IOException {
        var server =
                rig.serve(WireSettingsTest.with("max-request = 100 B"), null, request -> Rig.now(Rig.answer("ok")));
        try (var raw = Raw.to(server)) {
            raw.write("POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + "x".repeat(101));

            assertThat(raw.readHead()).startsWith("HTTP/1.1 413").contains("connection: close");
            assertThat(raw.isHungUp()).isTrue();
        }
    }

    @Test
    void aBodyOfTheLimitArrivesWhole() throws IOException {
        var server = rig.serve(
                WireSettingsTest.with("max-request = 100 B"),
                null,
                request -> Rig.now(Rig.answer(request.content().toString(StandardCharsets.UTF_8))));
        try (var raw = Raw.to(server)) {
            raw.write("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n" + "x".repeat(100));

            raw.readHead();
            assertThat(raw.readText(100)).isEqualTo("x".repeat(100));
        }
    }

    @Test
    void aMalformedRequestIsAnswered400AndEndsTheConnection() throws IOException {
        try (var raw = Raw.to(paths())) {
            raw.write("NONSENSE\r\n\r\n");

            assertThat(raw.readHead()).startsWith("HTTP/1.1 400");
            assertThat(raw.readToEnd()).isEqualTo("malformed HTTP request\n");
        }
    }

    @Test
    void aFaultIsAnswered500WithoutDetailAndReported() throws IOException {
        var fault = new IllegalStateException("secret");
        var server = rig.serve(Rig.defaults(), null, request -> switch (request.uri()) {
            case "/thrown" -> throw fault;
            case "/null" -> null;
            default -> CompletableFuture.failedFuture(fault);
        });
        for (var path : new String[] {"/thrown", "/failed", "/null"}) {
            try (var raw = Raw.to(server)) {
                raw.write(get(path));
                assertThat(raw.readHead()).startsWith("HTTP/1.1 500");
                assertThat(raw.readToEnd()).isEqualTo("internal error\n");
            }
        }
        rig.await("three reports", () -> rig.faults.size() == 3);
    }

    @Test
    void aHeadIsAnsweredWithTheLengthAndNoBody() throws IOException {
        try (var raw = Raw.to(paths())) {
            raw.write("HEAD /four HTTP/1.1\r\nHost: here\r\n\r\n" + get("/"));

            assertThat(raw.readHead()).contains("content-length: 5\r\n");
            assertThat(raw.readHead()).startsWith("HTTP/1.1 200");
        }
    }

    @Test
    void aStreamedBodyComesInChunksAndTheConnectionGoesOn() throws IOException {
        try (var raw = Raw.to(
                streaming(Source.from(java.util.List.of(ByteString.fromString("ab"), ByteString.fromString("c")))))) {
            raw.write(get("/") + "HEAD / HTTP/1.1\r\nHost: here\r\n\r\n" + get("/"));

            assertThat(raw.readHead()).contains("transfer-encoding: chunked");
            assertThat(raw.readText(18)).isEqualTo("2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
            assertThat(raw.readHead()).contains("transfer-encoding: chunked");
            raw.readHead();
            assertThat(raw.readText(18)).startsWith("2\r\nab");
        }
    }

    @Test
    void aHeadDoesNotRunAnEndlessBody() throws IOException {
        try (var raw = Raw.to(streaming(Source.repeat(ByteString.fromString("on and on"))))) {
            raw.write("HEAD / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");

            assertThat(raw.readHead()).startsWith("HTTP/1.1 200");
            assertThat(raw.readToEnd()).isEmpty();
        }
    }

    @Test
    void anOldClientGetsAStreamedBodyWithoutChunks() throws IOException {
        try (var raw = Raw.to(streaming(Source.single(ByteString.fromString("abc"))))) {
            raw.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

            assertThat(raw.readHead()).doesNotContain("chunked");
            assertThat(raw.readToEnd()).isEqualTo("abc");
        }
    }

    @Test
    void aStreamedBodyStopsWhenItsConnectionEnds() throws IOException {
        var ended = new CompletableFuture<Object>();
        Source<ByteString, ?> quiet = Source.<ByteString>maybe().watchTermination((value, done) -> {
            done.whenComplete((ok, failure) -> ended.complete("ended"));
            return value;
        });
        var server =
                rig.serve(WireSettingsTest.with("request-timeout = 2s"), null, request -> Rig.now(streamed(quiet)));
        try (var raw = Raw.to(server)) {
            raw.write(get("/"));
            raw.readHead();

            assertThat(Rig.get(ended)).isEqualTo("ended");
        }
    }

    @Test
    void aStreamedBodyThatFailsCutsTheConnection() throws IOException {
        try (var raw = Raw.to(streaming(Source.failed(new IllegalStateException("broken"))))) {
            raw.write(get("/"));
            raw.readHead();

            assertThat(raw.readToEnd()).isEmpty();
        }
    }

    @Test
    void aSilentConnectionIsClosed() throws IOException {
        var server =
                rig.serve(WireSettingsTest.with("request-timeout = 100ms"), null, request -> Rig.now(Rig.answer("ok")));
        try (var raw = Raw.to(server)) {
            assertThat(raw.isHungUp()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GET / HTTP/1.1\r\nHost: here\r\n\r\n"})
    void aRequestThatComesByteByByteKeepsNothingOpen(String before) throws IOException {
        var server =
                rig.serve(WireSettingsTest.with("request-timeout = 2s"), null, request -> Rig.now(Rig.answer("ok")));
        try (var raw = Raw.to(server)) {
            raw.write(before);
            raw.write("GET / HTTP/1.1\r\nHost: here\r\nX: ");
            int sent = 0;
            try {
                for (; sent < 1000; sent++) {
                    raw.write("x");
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(60));
                }
            } catch (IOException closed) {
                assertThat(sent).isPositive();
            }

            assertThat(sent).as("bytes in a minute").isLessThan(1000);
        }
    }

    @Test
    void aPeerThatLeavesBeforeItsAnswerCostsNothing() throws IOException {
        var late = new CompletableFuture<HttpServer.Reply>();
        var asked = new AtomicInteger();
        var server = rig.serve(Rig.defaults(), null, request -> {
            asked.incrementAndGet();
            return late;
        });
        try (var raw = Raw.to(server)) {
            raw.write(get("/"));
            rig.await("the request", () -> asked.get() == 1);
            raw.kill();
        }
        late.complete(Rig.answer("too late"));

        rig.await("no connection", () -> server.connections() == 0);
    }

    @Test
    void aTakenAddressIsRefused() {
        var taken = paths().address();

        var second =
                HttpServer.bind(rig.loops, taken, null, Rig.defaults(), rig.materializer, new HttpServer.Handler() {
                    @Override
                    public java.util.concurrent.CompletionStage<HttpServer.Reply> handle(
                            io.netty.handler.codec.http.FullHttpRequest request, HttpServer.Connection connection) {
                        return Rig.now(Rig.answer(""));
                    }

                    @Override
                    public void onFault(String method, String path, Throwable fault) {}
                });

        assertThat(Rig.failure(second)).isInstanceOf(java.net.BindException.class);
    }

    @Test
    void unbindingLeavesOpenConnectionsAndClosingDoesNot() throws IOException {
        var server = paths();
        try (var raw = Raw.to(server)) {
            raw.write(get("/one"));
            raw.readHead();
            raw.readText(4);
            Rig.get(server.unbind());
            raw.write(get("/two"));
            raw.readHead();
            assertThat(raw.readText(4)).isEqualTo("/two");

            Rig.get(server.close());
            assertThat(raw.isHungUp()).isTrue();
        }
    }

    @Test
    void anUpgradeThatIsNoneIsRefused() throws IOException {
        var server = rig.echo();
        try (var raw = Raw.to(server)) {
            raw.write(get("/"));
            assertThat(raw.readHead()).startsWith("HTTP/1.1 400");
        }
        try (var raw = Raw.to(server)) {
            raw.write(new String(Raw.upgrade(), StandardCharsets.UTF_8).replace("Version: 13", "Version: 8"));
            assertThat(raw.readHead()).startsWith("HTTP/1.1 426").contains("sec-websocket-version: 13");
        }
    }

    private HttpServer paths() {
        return rig.serve(Rig.defaults(), null, request -> Rig.now(Rig.answer(request.uri())));
    }

    private HttpServer streaming(Source<ByteString, ?> body) {
        return rig.serve(Rig.defaults(), null, request -> Rig.now(streamed(body)));
    }

    private static HttpServer.Reply streamed(Source<ByteString, ?> body) {
        return new HttpServer.Reply.Streamed(
                new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK),
                body.mapMaterializedValue(value -> Keep.left()));
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n";
    }
}
