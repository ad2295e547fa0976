package parley.provider.simulator;

import java.util.Arrays;
import java.util.List;
import parley.protocol.AudioFormat;

/**
 * What a caller has said since the last commit. Counts all of it, keeps its beginning up to a bound.
 */
final class Turn {

    private static final int FIRST_ROOM = 16 * 1024;

    private final long most;
    private final SimulatorCounters counters;
    private byte[] kept = {};
    private int length;
    private long dropped;
    private long firstLoud = -1;
    private long lastLoud = -1;

    Turn(long most, SimulatorCounters counters) {
        this.most = most;
        this.counters = counters;
    }

    void add(byte[] bytes, int from, int count, boolean loud) {
        if (loud) {
            if (firstLoud < 0) firstLoud = bytes();
            lastLoud = bytes() + count;
        }
        int fits = (int) Math.min(count, most - length);
        if (length + fits > kept.length) {
            kept = Arrays.copyOf(kept, (int)
                    Math.min(most, Math.max(FIRST_ROOM, Math.max(length + fits, 2L * length))));
        }
        System.arraycopy(bytes, from, kept, length, fits);
        length += fits;
        dropped += count - fits;
        counters.forgottenAudioBytes.add(count - fits);
    }

    /** All bytes, kept or not. */
    long bytes() {
        return length + dropped;
    }

    /** Bytes between the first loud window and the end of the last. */
    long speechBytes() {
        return firstLoud < 0 ? 0 : lastLoud - firstLoud;
    }

    /** Forgets all but the newest bytes; for silence before speech, which is never as long as the bound. */
    void keepNewest(long count) {
        int cut = (int) Math.max(0, length - count);
        if (cut == 0) return;
        System.arraycopy(kept, cut, kept, 0, length - cut);
        length -= cut;
        firstLoud = lastLoud <= cut ? -1 : Math.max(0, firstLoud - cut);
        lastLoud = firstLoud < 0 ? -1 : lastLoud - cut;
    }

    /** The sound as far as it was kept; this turn is then empty. */
    ItemAudio take(AudioFormat format) {
        var sound = new ItemAudio(format, List.of(Arrays.copyOf(kept, length)), length);
        clear();
        return sound;
    }

    void clear() {
        length = 0;
        dropped = 0;
        firstLoud = -1;
        lastLoud = -1;
        if (kept.length > FIRST_ROOM * 16) kept = new byte[] {};
    }
}
