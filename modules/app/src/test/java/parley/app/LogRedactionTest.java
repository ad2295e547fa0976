package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** O4: the log configuration that ships, and what it writes. */
@Tag("unit")
class LogRedactionTest {
    private static final String CARD = "4111 1111 1111 1111";
    private static final String IBAN = "DE89 3704 0044 0532 0130 00";

    @TempDir
    private Path directory;

    /**
     * What the shipped configuration writes to standard error, or to a file where the console is replaced by one.
     *
     * @param changes to the configuration: what, by what, and so on
     */
    private String logged(boolean json, String... changes) throws Exception {
        var file = directory.resolve("parley.log");
        var shipped = Files.readString(TestNode.home().resolve("modules/app/src/main/resources/logback.xml"));
        var configuration = shipped;
        for (int at = 0; at < changes.length; at += 2) {
            assertThat(configuration).contains(changes[at]);
            configuration = configuration.replace(changes[at], changes[at + 1].replace("FILE", file.toString()));
        }
        var context = new LoggerContext();
        if (json) {
            context.putObject(Logs.JSON, true);
            context.putProperty(Logs.NODE, "10.0.0.5:17355");
        }
        context.putObject(Logs.CONFIDENTIAL, new Confidential(List.of("correct horse battery")));
        context.setMDCAdapter(new LogbackMDCAdapter());
        var configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(new java.io.ByteArrayInputStream(configuration.getBytes(StandardCharsets.UTF_8)));
        var log = context.getLogger("parley.session.Some");
        log.info("mail anna@example.com, call +49 151 2345678");
        log.info("card {} and {}", CARD, "four one one one one one one one");
        log.warn(
                "iban {} id {}",
                IBAN,
                "123-45-6789",
                new IllegalStateException(
                        "caused by " + CARD, new IllegalArgumentException("no such user: bert@example.com")));
        var suppressing = new IllegalStateException("outer");
        suppressing.addSuppressed(new IllegalStateException("DNI 12345678Z"));
        log.error("failed", suppressing);
        log.atInfo().addKeyValue("who", "carl@example.com").log("key");
        context.getMDCAdapter().put("user", "dora@example.com");
        context.getMDCAdapter().put("trace_id", "0af7651916cd43dd8448eb211c80319c");
        log.info("context");
        log.info("it is correct horse battery, sk-proj-abcdefghijklmnop, Bearer abcdefgh, ?token=abcdefgh&x=1");
        log.info("{} and postgresql://parley:hunter22@db.internal/calls", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln");
        log.info("first\n09:00:00.000 ERROR forged");
        log.info("leaving: 67 conversations, 2571 ms, pekko://parley@node-1.example.com:17355, caller-12345678");
        context.stop();
        return Files.exists(file) ? Files.readString(file) : "";
    }

    @Test
    void noAddressAndNoNumberReachesTheFile() throws Exception {
        var text = logged(
                false,
                "class=\"ch.qos.logback.core.ConsoleAppender\">\n    <target>System.err</target>",
                "class=\"ch.qos.logback.core.FileAppender\">\n    <file>FILE</file>",
                "<pattern>",
                "<pattern>%mdc %kvp ");

        assertThat(text)
                .contains(
                        "mail [email], call [phone]",
                        "card [card] and [digits]",
                        "iban [iban] id [id]",
                        "caused by [card]",
                        "no such user: [email]",
                        "DNI [id]",
                        "who=\"[email]\"",
                        "user=[email]",
                        "it is [secret], sk-[secret], Bearer [secret], ?token=[secret]&x=1",
                        "[secret] and postgresql://[secret]@db.internal/calls",
                        "first | 09:00:00.000 ERROR forged",
                        "67 conversations, 2571 ms, pekko://parley@node-1.example.com:17355, caller-12345678")
                .doesNotContain("example.com,", "@example.com", "4111", "3704", "6789", "12345678Z", "151 2345678");
    }

    @Test
    void inProductionALineIsAnObject() throws Exception {
        var lines = logged(
                        true,
                        "class=\"ch.qos.logback.core.ConsoleAppender\">\n    <target>System.err</target>",
                        "class=\"ch.qos.logback.core.FileAppender\">\n    <file>FILE</file>")
                .lines()
                .toList();

        var mapper = new ObjectMapper();
        for (var line : lines) {
            assertThat(mapper.readTree(line).fieldNames())
                    .toIterable()
                    .contains("time", "level", "logger", "message", "node", "thread");
        }
        var warned = mapper.readTree(lines.get(2));
        assertThat(Instant.parse(warned.path("time").asText())).isNotNull();
        assertThat(warned.path("level").asText()).isEqualTo("WARN");
        assertThat(warned.path("logger").asText()).isEqualTo("parley.session.Some");
        assertThat(warned.path("node").asText()).isEqualTo("10.0.0.5:17355");
        assertThat(warned.path("error").path("type").asText()).isEqualTo("java.lang.IllegalStateException");
        assertThat(warned.path("error").path("message").asText()).isEqualTo("caused by [card]");
        assertThat(warned.path("error").path("stack").asText()).contains("no such user: [email]");
        assertThat(mapper.readTree(lines.get(4)).path("who").asText()).isEqualTo("[email]");
        var context = mapper.readTree(lines.get(5));
        assertThat(context.path("user").asText()).isEqualTo("[email]");
        assertThat(context.path("trace_id").asText()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
        assertThat(String.join("", lines)).doesNotContain("@example.com", "4111", "hunter22", "horse", "c2ln");
    }

    @Test
    void standardErrorIsNoWayAroundIt() throws Exception {
        var before = System.err;
        var written = new ByteArrayOutputStream();
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
        try {
            logged(false, "<pattern>", "<pattern>here ");
        } finally {
            System.setErr(before);
        }

        assertThat(written.toString(StandardCharsets.UTF_8))
                .contains("here ", "card [card]", "mail [email]")
                .doesNotContain("4111", "anna@", "3704");
    }
}
