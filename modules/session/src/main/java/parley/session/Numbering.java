package parley.session;

import parley.wire.Frame;

/** The number in front of every event that a guided caller gets: the value of {@code "seq"}, its first key. */
final class Numbering {
    /** The brace, the key in its quotes and the colon: seven bytes of a long. */
    private static final long FRONT = 0x7b_22_73_65_71_22_3aL;

    private static final int LENGTH = 7;

    private Numbering() {}

    /** The number; -1 of what has none. Reads a few bytes, allocates nothing. */
    static long of(Frame frame) {
        var bytes = frame.buffer();
        int at = bytes.readerIndex();
        int end = bytes.writerIndex();
        if (end - at <= LENGTH || bytes.getLong(at) >>> 8 != FRONT) {
            return -1;
        }
        long number = 0;
        for (at += LENGTH; at < end; at++) {
            int digit = bytes.getByte(at) - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            number = number * 10 + digit;
        }
        return number;
    }
}
