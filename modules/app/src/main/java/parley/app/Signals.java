package parley.app;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Stops processes and lets them go on, themselves and their children, without ending them. */
final class Signals {
    private static final int SECONDS = 5;

    private Signals() {}

    /** The parent first: it starts no more children. */
    static void freeze(ProcessHandle process) {
        send("STOP", List.of(process));
        send("STOP", process.descendants().toList());
    }

    static void thaw(ProcessHandle process) {
        send("CONT", Stream.concat(process.descendants(), Stream.of(process)).toList());
    }

    private static void send(String signal, List<ProcessHandle> processes) {
        if (processes.isEmpty()) {
            return;
        }
        var command = Stream.concat(
                        Stream.of("kill", "-" + signal),
                        processes.stream().map(process -> Long.toString(process.pid())))
                .toList();
        try {
            // One of many may have ended meanwhile: the others got theirs.
            var sent = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!sent.waitFor(SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("kill does not return");
            }
        } catch (IOException noSuchCommand) {
            throw new IllegalStateException("kill: " + noSuchCommand.getMessage(), noSuchCommand);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
