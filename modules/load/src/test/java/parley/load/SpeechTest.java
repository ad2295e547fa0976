package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class SpeechTest {
    @Test
    void isLoudInEveryTwentiethOfASecondAndNeverClips() {
        var pcm = Speech.voice(0, 1200);

        for (int from = 0; from < pcm.length; from += 50 * Speech.BYTES_PER_MILLISECOND) {
            assertThat(loudness(pcm, from, 50 * Speech.BYTES_PER_MILLISECOND)).isBetween(0.03, 0.7);
        }
    }

    @Test
    void aSentenceIsAtLeastASecondAndAFifth() {
        assertThat(Speech.sentence(100)).hasSize(12);
        assertThat(Speech.sentence(20)).hasSize(60);
        assertThat(Speech.sentence(1000)).hasSize(2);
    }

    private static double loudness(byte[] pcm, int from, int bytes) {
        double sum = 0;
        for (int i = from; i < from + bytes; i += 2) {
            double sample = (short) ((pcm[i + 1] << 8) | (pcm[i] & 0xff)) / 32768.0;
            sum += sample * sample;
        }
        return Math.sqrt(sum / bytes * 2);
    }
}
