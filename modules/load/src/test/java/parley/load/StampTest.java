package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class StampTest {
    private static final String HEAD = "{\"type\":\"input_audio_buffer.append\",\"audio\":\"";

    @Test
    void isReadAsItWasWritten() {
        var text = Unpooled.wrappedBuffer(new byte[100]);
        var stamp = new Stamp(-5, 1999, 12345, Long.MIN_VALUE + 3, 77);

        stamp.write(text, 9);

        assertThat(Stamp.read(text, 9)).contains(stamp);
        assertThat(text.getByte(8)).isZero();
        assertThat(text.getByte(9 + Stamp.CHARS)).isZero();
    }

    @Test
    void isNotFoundWhereNoBase64Is() {
        var text = Unpooled.copiedBuffer("\"!".repeat(Stamp.CHARS), StandardCharsets.US_ASCII);

        assertThat(Stamp.read(text, 0)).isEmpty();
    }

    @Test
    void aStampedFrameIsStillTheAudioItWasExceptForTheStamp() {
        var pcm = Speech.voice(0, 100);
        var append = new AppendText(pcm);
        var stamp = new Stamp(1, 2, 3, 4, 5);

        var sent = append.stamped(stamp).toString(StandardCharsets.US_ASCII);

        var audio = sent.substring(HEAD.length(), sent.length() - 2);
        assertThat(sent).isEqualTo(HEAD + audio + "\"}");
        assertThat(audio).hasSize(6400);
        assertThat(Stamp.read(Unpooled.copiedBuffer(audio, StandardCharsets.US_ASCII), 0))
                .contains(stamp);
        assertThat(Base64.getDecoder().decode(audio)).hasSize(4800).endsWith(tail(pcm));
    }

    @Test
    void oneChangedCharacterIsSeenWhenAFrameIsCompared() {
        var append = new AppendText(Speech.voice(0, 20));
        var heard = Unpooled.copiedBuffer(append.stamped(new Stamp(1, 2, 3, 4, 5)));

        assertThat(append.sameBehindStamp(heard, HEAD.length())).isTrue();

        int last = HEAD.length() + append.audioChars() - 1;
        heard.setByte(last, heard.getByte(last) ^ 1);
        assertThat(append.sameBehindStamp(heard, HEAD.length())).isFalse();
    }

    private static byte[] tail(byte[] pcm) {
        return Arrays.copyOfRange(pcm, Stamp.BYTES, pcm.length);
    }
}
