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

    /** @param item what the frame makes an item of the conversation, if it does */
    private record Waiting(Frame frame, Kind kind, long audioMs, ClientEvent.@Nullable ConversationItemCreate item) {}

    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private final int maxFrames;
    private final long maxAudioMs;
    private final Utterance utterance;
    private final Typed typed;
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
        this.typed = new Typed(maxFrames);
        this.metrics = metrics;
    }

    boolean isFull() {
        int waiting = queue.size() - toldAgain;
        return (maxAudioMs == Long.MAX_VALUE ? waiting : waiting - droppable) >= maxFrames;
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

    /** The same, ahead of the audio that waits: a turn in it interrupts the answer, as it would have. */
    void askFirst(Frame frame) {
        var before = new ArrayDeque<Waiting>();
        while (!queue.isEmpty() && queue.peek().audioMs() == 0) {
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

    /** Something the caller wrote: kept until {@link #taken}. */
    void item(Frame frame, ClientEvent.ConversationItemCreate event) {
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
            utterance.committed();
        } else if (waiting.item() != null) {
            typed.sent(waiting.item(), waiting.frame());
        }
        return waiting.frame();
    }

    /** The provider has made an item of something the caller wrote. */
    void taken(parley.protocol.Item item) {
        typed.taken(item);
    }

    /**
     * What the last provider was told and may not have kept goes first, for the next one.
     *
     * @param commit ends the turn that had been committed; null when the provider finds the turns by itself
     */
    void again(@Nullable Frame commit) {
        int committed = utterance.committedFrames();
        var again = new ArrayList<Waiting>();
        for (var sent : typed.takeAgain()) {
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
        typed.release();
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
