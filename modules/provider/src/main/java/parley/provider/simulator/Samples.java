package parley.provider.simulator;

import java.util.Arrays;
import parley.protocol.AudioFormat;

/**
 * The samples inside the bytes of a stream.
 *
 * <p>Reading a loudness costs no allocation; a G.711 byte is looked up, not computed.
 */
final class Samples {

    private static final short[] FROM_MU_LAW = new short[256];
    private static final short[] FROM_A_LAW = new short[256];
    private static final double FULL_SCALE_SQUARED = 32_768.0 * 32_768.0;

    static {
        for (int i = 0; i < 256; i++) {
            FROM_MU_LAW[i] = fromMuLaw(i);
            FROM_A_LAW[i] = fromALaw(i);
        }
    }

    private Samples() {}

    /** Samples per second. */
    static int rate(AudioFormat format) {
        return switch (format) {
            case PCM16_24K -> 24_000;
            case PCMU, PCMA -> 8_000;
        };
    }

    /** Bytes per sample. */
    static int width(AudioFormat format) {
        return switch (format) {
            case PCM16_24K -> 2;
            case PCMU, PCMA -> 1;
        };
    }

    /** One sample, whose bytes begin at that index. */
    static int sample(AudioFormat format, byte[] bytes, int at) {
        return switch (format) {
            case PCM16_24K -> (short) ((bytes[at] & 0xff) | (bytes[at + 1] << 8));
            case PCMU -> FROM_MU_LAW[bytes[at] & 0xff];
            case PCMA -> FROM_A_LAW[bytes[at] & 0xff];
        };
    }

    /** Mean of the squared samples, full scale being 1; zero for no samples. */
    static double meanSquare(AudioFormat format, byte[] bytes, int from, int length) {
        int samples = length / width(format);
        if (samples == 0) return 0;
        long sum = switch (format) {
            case PCM16_24K -> squares(bytes, from, samples);
            case PCMU -> squares(FROM_MU_LAW, bytes, from, samples);
            case PCMA -> squares(FROM_A_LAW, bytes, from, samples);
        };
        return sum / (samples * FULL_SCALE_SQUARED);
    }

    /** Samples, at the format's rate, as its bytes. */
    static byte[] encode(AudioFormat format, short[] samples) {
        var bytes = new byte[samples.length * width(format)];
        for (int i = 0; i < samples.length; i++) {
            switch (format) {
                case PCM16_24K -> {
                    bytes[2 * i] = (byte) samples[i];
                    bytes[2 * i + 1] = (byte) (samples[i] >> 8);
                }
                case PCMU -> bytes[i] = (byte) toMuLaw(samples[i]);
                case PCMA -> bytes[i] = (byte) toALaw(samples[i]);
            }
        }
        return bytes;
    }

    /** The bytes of so many milliseconds of nothing. */
    static byte[] silence(AudioFormat format, long millis) {
        var bytes = new byte[Math.toIntExact(millis * format.bytesPerMillisecond())];
        byte zero = switch (format) {
            case PCM16_24K -> 0;
            case PCMU -> (byte) 0xff;
            case PCMA -> (byte) 0xd5;
        };
        Arrays.fill(bytes, zero);
        return bytes;
    }

    private static long squares(byte[] bytes, int from, int samples) {
        long sum = 0;
        for (int i = from, end = from + 2 * samples; i < end; i += 2) {
            long sample = (short) ((bytes[i] & 0xff) | (bytes[i + 1] << 8));
            sum += sample * sample;
        }
        return sum;
    }

    private static long squares(short[] table, byte[] bytes, int from, int samples) {
        long sum = 0;
        for (int i = from, end = from + samples; i < end; i++) {
            long sample = table[bytes[i] & 0xff];
            sum += sample * sample;
        }
        return sum;
    }

    private static short fromMuLaw(int code) {
        int bits = ~code & 0xff;
        int magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
        return (short) ((bits & 0x80) == 0 ? magnitude : -magnitude);
    }

    private static short fromALaw(int code) {
        int bits = code ^ 0x55;
        int segment = (bits & 0x70) >> 4;
        int magnitude = ((bits & 0x0f) << 4) + 8;
        if (segment > 0) magnitude = (magnitude + 0x100) << (segment - 1);
        return (short) ((bits & 0x80) == 0 ? -magnitude : magnitude);
    }

    private static int toMuLaw(short sample) {
        int sign = sample < 0 ? 0x80 : 0;
        int magnitude = Math.min(Math.abs((int) sample), 32_635) + 0x84;
        int segment = 24 - Integer.numberOfLeadingZeros(magnitude);
        int step = (magnitude >> (segment + 3)) & 0x0f;
        return ~(sign | (segment << 4) | step) & 0xff;
    }

    private static int toALaw(short sample) {
        int sign = sample >= 0 ? 0x80 : 0;
        int magnitude = sample >= 0 ? sample : -sample - 1;
        int segment = magnitude < 0x100 ? 0 : 24 - Integer.numberOfLeadingZeros(magnitude);
        int step = (segment == 0 ? magnitude >> 4 : magnitude >> (segment + 3)) & 0x0f;
        return (sign | (segment << 4) | step) ^ 0x55;
    }
}
