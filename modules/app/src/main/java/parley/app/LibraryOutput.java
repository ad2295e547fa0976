package parley.app;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Console;

/**
 * What libraries print through Scala's console, such as {@code # stop …} when a projection ends: a line of the log at
 * DEBUG each. Standard output is for what Parley says to whoever started it.
 */
final class LibraryOutput extends OutputStream {
    private static final Logger LOG = LoggerFactory.getLogger(LibraryOutput.class);
    private static final int LONGEST = 1000;

    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    private LibraryOutput() {}

    /** Runs something; the threads that are started in it, and by those, are meant as well. */
    static void inLog(Runnable what) {
        Console.withOut(new LibraryOutput(), () -> {
            what.run();
            return null;
        });
    }

    @Override
    public synchronized void write(int character) {
        if (character != '\n' && line.size() < LONGEST) {
            line.write(character);
            return;
        }
        LOG.debug("a library says: {}", line.toString(StandardCharsets.UTF_8).strip());
        line.reset();
    }
}
