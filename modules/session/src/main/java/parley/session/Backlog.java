package parley.session;

import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.protocol.AudioFormat;
import parley.protocol.EventType;
import parley.protocol.Peek;
import parley.wire.Frame;

/**
 * A caller's frames that wait for the session's line, in their order. At {@code relink-frames} that are no audio it is
 * full; at {@code relink-audio} of audio too, unless the oldest may be dropped. Confined to the caller's loop.
 */
final class Backlog {
    private static final long NO_AUDIO = -1;

    /** @param ms of audio; {@link #NO_AUDIO} for anything else */
    private record Waiting(Frame frame, long ms) {
        boolean isAudio() {
            return ms != NO_AUDIO;
        }
    }

    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private final Peek peek = new Peek();
    private final boolean dropsOldest;
    private final long maxMs;
    private final int maxFrames;
    private final SessionMetrics metrics;
    private long ms;
    private int frames;

    Backlog(boolean dropsOldest, SessionSettings settings, SessionMetrics metrics) {
        this.dropsOldest = dropsOldest;
        this.maxMs = settings.relinkAudio().toMillis();
        this.maxFrames = settings.relinkFrames();
        this.metrics = metrics;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    boolean isFull() {
        return frames >= maxFrames || (!dropsOldest && ms >= maxMs);
    }

    /** Takes the frame over. */
    void add(Frame frame) {
        waiting.add(counted(frame));
        dropOldest();
    }

    /** Puts frames, which are taken over, before those that wait. */
    void addFirst(List<Frame> earlier) {
        for (var frame : earlier.reversed()) {
            waiting.addFirst(counted(frame));
        }
        dropOldest();
    }

    @Nullable
    Frame poll() {
        var first = waiting.poll();
        return first == null ? null : uncounted(first);
    }

    void release() {
        waiting.forEach(each -> each.frame().release());
        waiting.clear();
        ms = 0;
        frames = 0;
    }

    private Waiting counted(Frame frame) {
        var bytes = frame.view();
        boolean audio = peek.scan(bytes, bytes.position(), frame.length())
                && peek.type() == EventType.INPUT_AUDIO_BUFFER_APPEND;
        if (!audio) {
            frames++;
            return new Waiting(frame, NO_AUDIO);
        }
        long length = AudioFormat.PCM16_24K.millis(peek.audioLength());
        ms += length;
        return new Waiting(frame, length);
    }

    private Frame uncounted(Waiting gone) {
        if (gone.isAudio()) {
            ms -= gone.ms();
        } else {
            frames--;
        }
        return gone.frame();
    }

    private void dropOldest() {
        if (!dropsOldest || ms <= maxMs) {
            return;
        }
        for (var each = waiting.iterator(); ms > maxMs && each.hasNext(); ) {
            var oldest = each.next();
            if (oldest.isAudio()) {
                each.remove();
                metrics.relinkDroppedMs.add(oldest.ms());
                uncounted(oldest).release();
            }
        }
    }
}
