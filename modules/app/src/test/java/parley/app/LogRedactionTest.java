package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

    /** What the shipped configuration writes to standard error, or to a file where the console is replaced by one. */
    private String logged(String from, String to) throws Exception {
        var file = directory.resolve("parley.log");
        var shipped = Files.readString(TestNode.home().resolve("modules/app/src/main/resources/logback.xml"));
        var configuration = shipped.replace(from, to.replace("FILE", file.toString()));
        assertThat(configuration).isNotEqualTo(shipped);
        var context = new LoggerContext();
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
        log.info("context");
        log.info("leaving: 67 conversations, 2571 ms, pekko://parley@node-1.example.com:17355, caller-12345678");
        context.stop();
        return Files.exists(file) ? Files.readString(file) : "";
    }

    @Test
    void noAddressAndNoNumberReachesTheFile() throws Exception {
        var text = logged(
                "class=\"ch.qos.logback.core.ConsoleAppender\">\n    <target>System.err</target>\n    <encoder><pattern>",
                "class=\"ch.qos.logback.core.FileAppender\">\n    <file>FILE</file>\n    <encoder><pattern>%mdc %kvp ");

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
                        "67 conversations, 2571 ms, pekko://parley@node-1.example.com:17355, caller-12345678")
                .doesNotContain("example.com,", "@example.com", "4111", "3704", "6789", "12345678Z", "151 2345678");
    }

    @Test
    void standardErrorIsNoWayAroundIt() throws Exception {
        var before = System.err;
        var written = new ByteArrayOutputStream();
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
        try {
            logged("<pattern>", "<pattern>here ");
        } finally {
            System.setErr(before);
        }

        assertThat(written.toString(StandardCharsets.UTF_8))
                .contains("here ", "card [card]", "mail [email]")
                .doesNotContain("4111", "anna@", "3704");
    }
}
