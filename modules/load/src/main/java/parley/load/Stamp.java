package parley.load;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Optional;

/**
 * What a frame says of itself in its first twelve samples, so that whoever hears it knows which frame it was.
 *
 * @param run tells this run's frames from any other's
 * @param session index of the session that sent it
 * @param sequence 0 for the session's first frame
 * @param scheduled when it was due, in nanoseconds
 * @param lateMicros how long after that it was really sent
 */
record Stamp(int run, int session, int sequence, long scheduled, int lateMicros) {
    static final int BYTES = 24;
    /** {@link #BYTES} is a multiple of three, so the stamp ends where a group of four characters ends. */
    static final int CHARS = BYTES / 3 * 4;

    /** Overwrites {@link #CHARS} bytes of text from an index on. */
    void write(ByteBuf text, int index) {
        var bytes = ByteBuffer.allocate(BYTES)
                .putInt(run)
                .putInt(session)
                .putInt(sequence)
                .putLong(scheduled)
                .putInt(lateMicros);
        text.setBytes(index, Base64.getEncoder().encode(bytes.array()));
    }

    /** Empty when there is no base64 there. */
    static Optional<Stamp> read(ByteBuf text, int index) {
        var chars = new byte[CHARS];
        text.getBytes(index, chars);
        var bytes = new byte[BYTES];
        try {
            if (Base64.getDecoder().decode(chars, bytes) != BYTES) return Optional.empty();
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
        var in = ByteBuffer.wrap(bytes);
        return Optional.of(new Stamp(in.getInt(), in.getInt(), in.getInt(), in.getLong(), in.getInt()));
    }
}
