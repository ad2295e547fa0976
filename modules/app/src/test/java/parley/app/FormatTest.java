package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.ImportOrderer;
import com.palantir.javaformat.java.JavaFormatterOptions;
import com.palantir.javaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The formatter ends discussions. It runs here because Maven itself may run on a JDK older than the sources. */
@Tag("unit")
@Execution(ExecutionMode.CONCURRENT)
class FormatTest {
    private static final JavaFormatterOptions.Style STYLE = JavaFormatterOptions.Style.PALANTIR;
    private static final Formatter FORMATTER = Formatter.createFormatter(
            JavaFormatterOptions.builder().style(STYLE).build());

    @Test
    void everySourceIsFormatted() throws IOException {
        var modules = TestNode.home().resolve("modules");

        try (var files = Files.walk(modules)) {
            var unformatted = files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file ->
                            modules.relativize(file).getName(1).toString().equals("src"))
                    .filter(file -> !isFormatted(file))
                    .map(modules::relativize)
                    .toList();
            assertThat(unformatted).as("run scripts/format").isEqualTo(List.of());
        }
    }

    private static boolean isFormatted(Path file) {
        try {
            var source = Files.readString(file);
            var ordered = ImportOrderer.reorderImports(RemoveUnusedImports.removeUnusedImports(source), STYLE);
            return FORMATTER.formatSource(ordered).equals(source);
        } catch (FormatterException unparsable) {
            return false;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
