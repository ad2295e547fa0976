package parley.session;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;

/** What waits for the provider, in order. Control events never drop. Confined to the conversation's loop. */
final class ToProvider {
    private record Waiting(Frame frame, long audioMs) {}

    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private final ArrayDeque<Frame> first = new ArrayDeque<>();
    private final int maxFrames;
    private final long maxAudioMs;
    private final SessionMetrics metrics;
    private long audioMs;
    private int droppable;

    /**
     * @param maxFrames at this many the caller is to be held back; audio that may be dropped does not count
     * @param maxAudioMs beyond it the oldest audio is dropped
     */
    ToProvider(int maxFrames, long maxAudioMs, SessionMetrics metrics) {
        this.maxFrames = maxFrames;
        this.maxAudioMs = maxAudioMs;
        this.metrics = metrics;
    }

    boolean isFull() {
        return (maxAudioMs == Long.MAX_VALUE ? queue.size() : queue.size() - droppable) >= maxFrames;
    }

    /** Parley's own opening events, which go before whatever the caller said meanwhile. */
    void first(Frame frame) {
        first.add(frame);
    }

    void control(Frame frame) {
        queue.add(new Waiting(frame, 0));
    }

    void audio(Frame frame, long ms) {
        queue.add(new Waiting(frame, ms));
        audioMs += ms;
        droppable += ms > 0 ? 1 : 0;
        if (audioMs > maxAudioMs) {
            dropOldestAudio();
        }
    }

    /** @param all whether the caller's events may pass, or only the opening ones */
    @Nullable
    Frame next(boolean all) {
        var opening = first.poll();
        if (opening != null || !all) {
            return opening;
        }
        var waiting = queue.poll();
        if (waiting == null) {
            return null;
        }
        taken(waiting);
        return waiting.frame();
    }

    void release() {
        first.forEach(Frame::release);
        first.clear();
        queue.forEach(waiting -> waiting.frame().release());
        queue.clear();
        audioMs = 0;
        droppable = 0;
    }

    private void taken(Waiting waiting) {
        audioMs -= waiting.audioMs();
        droppable -= waiting.audioMs() > 0 ? 1 : 0;
    }

    private void dropOldestAudio() {
        for (var all = queue.iterator(); all.hasNext() && audioMs > maxAudioMs; ) {
            var waiting = all.next();
            if (waiting.audioMs() > 0) {
                all.remove();
                taken(waiting);
                metrics.microphoneDroppedMs.add(waiting.audioMs());
                waiting.frame().release();
            }
        }
    }
}
