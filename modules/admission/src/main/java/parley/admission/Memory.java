package parley.admission;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last rollout and kill switch this node knew, on its disk: read before the first port opens, so that a node that
 * finds neither cluster nor journal decides as it did before, and never by the configuration's defaults.
 *
 * <p>A disk that fails is logged, and nothing else: the cluster knows. A file that cannot be read is taken for a kill when
 * it is the kill switch's, because nobody can say that it was off.
 */
final class Memory {
    private static final Logger LOG = LoggerFactory.getLogger(Memory.class);
    private static final String ROLLOUT = "rollout.json";
    private static final String KILL = "kill.json";

    private final Path directory;
    private final ObjectMapper mapper;

    Memory(Path directory, ObjectMapper mapper) {
        this.directory = directory;
        this.mapper = mapper;
    }

    @Nullable
    Rollout rollout() {
        try {
            return read(ROLLOUT, Rollout.class);
        } catch (IOException broken) {
            LOG.warn(
                    "{}: not readable, taken as if it were not there: {}",
                    directory.resolve(ROLLOUT),
                    broken.toString());
            return null;
        }
    }

    Kill kill() {
        try {
            var kept = read(KILL, Kill.class);
            return kept == null ? Kill.NEVER : kept;
        } catch (IOException broken) {
            LOG.error(
                    "{}: not readable, voice stays off on this node until the cluster says otherwise: {}",
                    directory.resolve(KILL),
                    broken.toString());
            return new Kill(
                    true, 0, Kill.Live.GO_ON, "environment", "the kill switch's file is not readable", Kill.NEVER.at());
        }
    }

    /** @param latest asked when it is its turn, so that an older one never comes to lie over a newer one */
    void keepRollout(Supplier<Rollout> latest) {
        write(ROLLOUT, latest);
    }

    /** The same. */
    void keepKill(Supplier<Kill> latest) {
        write(KILL, latest);
    }

    private <T> @Nullable T read(String name, Class<T> type) throws IOException {
        try {
            return mapper.readValue(Files.readAllBytes(directory.resolve(name)), type);
        } catch (NoSuchFileException first) {
            return null;
        }
    }

    /** All of it or nothing: a node may be killed at any moment. */
    private synchronized void write(String name, Supplier<?> latest) {
        try {
            Files.createDirectories(directory);
            var draft = Files.createTempFile(directory, name, ".draft");
            try (var file = FileChannel.open(draft, StandardOpenOption.WRITE)) {
                file.write(ByteBuffer.wrap(mapper.writeValueAsBytes(latest.get())));
                file.force(true);
            }
            Files.move(draft, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException full) {
            LOG.error("{}: not written: {}", directory.resolve(name), full.toString());
        }
    }
}
