package parley.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import parley.protocol.EventType;
import parley.protocol.Peek;
import parley.wire.Frame;

/**
 * What waits for the caller: what may be heard at once, and what has its time.
 *
 * <p>For a guided face agent audio is let go at most {@code agent-lead} before it can be heard, and what belongs to a
 * response keeps its place behind the audio; everything else overtakes it. For the strict face all keeps its order and
 * leaves as fast as the caller takes it. A barge-in throws the waiting audio away on both. Beyond {@code agent-buffer} of
 * audio or {@value #MAX_FRAMES} frames, for the strict face {@code to-caller-frames}, the provider is to be held back;
 * beyond {@code to-caller-frames} that overtake, the caller. Confined to the conversation's loop.
 */
final class ToCaller {
    /** An item of which the caller heard only so much. */
    record Cut(String itemId, long heardMs) {}

    /** A guided caller's frames of any kind: more than {@code agent-buffer} of speech comes in. */
    private static final int MAX_FRAMES = 8192;

    private final ArrayDeque<Frame> urgent = new ArrayDeque<>();
    private final ArrayDeque<OutFrame> inTurn = new ArrayDeque<>();
    private final boolean guided;
    private final long leadMs;
    private final long bufferMs;
    private final int bufferFrames;
    private final SessionMetrics metrics;
    /** What is being heard and what is to be heard after it, in that order. */
    private final ArrayList<Playback> speech = new ArrayList<>();

    private @Nullable String responding;
    private @Nullable String interrupted;
    private @Nullable ScheduledFuture<?> wake;
    private long wakeAt;
    private long waitingMs;
    private long seq;

    ToCaller(Face face, SessionSettings settings, SessionMetrics metrics) {
        this.guided = face.guided();
        this.leadMs = settings.agentLead().toMillis();
        this.bufferMs = settings.agentBuffer().toMillis();
        this.bufferFrames = settings.toCallerFrames();
        this.metrics = metrics;
    }

    /** Whether the provider is to be held back. */
    boolean isFull() {
        int frames = urgent.size() + inTurn.size();
        return guided ? waitingMs >= bufferMs || frames >= MAX_FRAMES : frames >= bufferFrames;
    }

    /** Whether the caller is to be held back: it does not take the answers to what it says. */
    boolean isFlooded() {
        return urgent.size() >= bufferFrames;
    }

    /** Ahead of everything. */
    void first(Frame frame) {
        urgent.addFirst(frame);
    }

    /** Ahead of everything that has its time. */
    void urgent(Frame frame) {
        urgent.add(frame);
    }

    /** In its place among what the response says. */
    void control(Frame frame) {
        inTurn.add(new OutFrame(frame, 0, null));
    }

    /** An event of the provider, in the place that its kind has. */
    void event(Frame frame, EventType type) {
        if (overtakes(type)) {
            fromOutside(frame);
        } else {
            control(frame);
        }
    }

    /** What is no part of an answer does not wait for one to be heard; the strict face keeps the provider's order. */
    void fromOutside(Frame frame) {
        if (guided) {
            urgent(frame);
        } else {
            control(frame);
        }
    }

    void audio(Frame frame, Peek peek, long ms, Witness witness) {
        if (witness.isAside(peek)) {
            add(new OutFrame(frame, ms, null));
            return;
        }
        if (interrupted != null && peek.isResponse(interrupted)) {
            metrics.staleAudioMs.add(ms);
            witness.unheard(String.valueOf(peek.itemId()), ms);
            frame.release();
            return;
        }
        var playback = playbackOf(peek);
        playback.generated(ms);
        witness.generated(playback.itemId, ms);
        add(new OutFrame(frame, ms, playback));
    }

    private Playback playbackOf(Peek peek) {
        for (int i = speech.size() - 1; i >= 0; i--) {
            if (peek.isItem(speech.get(i).itemId)) {
                return speech.get(i);
            }
        }
        var begun = new Playback(
                String.valueOf(peek.itemId()),
                String.valueOf(peek.responseId()),
                speech.isEmpty() ? null : speech.getLast());
        speech.add(begun);
        return begun;
    }

    private void add(OutFrame frame) {
        inTurn.add(frame);
        waitingMs += frame.audioMs();
    }

    /** A response of the conversation, not one beside it. */
    void responseBegun(String responseId) {
        responding = responseId;
    }

    void responseDone(String responseId, Frame frame) {
        if (responseId.equals(interrupted)) {
            interrupted = null;
        }
        if (responseId.equals(responding)) {
            responding = null;
        }
        for (var item : speech) {
            if (item.responseId.equals(responseId)) {
                item.completed();
            }
        }
        control(frame);
    }

    void playback(String itemId, long playedMs, long now) {
        for (var item : speech) {
            if (playedMs >= 0 && item.itemId.equals(itemId)) {
                item.acknowledged(playedMs, now);
            }
        }
    }

