package parley.provider.simulator;

/**
 * A change of sample rate by a polyphase windowed sinc: nothing folds back, and each phase has gain 1.
 *
 * <p>Whole sounds only, no state: the edges are taken as silence, and the length is exact to one sample.
 */
final class Resampler {

    /** Taps at the lower of the two rates, on each side. */
    private static final int HALF_WIDTH = 16;
    /** Cut-off as a part of the lower rate: below one half leaves room for the slope. */
    private static final double CUT_OFF = 0.46;
    /** Kaiser window: about 80 dB in the stop band. */
    private static final double BETA = 8;

    private final int up;
    private final int down;
    private final int reach;
    /** Per output phase, the weight of each input sample around it. */
    private final float[][] phases;

    Resampler(int fromRate, int toRate) {
        int divisor = greatestCommonDivisor(fromRate, toRate);
        this.up = toRate / divisor;
        this.down = fromRate / divisor;
        double lower = Math.min(1.0, (double) toRate / fromRate);
        this.reach = (int) Math.ceil(HALF_WIDTH / lower);
        this.phases = new float[up][];
        for (int phase = 0; phase < up; phase++) phases[phase] = weights((double) phase / up, lower);
    }

    short[] resample(short[] samples) {
        var out = new short[(int) ((long) samples.length * up / down)];
        for (int n = 0; n < out.length; n++) {
            long position = (long) n * down;
            int first = (int) (position / up) - reach + 1;
            var weights = phases[(int) (position % up)];
            float sum = 0;
            for (int k = Math.max(0, -first), end = Math.min(weights.length, samples.length - first); k < end; k++) {
                sum += weights[k] * samples[first + k];
            }
            out[n] = (short) Math.max(-32_768, Math.min(32_767, Math.round(sum)));
        }
        return out;
    }

    /** Weights of the input samples from {@code reach - 1} before to {@code reach} after a point between two of them. */
    private float[] weights(double fraction, double lower) {
        var exact = new double[2 * reach];
        double gain = 0;
        for (int k = 0; k < exact.length; k++) {
            double distance = k - (reach - 1) - fraction;
            exact[k] = sinc(2 * CUT_OFF * lower * distance) * kaiser(distance / reach);
            gain += exact[k];
        }
        var weights = new float[exact.length];
        for (int k = 0; k < exact.length; k++) weights[k] = (float) (exact[k] / gain);
        return weights;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    }

    private static double kaiser(double x) {
        return Math.abs(x) > 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
    }

    /** The modified Bessel function of order zero, by its power series. */
    private static double bessel(double x) {
        double sum = 1;
        double term = 1;
        for (int k = 1; term > sum * 1e-12; k++) {
            term *= (x / (2 * k)) * (x / (2 * k));
            sum += term;
        }
        return sum;
    }

    private static int greatestCommonDivisor(int a, int b) {
        return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }
}
