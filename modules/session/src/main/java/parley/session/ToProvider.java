package parley.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent;
import parley.wire.Frame;

/**
 * What waits for the provider, in order, and what a lost one may not have kept. Control events never drop. Confined to
 * the conversation's loop.
 */
final class ToProvider {
    private enum Kind {
        AUDIO,
        EVENT,
        /** Asks for an answer. */
        ASK,
        /** Ends a spoken turn. */
        COMMIT,
        /** The same, of a turn that is told again. */
        COMMIT_AGAIN,
        /** Told to an earlier provider already: bounded by what was kept of it, and never dropped. */
        AGAIN
    }

    /** @param event what the frame says, when that is kept until the provider has taken it */
    private record Waiting(
            Frame frame, Kind kind, long audioMs, @Nullable ClientEvent event) {}

    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private final int maxFrames;
    private final long maxAudioMs;
    private final Utterance utterance;
    private final Untaken untaken;
    private final SessionMetrics metrics;
    private long audioMs;
    private int droppable;
    private int toldAgain;
    private int asks;

    /**
     * @param maxFrames at this many the caller is to be held back; audio that may be dropped does not count
     * @param maxAudioMs beyond it the oldest audio is dropped
     * @param utterance gets to know the audio that leaves
     */
    ToProvider(int maxFrames, long maxAudioMs, Utterance utterance, SessionMetrics metrics) {
        this.maxFrames = maxFrames;
        this.maxAudioMs = maxAudioMs;
        this.utterance = utterance;
        this.untaken = new Untaken(maxFrames);
        this.metrics = metrics;
    }

    boolean isFull() {
        int waiting = queue.size() - toldAgain;
        return (maxAudioMs == Long.MAX_VALUE ? waiting : waiting - droppable) >= maxFrames;
    }

    int size() {
        return queue.size();
    }

    /** How much of its bound is used, 0 to 1 and a little more. */
    double fullness() {
        double frames = (double) (queue.size() - toldAgain) / maxFrames;
        return maxAudioMs == Long.MAX_VALUE
                ? frames
                : Math.max((double) audioMs / maxAudioMs, (frames * maxFrames - droppable) / maxFrames);
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    /** Whether somebody asks for an answer, and no provider was told yet. */
    boolean hasAsk() {
        return asks > 0;
    }

    void control(Frame frame) {
        queue.add(new Waiting(frame, Kind.EVENT, 0, null));
    }

    /** A {@code response.create}. */
    void ask(Frame frame) {
        queue.add(new Waiting(frame, Kind.ASK, 0, null));
        asks++;
    }

    /**
     * The same, behind the turn that is told again with its end, and ahead of the other audio that waits: a turn in that
     * interrupts the answer, as it would have.
     */
    void askFirst(Frame frame) {
        boolean turnFirst = queue.stream().anyMatch(waiting -> waiting.kind() == Kind.COMMIT_AGAIN);
        var before = new ArrayDeque<Waiting>();
        while (!queue.isEmpty() && (turnFirst || queue.peek().audioMs() == 0)) {
            turnFirst &= queue.peek().kind() != Kind.COMMIT_AGAIN;
            before.push(queue.poll());
        }
        queue.addFirst(new Waiting(frame, Kind.ASK, 0, null));
        asks++;
        before.forEach(queue::addFirst);
    }

    /** An {@code input_audio_buffer.commit}. */
    void commit(Frame frame) {
        queue.add(new Waiting(frame, Kind.COMMIT, 0, null));
    }

    /** An item, or a change of the configuration: kept until the provider has taken it. */
    void kept(Frame frame, ClientEvent event) {
        queue.add(new Waiting(frame, Kind.EVENT, 0, event));
    }

    void audio(Frame frame, long ms) {
        queue.add(new Waiting(frame, Kind.AUDIO, ms, null));
        audioMs += ms;
        droppable += ms > 0 ? 1 : 0;
        if (audioMs > maxAudioMs) {
            dropOldestAudio();
        }
    }

    @Nullable
    Frame next() {
        var waiting = queue.poll();
        if (waiting == null) {
            return null;
        }
        forget(waiting);
        if (waiting.audioMs() > 0) {
            utterance.passes(waiting.frame(), waiting.audioMs());
        } else if (waiting.kind() == Kind.COMMIT || waiting.kind() == Kind.COMMIT_AGAIN) {
            utterance.tellsEnd();
        } else if (waiting.event() != null) {
            untaken.sent(waiting.event(), waiting.frame());
        }
        return waiting.frame();
    }

    /** What the provider has been sent, and may not have taken. */
    Untaken untaken() {
        return untaken;
    }

    /**
     * What the last provider was told and may not have kept goes first, for the next one.
     *
     * @param commit ends the turn that had been committed; null when the provider finds the turns by itself
     */
    void again(@Nullable Frame commit) {
        int committed = utterance.committedFrames();
        var again = new ArrayList<Waiting>();
        for (var sent : untaken.takeAgain()) {
            again.add(new Waiting(sent.frame(), Kind.AGAIN, 0, sent.event()));
        }
        int before = again.size();
        for (var spoken : utterance.takeAgain()) {
            again.add(new Waiting(spoken.frame(), Kind.AGAIN, spoken.ms(), null));
        }
        if (commit != null && committed > 0) {
            again.add(before + committed, new Waiting(commit, Kind.COMMIT_AGAIN, 0, null));
        } else if (commit != null) {
            commit.release();
        }
        toldAgain += again.size();
        again.reversed().forEach(queue::addFirst);
    }

    void release() {
        queue.forEach(waiting -> waiting.frame().release());
        queue.clear();
        audioMs = 0;
        droppable = 0;
        toldAgain = 0;
        asks = 0;
        utterance.release();
        untaken.release();
    }

    private void forget(Waiting waiting) {
        switch (waiting.kind()) {
            case AUDIO -> {
                audioMs -= waiting.audioMs();
                droppable -= waiting.audioMs() > 0 ? 1 : 0;
            }
            case ASK -> asks--;
            case AGAIN, COMMIT_AGAIN -> toldAgain--;
            case EVENT, COMMIT -> {}
        }
    }

    private void dropOldestAudio() {
        for (var all = queue.iterator(); all.hasNext() && audioMs > maxAudioMs; ) {
            var waiting = all.next();
            if (waiting.kind() == Kind.AUDIO && waiting.audioMs() > 0) {
                all.remove();
                forget(waiting);
                metrics.microphoneDroppedMs.add(waiting.audioMs());
                waiting.frame().release();
            }
        }
    }
}
