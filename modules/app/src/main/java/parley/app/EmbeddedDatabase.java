package parley.app;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * PostgreSQL in a directory of ours, for development: kept between starts, written through to disk. Can be stopped,
 * started again on the same port, and frozen, by one thread.
 */
final class EmbeddedDatabase implements AutoCloseable {
    private static final Duration STOP = Duration.ofSeconds(15);

    private static final int ANY_PORT = 0;

    private final Path directory;
    private final FileChannel lock;
    private EmbeddedPostgres postgres;

    private EmbeddedDatabase(EmbeddedPostgres postgres, Path directory, FileChannel lock) {
        this.postgres = postgres;
        this.directory = directory;
        this.lock = lock;
    }

    /** Starts it on a free port, after ending one that a killed process left behind. */
    static EmbeddedDatabase start(Path data) {
        var directory = data.resolve("postgres").toAbsolutePath();
        try {
            Files.createDirectories(directory);
            var lock = lock(data);
            endLeftover(directory);
            return new EmbeddedDatabase(start(directory, ANY_PORT), directory, lock);
        } catch (IOException | IllegalStateException failed) {
            throw new StartFailure("embedded PostgreSQL in " + directory + " does not start: " + failed.getMessage()
                    + "\nset DATABASE_URL to use a database of your own");
        }
    }

    private static EmbeddedPostgres start(Path directory, int port) throws IOException {
        var builder = EmbeddedPostgres.builder()
                .setDataDirectory(directory)
                .setCleanDataDirectory(false)
                // It ends after the sessions that write to it, not beside them.
                .setRegisterShutdownHook(false)
                .setLocaleConfig("locale", "C.UTF-8")
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("max_connections", "100")
                .setPGStartupWait(Duration.ofSeconds(30));
        return (port == ANY_PORT ? builder : builder.setPort(port)).start();
    }

    int port() {
        return postgres.getPort();
    }

    /** The server ends, as for its operator; its clients' connections are closed. */
    void stop() {
        try {
            postgres.close();
        } catch (IOException failed) {
            throw new IllegalStateException("PostgreSQL does not stop", failed);
        }
    }

    /** After {@link #stop}: at the same address, with the same data. */
    void startAgain() {
        try {
            postgres = start(directory, postgres.getPort());
        } catch (IOException failed) {
            throw new IllegalStateException("PostgreSQL does not start again", failed);
        }
    }

    /** The server stands still: connections stay open, and nobody answers. */
    void freeze() {
        Signals.freeze(postgres.getProcess().toHandle());
    }

    void thaw() {
        Signals.thaw(postgres.getProcess().toHandle());
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
            lock.close();
        } catch (IOException alreadyGone) {
            // The server is a child of this process and ends with it or was ended by hand: nothing is left to do.
        }
    }

    /** One process at a time: the operating system lets go of the lock when its holder ends, however it ends. */
    private static FileChannel lock(Path data) throws IOException {
        var channel = FileChannel.open(
                data.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.DSYNC);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException ofThisProcess) {
            // The same, within one process.
        }
        channel.close();
        throw new StartFailure("PARLEY_DATA_DIR: " + data.toAbsolutePath().normalize()
                + " is in use by another parley; end it, or set another directory");
    }

    private static void endLeftover(Path directory) throws IOException {
        var file = directory.resolve("postmaster.pid");
        if (!Files.exists(file)) {
            return;
        }
        var lines = Files.readAllLines(file);
        leftover(lines, directory).ifPresent(process -> {
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

    /** A process of that number that does not serve this directory is somebody else's by now. */
    private static Optional<ProcessHandle> leftover(List<String> lines, Path directory) {
        if (lines.isEmpty() || !lines.getFirst().strip().matches("\\d{1,18}")) {
            return Optional.empty();
        }
        return ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
                .filter(process -> process.info().command().orElse("").endsWith("postgres"))
                .filter(process -> process.info()
                        .arguments()
                        .map(arguments -> List.of(arguments).contains(directory.toString()))
                        .orElse(false));
    }
}
