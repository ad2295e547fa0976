package parley.load;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Sound made by arithmetic: 24 kHz, 16 bit, little-endian, one channel. */
final class Speech {
    static final int BYTES_PER_MILLISECOND = 48;
    private static final int SAMPLES_PER_MILLISECOND = 24;
    private static final double RATE = 24_000;
    private static final int SENTENCE_MILLIS = 1_200;

    private Speech() {}

    /** A buzz with the rhythm of four syllables a second, in frames; never silent, not even between syllables. */
    static List<AppendText> sentence(int frameMillis) {
        int frames = Math.ceilDiv(SENTENCE_MILLIS, frameMillis);
        return IntStream.range(0, frames)
                .mapToObj(frame -> new AppendText(voice(frame * frameMillis, frameMillis)))
                .toList();
    }

    static AppendText silence(int frameMillis) {
        return new AppendText(new byte[frameMillis * BYTES_PER_MILLISECOND]);
    }

    static byte[] voice(int fromMillis, int millis) {
        var noise = new SplittableRandom(fromMillis);
        var pcm = new byte[millis * BYTES_PER_MILLISECOND];
        for (int i = 0; i < millis * SAMPLES_PER_MILLISECOND; i++) {
            double t = fromMillis / 1000.0 + i / RATE;
            double syllable = 0.35 + 0.65 * Math.pow(Math.sin(Math.PI * 4 * t), 2);
            double buzz = 0;
            for (int harmonic = 1; harmonic <= 12; harmonic++) {
                buzz += Math.sin(2 * Math.PI * 140 * harmonic * t) / harmonic;
            }
            double value = syllable * (0.2 * buzz + 0.03 * (noise.nextDouble() * 2 - 1));
            int sample = (int) (Math.clamp(value, -0.9, 0.9) * Short.MAX_VALUE);
            pcm[2 * i] = (byte) sample;
            pcm[2 * i + 1] = (byte) (sample >> 8);
        }
        return pcm;
    }
}
