package parley.app;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** PostgreSQL in a directory of ours, for development: kept between starts, written through to disk. */
final class EmbeddedDatabase implements AutoCloseable {
    private static final Duration STOP = Duration.ofSeconds(15);

    private final EmbeddedPostgres postgres;
    private final Path directory;

    private EmbeddedDatabase(EmbeddedPostgres postgres, Path directory) {
        this.postgres = postgres;
        this.directory = directory;
    }

    /** Starts it on a free port, after ending one that a killed process left behind. */
    static EmbeddedDatabase start(Path data) {
        var directory = data.resolve("postgres").toAbsolutePath();
        try {
            Files.createDirectories(directory);
            endLeftover(directory);
            return new EmbeddedDatabase(
                    EmbeddedPostgres.builder()
                            .setDataDirectory(directory)
                            .setCleanDataDirectory(false)
                            .setLocaleConfig("locale", "C.UTF-8")
                            .setServerConfig("fsync", "on")
                            .setServerConfig("synchronous_commit", "on")
                            .setServerConfig("max_connections", "60")
                            .setPGStartupWait(Duration.ofSeconds(30))
                            .start(),
                    directory);
        } catch (IOException | IllegalStateException failed) {
            throw new StartFailure("embedded PostgreSQL in " + directory + " does not start: " + failed.getMessage()
                    + "\nset DATABASE_URL to use a database of your own");
        }
    }

    String url() {
        return "postgresql://postgres:postgres@127.0.0.1:" + postgres.getPort() + "/postgres";
    }

    Path directory() {
        return directory;
    }

    @Override
    public void close() {
        try {
            postgres.close();
        } catch (IOException alreadyGone) {
            // The server is a child of this process and ends with it or was ended by hand: nothing is left to do.
        }
    }

    private static void endLeftover(Path directory) throws IOException {
        var file = directory.resolve("postmaster.pid");
        if (!Files.exists(file)) {
            return;
        }
        var lines = Files.readAllLines(file);
        leftover(lines).ifPresent(process -> {
            process.destroy();
            try {
                process.onExit().get(STOP.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException | TimeoutException stuck) {
                throw new StartFailure("a PostgreSQL of an earlier run still uses " + directory + " (process "
                        + process.pid() + ") and does not end; end it by hand");
            }
        });
    }

    /** A process of that number that is no PostgreSQL is somebody else's by now. */
    private static Optional<ProcessHandle> leftover(List<String> lines) {
        return lines.isEmpty()
                ? Optional.empty()
                : ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
                        .filter(process -> process.info().command().orElse("").endsWith("postgres"));
    }
}
