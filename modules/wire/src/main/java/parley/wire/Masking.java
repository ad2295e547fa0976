package parley.wire;

import io.netty.buffer.ByteBuf;
import java.util.concurrent.ThreadLocalRandom;

/** The masking of RFC 6455 §5.3, in place, eight bytes a step. */
final class Masking {
    private static final long HIGH_BITS = 0x8080808080808080L;

    private Masking() {}

    /**
     * A fresh mask. Predictable to nobody outside this process, which is all the RFC's threat (a script choosing the
     * bytes a proxy sees) asks for; a secure generator would cost more than the masking itself.
     */
    static int fresh() {
        return ThreadLocalRandom.current().nextInt();
    }

    /**
     * Masks or unmasks (the same operation) the buffer's readable bytes in place.
     *
     * @return whether every resulting byte is below 128: such text is valid UTF-8 without a look at it
     */
    static boolean apply(ByteBuf buffer, int mask) {
        int at = buffer.readerIndex();
        int end = buffer.writerIndex();
        long wide = ((long) mask << 32) | (mask & 0xffffffffL);
        long seen = 0;
        for (; at <= end - 32; at += 32) {
            long a = buffer.getLong(at) ^ wide;
            long b = buffer.getLong(at + 8) ^ wide;
            long c = buffer.getLong(at + 16) ^ wide;
            long d = buffer.getLong(at + 24) ^ wide;
            buffer.setLong(at, a);
            buffer.setLong(at + 8, b);
            buffer.setLong(at + 16, c);
            buffer.setLong(at + 24, d);
            seen |= a | b | c | d;
        }
        for (; at <= end - 8; at += 8) {
            long a = buffer.getLong(at) ^ wide;
            buffer.setLong(at, a);
            seen |= a;
        }
        for (int shift = 24; at < end; at++, shift = shift == 0 ? 24 : shift - 8) {
            int a = (buffer.getByte(at) ^ (mask >>> shift)) & 0xff;
            buffer.setByte(at, a);
            seen |= a;
        }
        return (seen & HIGH_BITS) == 0;
    }

    /** Whether every readable byte is below 128. */
    static boolean ascii(ByteBuf buffer) {
        int at = buffer.readerIndex();
        int end = buffer.writerIndex();
        long seen = 0;
        for (; at <= end - 8; at += 8) {
            seen |= buffer.getLong(at);
        }
        for (; at < end; at++) {
            seen |= buffer.getByte(at);
        }
        return (seen & HIGH_BITS) == 0;
    }
}
