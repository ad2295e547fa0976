package parley.provider.simulator;

/**
 * Tells speech from silence by loudness alone, one window at a time.
 *
 * <p>Speech begins with {@link #ONSET_WINDOWS} loud windows in a row, so that a click is not speech; it ends with quiet
 * windows in a row that last as long as the turn detection asks for. A threshold of 0.5 is -40 dB below full scale:
 * above the noise of a quiet room, below any voice near a microphone.
 */
final class VoiceActivity {

    /** What one window changed. */
    enum Change {
        NONE,
        STARTED,
        STOPPED
    }

    static final int WINDOW_MILLIS = 20;
    static final int ONSET_WINDOWS = 3;

    private boolean speaking;
    private int loud;
    private int quiet;

    boolean speaking() {
        return speaking;
    }

    /** Takes the mean square of the next window. */
    Change hear(double meanSquare, double threshold, long silenceMillis) {
        boolean isLoud = meanSquare > level(threshold);
        loud = isLoud ? loud + 1 : 0;
        quiet = isLoud ? 0 : quiet + 1;
        if (!speaking && loud >= ONSET_WINDOWS) {
            speaking = true;
            return Change.STARTED;
        }
        if (speaking && quiet > 0 && (long) quiet * WINDOW_MILLIS >= silenceMillis) {
            speaking = false;
            return Change.STOPPED;
        }
        return Change.NONE;
    }

    void forget() {
        speaking = false;
        loud = 0;
        quiet = 0;
    }

    /** Mean square that separates speech from silence: -60 dB at threshold 0, -20 dB at threshold 1. */
    static double level(double threshold) {
        return Math.pow(10, (-60 + 40 * threshold) / 10);
    }
}
