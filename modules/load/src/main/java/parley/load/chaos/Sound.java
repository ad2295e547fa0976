package parley.load.chaos;

import java.util.ArrayList;
import java.util.List;
import parley.load.AppendText;

/**
 * What callers send: a second of a tone whose pitch tells which turn it is, and silence. Made once, shared by all.
 *
 * <p>24 kHz, 16 bit, little-endian, one channel, in frames of {@value #FRAME_MILLIS} ms.
 */
final class Sound {
    static final int FRAME_MILLIS = 100;
    /** Frames of one spoken turn. */
    static final int FRAMES = 10;

    private static final int RATE = 24_000;
    private static final int PITCHES = 40;
    private static final int LOWEST = 300;
    private static final int STEP = 25;
    private static final double LOUDNESS = 0.3;

    /** For every caller of this process. */
    static final Sound SHARED = new Sound();

    private final List<List<AppendText>> tones = new ArrayList<>();
    private final AppendText silence = new AppendText(new byte[RATE / 1000 * FRAME_MILLIS * 2]);

    private Sound() {
        for (int pitch = 0; pitch < PITCHES; pitch++) {
            var frames = new ArrayList<AppendText>();
            for (int frame = 0; frame < FRAMES; frame++) frames.add(new AppendText(pcm(hertz(pitch), frame)));
            tones.add(List.copyOf(frames));
        }
    }

    /** The pitch of a turn: a provider that measures it can tell which turn it heard. */
    static int hertz(int turn) {
        return LOWEST + STEP * (turn % PITCHES);
    }

    AppendText tone(int turn, int frame) {
        return tones.get(turn % PITCHES).get(frame);
    }

    AppendText silence() {
        return silence;
    }

    private static byte[] pcm(int hertz, int frame) {
        int samples = RATE / 1000 * FRAME_MILLIS;
        var pcm = new byte[samples * 2];
        for (int i = 0; i < samples; i++) {
            double t = (double) (frame * samples + i) / RATE;
            int sample = (int) (LOUDNESS * Short.MAX_VALUE * Math.sin(2 * Math.PI * hertz * t));
            pcm[2 * i] = (byte) sample;
            pcm[2 * i + 1] = (byte) (sample >> 8);
        }
        return pcm;
    }
}
