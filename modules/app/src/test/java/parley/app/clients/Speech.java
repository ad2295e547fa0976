package parley.app.clients;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * A short sentence as a WAV file: 24 kHz, 16 bit, mono, without a pause inside that would end a turn.
 *
 * <p>espeak-ng says it where it and sox are installed; elsewhere it is noise with the rhythm of syllables.
 */
public final class Speech {
    public static final int RATE = 24_000;
    public static final int BYTES_PER_MS = RATE / 1000 * 2;

    private static final int HEADER = 44;
    private static final int SECONDS = 2;
    private static final double SYLLABLES_PER_SECOND = 4;
    private static final double LOUDNESS = 0.3;

    private Speech() {}

    /** The file, made anew in a directory. */
    public static Path wav(Path directory) {
        try {
            var file = directory.resolve("speech.wav");
            var raw = directory.resolve("espeak.wav");
            boolean spoken = ran("espeak-ng", "-w", raw.toString(), "please tell me what the time is")
                    && ran("sox", raw.toString(), "-r", "24000", "-b", "16", "-c", "1", file.toString());
            if (!spoken) {
                Files.write(file, noise());
            }
            return file;
        } catch (IOException full) {
            throw new UncheckedIOException(full);
        }
    }

    /** The samples of such a file. */
    public static byte[] pcm(Path wav) throws IOException {
        var bytes = ByteBuffer.wrap(Files.readAllBytes(wav)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(12);
        while (bytes.getInt() != chunk("data")) {
            int length = bytes.getInt();
            bytes.position(bytes.position() + length);
        }
        var samples = new byte[Math.min(bytes.getInt(), bytes.remaining())];
        bytes.get(samples);
        return samples;
    }

    private static byte[] noise() {
        int samples = RATE * SECONDS;
        var wav = ByteBuffer.allocate(HEADER + samples * 2).order(ByteOrder.LITTLE_ENDIAN);
        wav.putInt(chunk("RIFF")).putInt(HEADER - 8 + samples * 2).putInt(chunk("WAVE"));
        wav.putInt(chunk("fmt ")).putInt(16).putShort((short) 1).putShort((short) 1);
        wav.putInt(RATE).putInt(RATE * 2).putShort((short) 2).putShort((short) 16);
        wav.putInt(chunk("data")).putInt(samples * 2);
        var random = new Random(1);
        for (int i = 0; i < samples; i++) {
            double rhythm = Math.abs(Math.sin(Math.PI * SYLLABLES_PER_SECOND * i / RATE));
            wav.putShort((short) (Short.MAX_VALUE * LOUDNESS * rhythm * random.nextDouble(-1, 1)));
        }
        return wav.array();
    }

    private static int chunk(String name) {
        return name.charAt(0) | name.charAt(1) << 8 | name.charAt(2) << 16 | name.charAt(3) << 24;
    }

    private static boolean ran(String... command) {
        try {
            var process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException notInstalled) {
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
