package parley.app;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import parley.gateway.GatewaySettings;

/** Development's secrets: made once, kept beside the data, readable by their owner alone. */
final class Secrets {
    private Secrets() {}

    /** The secret of this name in {@code <data>/secrets}. */
    static String development(Path data, String name) {
        var file = data.resolve("secrets").resolve(name);
        try {
            Files.createDirectories(file.getParent());
            if (!Files.exists(file)) {
                make(file);
            }
            return Files.readString(file).strip();
        } catch (IOException unwritable) {
            throw new StartFailure("PARLEY_DATA_DIR: " + data + " cannot be written ("
                    + unwritable.getClass().getSimpleName() + " " + unwritable.getMessage() + ")");
        }
    }

    /** Whole or not at all: whoever reads it beside this sees the one that was first. */
    private static void make(Path file) throws IOException {
        var bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        var draft = Files.createTempFile(
                file.getParent(),
                file.getFileName().toString(),
                "",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(draft, GatewaySettings.DEVELOPMENT + HexFormat.of().formatHex(bytes));
        try {
            Files.createLink(file, draft);
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // The other one counts.
        } finally {
            Files.delete(draft);
        }
    }
}