    /**
     * The caller speaks: nothing more of what the agent was saying leaves. Tells what was cut, in the order in which it
     * would have been heard.
     */
    List<Cut> interrupt(long now) {
        if (responding != null) {
            interrupted = responding;
        } else if (!speech.isEmpty() && !speech.getLast().isComplete()) {
            interrupted = speech.getLast().responseId;
        }
        drop(waiting -> waiting.speech() != null);
        int current = 0;
        for (int i = 0; i < speech.size(); i++) {
            if (speech.get(i).heardMs(now) > 0) {
                current = i;
            }
        }
        var cuts = new ArrayList<Cut>();
        for (var item : speech.subList(Math.min(current, speech.size()), speech.size())) {
            if (!item.isOver(now)) {
                cuts.add(new Cut(item.itemId, item.heardMs(now)));
            }
        }
        speech.clear();
        return cuts;
    }

    void dropAudio() {
        drop(waiting -> waiting.speech() != null || waiting.audioMs() > 0);
    }

    private void drop(Predicate<OutFrame> unwanted) {
        for (var all = inTurn.iterator(); all.hasNext(); ) {
            var waiting = all.next();
            if (unwanted.test(waiting)) {
                all.remove();
                waitingMs -= waiting.audioMs();
                metrics.staleAudioMs.add(waiting.audioMs());
                waiting.frame().release();
            }
        }
    }

    /** Nobody is on the line: what waits is for nobody. */
    void nobodyListens() {
        metrics.framesToNobody.add((long) urgent.size() + inTurn.size());
        urgent.forEach(Frame::release);
        urgent.clear();
        inTurn.forEach(waiting -> waiting.frame().release());
        inTurn.clear();
        waitingMs = 0;
        if (speech.size() > 1) {
            speech.subList(0, speech.size() - 1).clear();
            speech.getLast().isFirst();
        }
    }

    /**
     * The next frame that may leave now, or null; then {@code readable} is run when the time of the next has come.
     */
    @Nullable
    Frame next(long now, EventLoop loop, Runnable readable) {
        var first = urgent.poll();
        if (first != null) {
            return numbered(first);
        }
        var waiting = inTurn.peek();
        if (waiting == null) {
            return null;
        }
        var slice = waiting.speech();
        if (slice != null) {
            long due = guided ? slice.dueIn(leadMs, now) : 0;
            if (due > 0) {
                wakeIn(due, now, loop, readable);
                return null;
            }
            slice.sent(waiting.audioMs(), now);
            forgetHeard(now);
        }
        inTurn.remove();
        waitingMs -= waiting.audioMs();
        return numbered(waiting.frame());
    }

    /** An item is over when the next one is being heard, or nothing of it is left. */
    private void forgetHeard(long now) {
        while (speech.size() > 1
                && (speech.getFirst().isOver(now) || speech.get(1).heardMs(now) > 0)) {
            speech.removeFirst();
        }
    }

    private void wakeIn(long nanos, long now, EventLoop loop, Runnable readable) {
        if (wake != null && !wake.isDone()) {
            if (wakeAt - (now + nanos) <= 0) {
                return;
            }
            wake.cancel(false);
        }
        wakeAt = now + nanos;
        wake = loop.schedule(readable, nanos, TimeUnit.NANOSECONDS);
    }

    /**
     * Guided faces count the events of a session, so that a caller who comes back can say what was the last. What is no
     * JSON object with a key goes out as it is, and is not counted.
     */
    private Frame numbered(Frame frame) {
        if (!guided || !frame.isText()) {
            return frame;
        }
        var bytes = frame.buffer();
        int brace = skipSpace(bytes, bytes.readerIndex());
        if (brace >= bytes.writerIndex() || bytes.getByte(brace) != '{') {
            return frame;
        }
        int key = skipSpace(bytes, brace + 1);
        if (key >= bytes.writerIndex() || bytes.getByte(key) != '"') {
            return frame;
        }
        var prefix = "{\"seq\":" + ++seq + ",";
        return Frame.spliced(prefix.getBytes(StandardCharsets.US_ASCII), frame, brace + 1 - bytes.readerIndex());
    }

    private static int skipSpace(ByteBuf bytes, int from) {
        int at = from;
        while (at < bytes.writerIndex() && bytes.getByte(at) <= ' ' && bytes.getByte(at) >= 0) {
            at++;
        }
        return at;
    }

    private static boolean overtakes(EventType type) {
        return switch (type) {
            case INPUT_AUDIO_BUFFER_SPEECH_STARTED,
                    INPUT_AUDIO_BUFFER_SPEECH_STOPPED,
                    INPUT_AUDIO_BUFFER_COMMITTED,
                    INPUT_AUDIO_BUFFER_CLEARED,
                    INPUT_AUDIO_BUFFER_TIMEOUT_TRIGGERED,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_FAILED,
                    CONVERSATION_ITEM_TRUNCATED,
                    ERROR,
                    SESSION_UPDATED -> true;
            default -> false;
        };
    }
}
