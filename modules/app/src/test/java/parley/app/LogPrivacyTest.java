package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;

/**
 * O4: secrets and what people are called, say and own, sent in by every way there is, while the node logs at DEBUG. None
 * of it is in the log, and the secrets are not even in what the log's last filter gets to see.
 */
@Tag("stream")
class LogPrivacyTest {
    private static final String API_TOKEN = "Qw7vB2kLmN9xZr4TtYp8HsDf3GjKc6Ae";
    private static final String JWT_SECRET = "Zx3cV5bN7mAs9dFg1hJk2lPo4iUy6tRe";
    private static final String PROVIDER_KEY = "sk-proj-Ab12Cd34Ef56Gh78Ij90";
    private static final String BREAK_GLASS = "Mn8bVc6xZa4sDf2gHj1kLq3wEr5tYu7i";

    private static final String EMAIL = "anna.petrova@example.com";
    private static final String CARD = "4111 1111 1111 1111";
    private static final String PHONE = "+49 151 23456789";
    private static final String WORDS = "my daughter Jelisaveta has diabetes";
    private static final List<String> PERSONAL =
            // Eight figures at least: fewer stand in the nanoseconds of some line's time.
            List.of(EMAIL, "anna.petrova", "4111 1111", "41111111", "23456789", "Jelisaveta", "diabetes");

