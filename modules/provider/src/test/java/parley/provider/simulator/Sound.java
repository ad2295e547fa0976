package parley.provider.simulator;

import java.util.Arrays;
import parley.protocol.AudioFormat;

/** Sound for tests: a voice-like tone, silence, and how loud something is. */
final class Sound {

    private Sound() {}

    /** Syllables: a hum of 140 Hz with overtones whose loudness goes up and down four times a second, never to nothing. */
    static byte[] voice(AudioFormat format, long millis) {
        var samples = new short[(int) (millis * Samples.rate(format) / 1000)];
        for (int i = 0; i < samples.length; i++) {
            double t = (double) i / Samples.rate(format);
            double syllable = 0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * t);
            double hum = 0.6 * Math.sin(2 * Math.PI * 140 * t) + 0.3 * Math.sin(2 * Math.PI * 420 * t);
            samples[i] = (short) (9000 * syllable * hum);
        }
        return Samples.encode(format, samples);
    }

    /** A tone, as a test caller speaks a number that can be recognised. */
    static byte[] tone(AudioFormat format, double hertz, long millis) {
        var samples = new short[(int) (millis * Samples.rate(format) / 1000)];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (short) (9000 * Math.sin(2 * Math.PI * hertz * i / Samples.rate(format)));
        }
        return Samples.encode(format, samples);
    }

    /** Loud noise in the rhythm of syllables. */
    static byte[] noise(AudioFormat format, long millis) {
        var random = new java.util.SplittableRandom(1);
        var samples = new short[(int) (millis * Samples.rate(format) / 1000)];
        for (int i = 0; i < samples.length; i++) {
            double rhythm = Math.abs(Math.sin(Math.PI * 4 * i / Samples.rate(format)));
            samples[i] = (short) (9000 * rhythm * random.nextDouble(-1, 1));
        }
        return Samples.encode(format, samples);
    }

    /** Noise of a quiet room: -62 dB. */
    static byte[] room(AudioFormat format, long millis) {
        var random = new java.util.SplittableRandom(7);
        var samples = new short[(int) (millis * Samples.rate(format) / 1000)];
        for (int i = 0; i < samples.length; i++) samples[i] = (short) random.nextInt(-45, 46);
        return Samples.encode(format, samples);
    }

    static double rms(AudioFormat format, byte[] bytes) {
        return Math.sqrt(Samples.meanSquare(format, bytes, 0, bytes.length));
    }

    static byte[] join(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        var all = new byte[length];
        int at = 0;
        for (var part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
