package parley.app.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import parley.protocol.Wire;

/** A script in {@code src/test/clients}, run by Node with the clients that {@code package-lock.json} names. */
public final class NodeScript {
    private static final Path CLIENTS = Path.of("src/test/clients").toAbsolutePath();
    private static final Duration INSTALLING = Duration.ofMinutes(3);
    private static final Duration RUNNING = Duration.ofMinutes(3);

    private NodeScript() {}

    /** Runs one scenario to its end. The process must end by itself, without a complaint, and print what it saw. */
    public static Seen run(String script, String scenario, Map<String, String> environment) throws Exception {
        install();
        var ended = run(RUNNING, environment, "node", script, scenario);

        assertThat(ended.code())
                .as("exit code of %s %s, which complained: %s", script, scenario, ended.errors())
                .isZero();
        assertThat(ended.output().lines())
                .as("lines of %s %s", script, scenario)
                .hasSize(1);
        return Seen.of(Wire.parse(ended.output().strip()));
    }

    /** Runs a module that stands somewhere else, such as in a document, to whatever end. */
    public static Ended evaluate(String module, Map<String, String> environment) throws Exception {
        install();
        return run(RUNNING, environment, "node", "--input-type=module", "--eval", module);
    }

    /** Once per check-out: {@code npm ci} leaves its own lock file behind when it is done. */
    private static synchronized void install() throws Exception {
        if (Files.exists(CLIENTS.resolve("node_modules/.package-lock.json"))) {
            return;
        }
        try (var lock = FileChannel.open(
                Files.createDirectories(Path.of("target")).resolve("npm.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE)) {
            lock.lock();
            var npm = run(INSTALLING, Map.of(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
            assertThat(npm.code()).as("exit code of npm ci: %s", npm.errors()).isZero();
        }
    }

    private static Ended run(Duration limit, Map<String, String> environment, String... command) throws Exception {
        var output = Files.createTempFile("client", ".out");
        var errors = Files.createTempFile("client", ".err");
        var builder = new ProcessBuilder(command)
                .directory(CLIENTS.toFile())
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        builder.environment().putAll(environment);
        var process = start(builder);
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                fail("%s did not end within %s: %s", builder.command(), limit, Files.readString(errors));
            }
            return new Ended(process.exitValue(), Files.readString(output), Files.readString(errors));
        } finally {
            process.destroyForcibly();
            Files.delete(output);
            Files.delete(errors);
        }
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException missing) {
            var why = builder.command().getFirst() + " is not installed: Node 20 or newer is needed";
            if (Boolean.parseBoolean(System.getenv("CI"))) {
                throw new AssertionError(why, missing);
            }
            return abort(why);
        }
    }

    /** How a process ended, and what it printed. */
    public record Ended(int code, String output, String errors) {}
}
