package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The scripts of {@code src/test/page}: each scenario runs in a Node process, with a headless chromium of its own. Their
 * screenshots are left in {@code target/page}.
 *
 * <p>Where there is no browser or no Node the tests are left out; where {@code CI} is set they fail.
 */
final class PageScripts {
    private static final Path SCRIPTS = Path.of("src/test/page").toAbsolutePath();
    private static final Path SHOTS = Path.of("target/page").toAbsolutePath();
    private static final Duration INSTALLING = Duration.ofMinutes(2);
    private static final Duration RUNNING = Duration.ofMinutes(4);

    private final Path chromium;

    private PageScripts(Path chromium) {
        this.chromium = chromium;
    }

    /** Installs what they need, the first time. */
    static PageScripts ready() throws Exception {
        var chromium = Stream.of(
                        Objects.requireNonNullElse(System.getenv("CHROMIUM"), "/usr/bin/chromium"),
                        "/usr/bin/chromium-browser",
                        "/usr/bin/google-chrome")
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> missing("chromium is not installed, and CHROMIUM names no other place of it"));
        Files.createDirectories(SHOTS);
        // npm leaves this file when it is done.
        if (!Files.exists(SCRIPTS.resolve("node_modules/.package-lock.json"))) {
            run(INSTALLING, Map.of(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
        }
        return new PageScripts(chromium);
    }

    /**
     * Runs a scenario to its end, which must be a good one.
     *
     * @param more environment besides the node's address and where the browser and the screenshots are
     */
    void play(String script, String scenario, TestNode node, Map<String, String> more) throws Exception {
        var environment = new java.util.HashMap<>(more);
        environment.put("NODE_URL", node.http("").toString());
        environment.put("CHROMIUM", chromium.toString());
        environment.put("SHOTS", SHOTS.toString());
        run(RUNNING, environment, "node", script, scenario);
    }

    private static void run(Duration limit, Map<String, String> environment, String... command) throws Exception {
        var output = Files.createTempFile("page", ".txt");
        var builder = new ProcessBuilder(command)
                .directory(SCRIPTS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        var process = start(builder);
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                fail("%s did not end within %s: %s", List.of(command), limit, Files.readString(output));
            }
            assertThat(process.exitValue())
                    .as(() -> List.of(command) + " said:\n" + read(output) + "\nexit code")
                    .isZero();
        } finally {
            // Its browsers are its children: with their parent gone nobody could tell them from others.
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            Files.delete(output);
        }
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException notInstalled) {
            throw missing(builder.command().getFirst() + " is not installed: Node 20 or newer is needed");
        }
    }

    private static String read(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException gone) {
            return gone.toString();
        }
    }

    /** A developer may do without; the build that decides may not. */
    private static RuntimeException missing(String what) {
        if (Boolean.parseBoolean(System.getenv("CI"))) {
            throw new AssertionError(what);
        }
        return abort(what);
    }
}
