package parley.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * One of the operators' scripts, run as they run it.
 *
 * @param name below {@code scripts}
 * @param environment on top of path and home; nothing else is passed on
 */
record Script(String name, Map<String, String> environment) {
    /** For a machine on which other tests run beside this one. */
    private static final long PATIENCE_SECONDS = 180;

    /** How it ended, and what it printed on both outputs. */
    record Ended(int code, String output) {}

    Script(String name) {
        this(name, Map.of());
    }

    Script with(String variable, String value) {
        var more = new HashMap<>(environment);
        more.put(variable, value);
        return new Script(name, more);
    }

    Ended run(String... arguments) throws IOException, InterruptedException {
        return run(TestNode.home(), arguments);
    }

    Ended run(Path directory, String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(
                List.of(TestNode.home().resolve("scripts").resolve(name).toString()));
        command.addAll(List.of(arguments));
        var output = Files.createTempFile("parley-script", ".log");
        var builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().keySet().retainAll(List.of("PATH", "HOME", "LANG", "PARLEY_JDK", "JAVA_HOME"));
        builder.environment().putAll(environment);
        var process = builder.start();
        process.getOutputStream().close();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException(name + " did not end: " + Files.readString(output));
            }
            return new Ended(process.exitValue(), Files.readString(output));
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            Files.delete(output);
        }
    }
}
