package parley.app;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;

/** Development's secrets: made once, kept beside the data, readable by their owner alone. */
final class Secrets {
    private Secrets() {}

    /** The secret of this name in {@code <data>/secrets}. */
    static String development(Path data, String name) {
        var file = data.resolve("secrets").resolve(name);
        try {
            Files.createDirectories(file.getParent());
            try {
                Files.createFile(
                        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                var bytes = new byte[32];
                new SecureRandom().nextBytes(bytes);
                Files.writeString(file, HexFormat.of().formatHex(bytes));
            } catch (FileAlreadyExistsException kept) {
                // Made at an earlier start.
            }
            return Files.readString(file).strip();
        } catch (IOException unwritable) {
            throw new StartFailure("PARLEY_DATA_DIR: " + data + " cannot be written (" + unwritable.getMessage() + ")");
        }
    }
}
