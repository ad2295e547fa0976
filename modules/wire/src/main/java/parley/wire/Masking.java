package parley.wire;

import io.netty.buffer.ByteBuf;
import io.netty.util.internal.PlatformDependent;
import java.nio.ByteOrder;
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
        var bytes = Memory.of(buffer);
        int end = buffer.readableBytes();
        // In memory order, so that no step has to turn a long around.
        long wide = bytes.inMemoryOrder(((long) mask << 32) | (mask & 0xffffffffL));
        long seen = 0;
        int at = 0;
        for (; at <= end - 32; at += 32) {
            long a = bytes.get(at) ^ wide;
            long b = bytes.get(at + 8) ^ wide;
            long c = bytes.get(at + 16) ^ wide;
            long d = bytes.get(at + 24) ^ wide;
            bytes.set(at, a);
            bytes.set(at + 8, b);
            bytes.set(at + 16, c);
            bytes.set(at + 24, d);
            seen |= a | b | c | d;
        }
        for (; at <= end - 8; at += 8) {
            long a = bytes.get(at) ^ wide;
            bytes.set(at, a);
            seen |= a;
        }
        int from = buffer.readerIndex();
        for (int shift = 24; at < end; at++, shift = shift == 0 ? 24 : shift - 8) {
            int a = (buffer.getByte(from + at) ^ (mask >>> shift)) & 0xff;
            buffer.setByte(from + at, a);
            seen |= a;
        }
        return (seen & HIGH_BITS) == 0;
    }

    /** Whether every readable byte is below 128. */
    static boolean ascii(ByteBuf buffer) {
        var bytes = Memory.of(buffer);
        int end = buffer.readableBytes();
        long seen = 0;
        int at = 0;
        for (; at <= end - 32; at += 32) {
            seen |= bytes.get(at) | bytes.get(at + 8) | bytes.get(at + 16) | bytes.get(at + 24);
        }
        for (; at <= end - 8; at += 8) {
            seen |= bytes.get(at);
        }
        for (int from = buffer.readerIndex(); at < end; at++) {
            seen |= buffer.getByte(from + at);
        }
        return (seen & HIGH_BITS) == 0;
    }

    /**
     * A buffer's readable bytes as longs: straight from memory where Netty can do that, through the buffer elsewhere.
     * The bounds are checked once, here. It lives on the stack.
     */
    private record Memory(ByteBuf buffer, long address) {
        private static final boolean LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
        private static final long NONE = 0;

        static Memory of(ByteBuf buffer) {
            boolean direct = PlatformDependent.hasUnsafe() && buffer.hasMemoryAddress();
            return new Memory(buffer, direct ? buffer.memoryAddress() + buffer.readerIndex() : NONE);
        }

        long get(int at) {
            return address == NONE
                    ? buffer.getLong(buffer.readerIndex() + at)
                    : PlatformDependent.getLong(address + at);
        }

        void set(int at, long value) {
            if (address == NONE) {
                buffer.setLong(buffer.readerIndex() + at, value);
            } else {
                PlatformDependent.putLong(address + at, value);
            }
        }

        long inMemoryOrder(long bigEndian) {
            return address == NONE || !LITTLE ? bigEndian : Long.reverseBytes(bigEndian);
        }
    }
}
