package parley.provider.simulator;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Base64 read from the middle of a message into a buffer that is used again: no object per frame. */
final class Base64Audio {

    private static final int[] VALUES = new int[256];

    static {
        Arrays.fill(VALUES, -1);
        var alphabet =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < alphabet.length; i++) VALUES[alphabet[i]] = i;
    }

    private Base64Audio() {}

    /** The most bytes that so many characters can hold. */
    static int room(int characters) {
        return characters / 4 * 3 + 3;
    }

    /**
     * Decodes into {@code target} from index {@code at}; at least {@link #room} bytes must be free there.
     *
     * @return how many bytes were written, or -1 when the characters are not base64 with correct padding
     */
    static int decode(byte[] source, int from, int length, byte[] target, int at) {
        if (length == 0) return 0;
        if (length % 4 != 0) return -1;
        int end = from + length;
        int padding = source[end - 1] != '=' ? 0 : source[end - 2] != '=' ? 1 : 2;
        int whole = padding == 0 ? end : end - 4;
        int out = at;
        for (int i = from; i < whole; i += 4) {
            int bits = VALUES[source[i] & 0xff] << 18
                    | VALUES[source[i + 1] & 0xff] << 12
                    | VALUES[source[i + 2] & 0xff] << 6
                    | VALUES[source[i + 3] & 0xff];
            if (bits < 0) return -1;
            target[out++] = (byte) (bits >> 16);
            target[out++] = (byte) (bits >> 8);
            target[out++] = (byte) bits;
        }
        if (padding > 0) {
            int third = padding == 1 ? VALUES[source[whole + 2] & 0xff] : 0;
            int bits = VALUES[source[whole] & 0xff] << 18 | VALUES[source[whole + 1] & 0xff] << 12 | third << 6;
            if (bits < 0) return -1;
            target[out++] = (byte) (bits >> 16);
            if (padding == 1) target[out++] = (byte) (bits >> 8);
        }
        return out - at;
    }
}
