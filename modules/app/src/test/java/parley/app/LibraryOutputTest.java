package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import scala.Predef;

/** What a library prints is no word of Parley's to whoever started it. */
@Tag("unit")
class LibraryOutputTest {
    @Test
    void itIsALineOfTheLogFromThreadsThatWereStartedThenAsWell() {
        var log = (Logger) LoggerFactory.getLogger(LibraryOutput.class);
        var lines = new ListAppender<ILoggingEvent>();
        lines.start();
        log.setLevel(Level.DEBUG);
        log.setAdditive(false);
        log.addAppender(lines);
        var before = System.out;
        var printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            LibraryOutput.inLog(() -> {
                Predef.println("# stop one");
                var thread = new Thread(() -> Predef.println("# stop two"));
                thread.start();
                try {
                    thread.join(TimeUnit.MINUTES.toMillis(1));
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
                System.out.println("parley ready");
            });
        } finally {
            System.setOut(before);
            log.detachAppender(lines);
            log.setAdditive(true);
            log.setLevel(null);
        }

        assertThat(lines.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly("a library says: # stop one", "a library says: # stop two");
        assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualTo("parley ready" + System.lineSeparator());
    }
}
