package parley.provider.simulator;

import java.util.Base64;
import java.util.List;
import parley.protocol.AudioFormat;

/**
 * The sound of one item. Its pieces may belong to many items at once (a phrase that was spoken before), so nobody
 * writes to them.
 *
 * @param length bytes that belong to the item; the pieces may hold more
 */
record ItemAudio(AudioFormat format, List<byte[]> pieces, long length) {

    ItemAudio {
        pieces = List.copyOf(pieces);
    }

    /** The same, no longer than so many bytes. */
    ItemAudio cut(long bytes) {
        return new ItemAudio(format, pieces, Math.min(bytes, length));
    }

    String base64() {
        var all = new byte[Math.toIntExact(length)];
        int filled = 0;
        for (var piece : pieces) {
            int part = Math.min(piece.length, all.length - filled);
            System.arraycopy(piece, 0, all, filled, part);
            filled += part;
        }
        return Base64.getEncoder().encodeToString(all);
    }
}
