package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class MaskingTest {
    private static final int MASK = 0x89ab01ef;

    @Test
    void masksEveryLengthAtEveryOffsetAsTheStandardSays() {
        var random = new Random(1);
        for (int length = 0; length <= 100; length++) {
            for (int offset = 0; offset <= 16; offset++) {
                var bytes = new byte[offset + length + 3];
                random.nextBytes(bytes);
                var buffer = Unpooled.copiedBuffer(bytes).setIndex(offset, offset + length);

                Masking.apply(buffer, MASK);

                assertThat(ByteBufUtil.getBytes(buffer, 0, bytes.length))
                        .as("length %d at %d", length, offset)
                        .isEqualTo(naively(bytes, offset, length));
            }
        }
    }

    @Test
    void findsTheOneByteThatIsNotAsciiWhereverItStands() {
        for (int length = 0; length <= 100; length++) {
            var clear = new byte[length];
            assertThat(Masking.ascii(Unpooled.wrappedBuffer(clear))).isTrue();
            assertThat(unmasks(clear)).isTrue();
            for (int at = 0; at < length; at++) {
                clear[at] = (byte) 0x80;
                assertThat(Masking.ascii(Unpooled.wrappedBuffer(clear)))
                        .as("%d of %d", at, length)
                        .isFalse();
                assertThat(unmasks(clear)).as("%d of %d", at, length).isFalse();
                clear[at] = 0x7f;
            }
        }
    }

    @Test
    void aMaskIsFreshForEachFrame() {
        assertThat(Masking.fresh()).isNotEqualTo(Masking.fresh());
    }

    private static boolean unmasks(byte[] clear) {
        return Masking.apply(Unpooled.wrappedBuffer(naively(clear, 0, clear.length)), MASK);
    }

    private static byte[] naively(byte[] bytes, int offset, int length) {
        var key = new byte[] {(byte) 0x89, (byte) 0xab, 0x01, (byte) 0xef};
        var masked = bytes.clone();
        for (int at = 0; at < length; at++) {
            masked[offset + at] ^= key[at % 4];
        }
        return masked;
    }
}
