package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * O4: what is written on behalf of a session says of whom. {@code LogPrivacyTest} looks at the lines of a node that runs;
 * this one at those that only a fault writes.
 */
@Tag("unit")
@Execution(ExecutionMode.CONCURRENT)
class SessionLinesTest {
    /** They serve a node, or many sessions at once. Whoever serves one logs within {@code LogFields.around}. */
    private static final Set<String> FOR_NOBODY = Set.of(
            "DeathWatch",
            "JournalErasure",
            "JournalWatch",
            "LeavePermit",
            "LinkConnection",
            "Probes",
            "Retention",
            "Sweep",
            "UsedOnceTable");

    private static final List<String> SERVE_ONE = List.of(
            "gateway/src/main/java/parley/gateway/FaceHandler.java",
            "gateway/src/main/java/parley/gateway/Interviews.java",
            "wire/src/main/java/parley/wire/Pipe.java",
            "wire/src/main/java/parley/wire/WebSocket.java");

    private static final Pattern LINE = Pattern.compile("(around\\(\\s*\\(\\) ->\\s*)?LOG\\s*\\.\\w+\\(");

    @Test
    void aLineOnBehalfOfASessionSaysOfWhom() throws IOException {
        var modules = TestNode.home().resolve("modules");
        var files = new ArrayList<Path>(SERVE_ONE.stream().map(modules::resolve).toList());
        try (var session = Files.list(modules.resolve("session/src/main/java/parley/session"))) {
            session.filter(file ->
                            !FOR_NOBODY.contains(file.getFileName().toString().replace(".java", "")))
                    .forEach(files::add);
        }

        var bare = new ArrayList<String>();
        int lines = 0;
        for (var file : files) {
            for (var line = LINE.matcher(Files.readString(file)); line.find(); lines++) {
                if (line.group(1) == null) {
                    bare.add(file.getFileName() + ": " + line.group());
                }
            }
        }
        assertThat(bare).as("lines without a session's fields").isEmpty();
        assertThat(lines).isGreaterThan(10);
    }
}