    private static final Pattern SESSION = Pattern.compile("sess_[0-9a-z]{10,}");

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(30)).build();

    private final ConcurrentLinkedQueue<String> secrets = new ConcurrentLinkedQueue<>(
            List.of(API_TOKEN, JWT_SECRET, PROVIDER_KEY, PROVIDER_KEY.substring(3), BREAK_GLASS));

    /** What reaches the filter, and what it lets through, in the form that production writes. */
    private static final class Capture extends AppenderBase<ILoggingEvent> {
        private final ConcurrentLinkedQueue<String> raw = new ConcurrentLinkedQueue<>();
        private final ConcurrentLinkedQueue<String> written = new ConcurrentLinkedQueue<>();
        private final CountDownLatch providerLost = new CountDownLatch(1);
        private final LogEncoder encoder = new LogEncoder();
        private final RedactingAppender filter = new RedactingAppender();

        Capture(LoggerContext ofTheNode) {
            // Not the node's own: other tests write lines to read.
            var json = new LoggerContext();
            json.putObject(Logs.JSON, true);
            json.putProperty(Logs.NODE, "127.0.0.1:1");
            encoder.setContext(json);
            encoder.setPattern("%msg");
            encoder.start();
            filter.setContext(ofTheNode);
            var lines = new AppenderBase<ILoggingEvent>() {
                @Override
                protected void append(ILoggingEvent event) {
                    written.add(new String(encoder.encode(event), StandardCharsets.UTF_8));
                }
            };
            lines.setContext(ofTheNode);
            lines.start();
            filter.addAppender(lines);
            filter.start();
            setContext(ofTheNode);
            start();
        }

        @Override
        protected void append(ILoggingEvent event) {
            raw.add(event.getFormattedMessage()
                    + event.getMDCPropertyMap()
                    + event.getKeyValuePairs()
                    + (event.getThrowableProxy() == null
                            ? ""
                            : ThrowableProxyUtil.asString(event.getThrowableProxy())));
            filter.doAppend(event);
            if (event.getFormattedMessage().endsWith(" lost its provider: 1006")) {
                providerLost.countDown();
            }
        }
    }

    /** While another thread asks for the first logger, a substitute stands in. */
    private static LoggerContext context() {
        while (true) {
            if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
                return context;
            }
            Thread.onSpinWait();
        }
    }

    @Test
    void nothingOfItIsInTheLog() throws Exception {
        var context = context();
        var capture = new Capture(context);
        var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        var parley = context.getLogger("parley");
        var before = parley.getLevel();
        root.addAppender(capture);
        parley.setLevel(Level.DEBUG);
        try (var node = TestNode.start(Map.of(
                "parley.gateway.jwt.secret", JWT_SECRET,
                "parley.gateway.api-token", API_TOKEN,
                "parley.gateway.break-glass-token", BREAK_GLASS,
                "parley.provider.api-keys", PROVIDER_KEY,
                "parley.session.cost.alert-usd", 0.000001))) {
            context.getLogger("parley.app.LogPrivacyTest").info("the log is being captured");
            overHttp(node);
            overWebSockets(node);
            byOperators(node);
            assertThat(capture.providerLost.await(60, TimeUnit.SECONDS))
                    .as("a line that tells of a lost provider")
                    .isTrue();
        } finally {
            parley.setLevel(before);
            root.detachAppender(capture);
        }

        var written = String.join("", capture.written);
        var raw = String.join("\n", capture.raw);
        assertThat(written)
                .contains("the log is being captured")
                .contains("\"time\":\"", "\"level\":\"", "\"node\":\"");
        assertThat(capture.written).allMatch(line -> line.startsWith("{") && line.endsWith("}\n"));
        assertThat(lines(written, secrets)).as("secrets that were written").isEmpty();
        assertThat(lines(raw, secrets)).as("secrets that were logged").isEmpty();
        assertThat(lines(written, PERSONAL))
                .as("personal data that was written")
                .isEmpty();
        assertThat(lines(raw, PERSONAL)).as("personal data that was logged").isEmpty();
        assertSayWhomTheyConcern(capture.written);
    }

    /** Every line that is about a session has its fields; the trace, once there was a connection to have one. */
    private static void assertSayWhomTheyConcern(Iterable<String> written) throws Exception {
        var mapper = new ObjectMapper();
        var loggers = new HashSet<String>();
        var traced = new HashSet<String>();
        for (var text : written) {
            var line = mapper.readTree(text);
            var named = SESSION.matcher(line.path("message").asText());
            if (line.has("session") || named.find()) {
                loggers.add(line.path("logger").asText());
                assertThat(line.path("session").asText()).as(text).matches(SESSION);
                assertThat(line.path("user").asText()).as(text).startsWith("caller-");
                assertThat(line.path("tenant").asText()).as(text).isNotEmpty();
                if (line.path("message").asText().endsWith(" begins")) {
                    traced.add(line.path("session").asText());
                }
                if (traced.contains(line.path("session").asText())) {
                    assertThat(line.path("trace_id").asText()).as(text).hasSize(32);
                }
            }
        }
        assertThat(loggers).contains("parley.session.VoiceSession", "parley.session.Spending");
    }

    private static List<String> lines(String text, Iterable<String> found) {
        return text.lines()
                .filter(line -> {
                    for (var each : found) {
                        if (line.contains(each)) {
                            return true;
                        }
                    }
                    return false;
                })
                .collect(Collectors.toList());
    }

    private String token(TestNode node, String user, String... roles) {
        var token = Gateway.tokens(node.node().settings().gateway())
                .sign(new Tokens.Bearer(new CallerId(user, "acme"), List.of(roles)), Duration.ofMinutes(15));
        secrets.add(token);
        secrets.add(token.substring(token.lastIndexOf('.') + 1));
        return token;
    }

    private void overHttp(TestNode node) throws Exception {
        var token = token(node, EMAIL);
        var query = URLEncoder.encode(EMAIL, StandardCharsets.UTF_8);
        for (var path : List.of(
                "/" + query,
                "/v1/sessions/" + query,
                "/v1/sessions?name=" + query + "&token=" + token,
                "/v1/sessions/sess_001ji4du8y7colgebz2le7?resume_token=" + token,
                "/v1/realtime?model=simulator&token=" + token,
                "/admin/rollout/decision?user=" + query,
                "/admin/costs?from=" + query,
                "/api/v1/interviews/" + query + "/realtime/connect?token=" + token,
                "/v1/voice/health?" + query)) {
            for (var method : List.of("GET", "POST", "DELETE")) {
                for (var credential : List.of("Bearer " + token, "Bearer " + API_TOKEN, "Basic " + JWT_SECRET)) {
                    ask(
                            node.http(path),
                            method,
                            credential,
                            "{\"name\": \"" + EMAIL + "\", \"card\": \"" + CARD + "\"");
                }
            }
        }
        for (var body : List.of(
                "{\"model\": \"" + WORDS + "\", \"instructions\": \"" + WORDS + "\"}",
                "{\"voice\": " + PHONE + "}",
                WORDS,
                "{}")) {
            ask(node.http("/v1/sessions"), "POST", "Bearer " + token, body);
            ask(node.http("/v1/tickets"), "POST", "Bearer " + token, body);
            ask(node.http("/v1/tokens/refresh"), "POST", "Bearer " + token, body);
            ask(node.http("/ofrep/v1/evaluate/flags/voice-realtime"), "POST", "Bearer " + token, body);
        }
    }

    private void overWebSockets(TestNode node) throws Exception {
        for (var path : List.of("/v1/realtime", "/v1/ws/voice")) {
            talk(
                    node,
                    path + "?model=simulator&name=" + URLEncoder.encode(EMAIL, StandardCharsets.UTF_8),
                    List.of(
                            update(),
                            said("say exactly: " + WORDS + " " + EMAIL + " " + CARD),
                            "{\"type\":\"response.create\"}"),
                    "response.done");
            talk(
                    node,
                    path + "?model=simulator",
                    List.of(
                            tool(),
                            said("call_the_doctor for " + WORDS + ", " + PHONE),
                            "{\"type\":\"response.create\"}"),
                    "response.done");
            talk(node, path + "?model=simulator", List.of("{\"name\": \"" + EMAIL + "\""), "error");
            talk(node, path + "?model=simulator", List.of("{\"type\": \"" + WORDS + "\"}"), "error");
            talk(
                    node,
                    path + "?model=simulator",
                    List.of("{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + WORDS + "\"}"),
                    "error");
            talk(
                    node,
                    path + "?model=simulator:fail_response=server_error",
                    List.of(said(WORDS), "{\"type\":\"response.create\"}"),
                    "response.done");
            talk(node, path + "?model=simulator:refuse=401", List.of(said(WORDS)), "error");
            talk(node, path + "?model=simulator:cut_after_ms=300", List.of(said(WORDS)), "session.created");
            refused(node, path + "?ticket=" + token(node, EMAIL));
        }
        binary(node, token(node, EMAIL));
    }

    private void byOperators(TestNode node) throws Exception {
        var operator = token(node, EMAIL, "admin");
        var reason = "{\"reason\": \"" + WORDS + " " + EMAIL + "\", \"live\": \"close\"}";
        for (var credential : List.of(operator, API_TOKEN, BREAK_GLASS)) {
            ask(node.http("/admin/rollout/kill"), "POST", "Bearer " + credential, reason);
            ask(node.http("/admin/rollout/release"), "POST", "Bearer " + credential, reason);
            ask(node.http("/admin/rollout/promote"), "POST", "Bearer " + credential, reason);
            ask(node.http("/admin/rollout/history?limit=50"), "GET", "Bearer " + credential, "");
            ask(node.http("/admin/sessions"), "GET", "Bearer " + credential, "");
        }
        var user = URLEncoder.encode(EMAIL, StandardCharsets.UTF_8);
        assertThat(ask(
                        node.http("/admin/users/" + user + "?tenant=acme"),
                        "DELETE",
                        "Bearer " + operator,
                        "{\"reason\": \"" + EMAIL + " asks for it\"}"))
                .isLessThan(300);
    }

    private static int ask(URI at, String method, String credential, String body) throws Exception {
        var request = HttpRequest.newBuilder(at)
                .timeout(Duration.ofSeconds(60))
                .header("X-Name", EMAIL)
                .header("X-Api-Key", PROVIDER_KEY)
                .header("Cookie", "session=" + JWT_SECRET)
                .header("User-Agent", WORDS)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (!credential.isEmpty()) {
            request.header("Authorization", credential);
        }
        return HTTP.send(request.build(), BodyHandlers.discarding()).statusCode();
    }

    private void talk(TestNode node, String path, List<String> texts, String until) throws Exception {
        var heard = new CompletableFuture<Void>();
        var socket = HTTP.newWebSocketBuilder()
                .header("Authorization", "Bearer " + token(node, EMAIL))
                .buildAsync(node.ws(path), new Ear("\"type\":\"" + until + "\"", heard))
                .get(60, TimeUnit.SECONDS);
        for (var text : texts) {
            if (!socket.isOutputClosed()) {
                socket.sendText(text, true).exceptionally(closed -> socket).get(60, TimeUnit.SECONDS);
            }
        }
        heard.get(60, TimeUnit.SECONDS);
        socket.abort();
    }

    /** Until an event, or until the server has closed. */
    private record Ear(String event, CompletableFuture<Void> heard, StringBuilder message)
            implements WebSocket.Listener {
        Ear(String event, CompletableFuture<Void> heard) {
            this(event, heard, new StringBuilder());
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            message.append(part);
            if (last) {
                if (message.indexOf(event) >= 0) {
                    heard.complete(null);
                }
                message.setLength(0);
            }
            from.request(1);
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            heard.complete(null);
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void onError(WebSocket from, Throwable broken) {
            heard.complete(null);
        }
    }

    private static void refused(TestNode node, String path) {
        try {
            HTTP.newWebSocketBuilder()
                    .buildAsync(node.ws(path), new WebSocket.Listener() {})
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join()
                    .abort();
        } catch (CompletionException asItShould) {
            assertThat(asItShould).hasMessageContaining("WebSocketHandshakeException");
        }
    }

    private static void binary(TestNode node, String token) throws Exception {
        var closed = new CompletableFuture<Void>();
        HTTP.newWebSocketBuilder()
                .header("Authorization", "Bearer " + token)
                .buildAsync(node.ws("/v1/realtime?model=simulator"), new Ear("never", closed))
                .get(60, TimeUnit.SECONDS)
                .sendBinary(ByteBuffer.wrap(WORDS.getBytes(StandardCharsets.UTF_8)), true)
                .get(60, TimeUnit.SECONDS);
        closed.get(60, TimeUnit.SECONDS);
    }

    private static String update() {
        return "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"instructions\":\"" + WORDS + "\"}}";
    }

    private static String tool() {
        return "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"tools\":[{\"type\":\"function\","
                + "\"name\":\"call_the_doctor\",\"description\":\"" + WORDS + "\",\"parameters\":{\"type\":\"object\","
                + "\"properties\":{\"patient\":{\"type\":\"string\",\"enum\":[\"" + EMAIL + "\"]}}}}]}}";
    }

    private static String said(String text) {
        return "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\",\"content\":"
                + "[{\"type\":\"input_text\",\"text\":\"" + text + "\"}]}}";
    }
}
