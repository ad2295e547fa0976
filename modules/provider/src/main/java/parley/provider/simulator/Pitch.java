package parley.provider.simulator;

import parley.protocol.AudioFormat;

/**
 * How high a sound is: a fingerprint by which a turn can be told from another, not an analysis of a voice.
 *
 * <p>Counts how often loud sound changes its sign, beyond a noise that it ignores, from the first change to the last. A
 * tone is sound that changes its sign at even intervals, and whose slope has the frequency that these have: noise and
 * voices are uneven, overtones make it steeper.
 */
final class Pitch {

    /** Less than this, of 32 768, is neither positive nor negative. */
    private static final int NOISE = 100;
    /** Fewer changes say nothing. */
    private static final int FEWEST = 8;
    /** How far the two measures of a tone may be apart. */
    private static final double TOLERANCE = 0.1;
    /** How many of the intervals of a tone are as long as the one before; others begin and end a pause. */
    private static final double EVEN = 0.9;

    private int rate;
    private long samples;
    private boolean positive;
    private boolean begun;
    private long changes;
    private long firstChange;
    private long lastChange;
    private long interval;
    private long even;
    private int before;
    private long energy;
    private long slope;

    /** Takes loud sound. */
    void hear(AudioFormat format, byte[] bytes, int from, int length) {
        rate = Samples.rate(format);
        int width = Samples.width(format);
        for (int at = from, end = from + length; at < end; at += width) {
            int sample = Samples.sample(format, bytes, at);
            if (begun && (positive ? sample < -NOISE : sample > NOISE)) {
                positive = !positive;
                change();
            } else if (!begun && Math.abs(sample) > NOISE) {
                begun = true;
                positive = sample > 0;
            }
            energy += (long) sample * sample;
            slope += (long) (sample - before) * (sample - before);
            before = sample;
            samples++;
        }
    }

    /** Half the changes of sign per second, rounded; 0 when there were too few. */
    int hertz() {
        return (int) Math.round(bySign());
    }

    /** Whether there was nothing else than a tone. */
    boolean isTone() {
        double bySign = bySign();
        return bySign > 0 && even >= EVEN * (changes - 2) && Math.abs(bySlope() - bySign) <= TOLERANCE * bySign;
    }

    void forget() {
        samples = 0;
        begun = false;
        changes = 0;
        interval = 0;
        even = 0;
        before = 0;
        energy = 0;
        slope = 0;
    }

    private void change() {
        if (changes++ == 0) {
            firstChange = samples;
        } else {
            long now = samples - lastChange;
            // A sample more or less is the grid's doing.
            if (Math.abs(now - interval) <= 1 + TOLERANCE * interval) even++;
            interval = now;
        }
        lastChange = samples;
    }

    private double bySign() {
        return changes < FEWEST ? 0 : (changes - 1) / 2.0 * rate / (lastChange - firstChange);
    }

    /** Of a sine wave, the mean square of the differences is that of the samples times 2 - 2 cos(angle per sample). */
    private double bySlope() {
        double ratio = (double) slope / energy;
        return ratio >= 4 ? rate / 2.0 : Math.acos(1 - ratio / 2) * rate / (2 * Math.PI);
    }
}
