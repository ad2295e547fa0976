package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import com.typesafe.config.ConfigFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** O4: what an error tracker gets, and what it never gets. */
@Tag("route")
class ErrorTrackerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SECRET = "4f1c9a7be2d03856aa17c4d9e8b2f60c";

    private static AppSettings settings(String dsn) {
        var config = ConfigFactory.parseMap(Map.of(
                        "parley.gateway.jwt.secret",
                        SECRET,
                        "parley.app.simulated",
                        true,
                        "parley.app.log.format",
                        "json",
                        "parley.app.sentry.dsn",
                        dsn))
                .withFallback(AppSettings.load(TestNode.home(), "development"))
                .resolve();
        var reading = AppSettings.read(config);
        assertThat(reading.errors()).isEmpty();
        return java.util.Objects.requireNonNull(reading.settings());
    }

    /** The configuration that ships, in a context of its own. */
    private static LoggerContext logs() throws Exception {
        var context = new LoggerContext();
        context.setMDCAdapter(new LogbackMDCAdapter());
        var configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(new ByteArrayInputStream(
                Files.readAllBytes(TestNode.home().resolve("modules/app/src/main/resources/logback.xml"))));
        return context;
    }

    @Test
    void anErrorIsReportedRedactedAndNothingElseIs() throws Exception {
        var bodies = new LinkedBlockingQueue<String>();
        var server = receiver(bodies);
        var context = logs();
        var settings = settings("http://public@127.0.0.1:" + server.getAddress().getPort() + "/42");
        var reporting = Logs.begin(context, settings);
        try (reporting) {
            var log = context.getLogger("parley.session.Some");
            log.warn("a warning stays here");
            log.atError()
                    .addKeyValue("session", "sess_1")
                    .addKeyValue("tenant", "acme")
                    .addKeyValue("user", "caller-12")
                    .setCause(new IllegalStateException(
                            "no such user: bert@example.com", new IllegalArgumentException("token " + SECRET)))
                    .log("call {} failed with {}", "anna@example.com", SECRET);

            var report = event(bodies.poll(30, TimeUnit.SECONDS));

            assertThat(report.path("message").path("formatted").asText())
                    .isEqualTo("call [email] failed with [secret]");
            assertThat(report.path("level").asText()).isEqualTo("error");
            assertThat(report.path("logger").asText()).isEqualTo("parley.session.Some");
            assertThat(report.path("tags").path("session").asText()).isEqualTo("sess_1");
            assertThat(report.path("tags").path("service").asText()).isEqualTo("realtime");
            assertThat(report.path("user").path("id").asText()).isEqualTo("caller-12");
            assertThat(report.path("user").path("ip_address").isMissingNode()).isTrue();
            var exceptions = report.path("exception").path("values");
            assertThat(exceptions).hasSize(2);
            assertThat(exceptions.get(0).path("value").asText()).isEqualTo("token [secret]");
            assertThat(exceptions.get(1).path("value").asText()).isEqualTo("no such user: [email]");
            assertThat(exceptions.get(1).path("stacktrace").path("frames")).isNotEmpty();
            assertThat(report.toString())
                    .doesNotContain(
                            SECRET, "@example.com", InetAddress.getLocalHost().getHostName() + "\"");
            assertThat(bodies).isEmpty();
        } finally {
            context.stop();
            server.stop(0);
        }
    }

    @Test
    void aTrackerThatIsNotThereHoldsNobodyUp() throws Exception {
        int nobody;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = free.getLocalPort();
        }
        var context = logs();
        var reporting = Logs.begin(context, settings("http://public@127.0.0.1:" + nobody + "/42"));
        try (reporting) {
            var log = context.getLogger("parley.session.Some");
            for (int number = 0; number < 100; number++) {
                log.error("lost {}", number);
            }
        } finally {
            context.stop();
        }
    }

    private static HttpServer receiver(BlockingQueue<String> bodies) throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/42/envelope/", exchange -> {
            var body = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))
                    ? new GZIPInputStream(exchange.getRequestBody())
                    : exchange.getRequestBody();
            bodies.add(new String(body.readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.start();
        return server;
    }

    /** An envelope is lines: its header, the item's header, the item. */
    private static JsonNode event(String envelope) throws IOException {
        assertThat(envelope).as("a report within 30 s").isNotNull();
        return JSON.readTree(envelope.lines().toList().get(2));
    }
}
