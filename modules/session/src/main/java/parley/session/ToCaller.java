package parley.session;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.protocol.EventType;
import parley.protocol.Peek;
import parley.wire.Frame;

/**
 * What waits for the caller: what may be heard at once, and what has its time.
 *
 * <p>For a guided face agent audio is let go at most {@code agent-lead} before it can be heard, and what belongs to a
 * response keeps its place behind the audio; everything else overtakes it. For the strict face all keeps its order and
 * leaves as fast as the caller takes it. A barge-in throws the waiting audio away on both. Confined to the
 * conversation's loop.
 */
final class ToCaller {
    /** An item of which the caller heard only so much. */
    record Cut(String itemId, long heardMs) {}

    private final ArrayDeque<Frame> urgent = new ArrayDeque<>();
    private final ArrayDeque<OutFrame> inTurn = new ArrayDeque<>();
    private final boolean guided;
    private final long leadMs;
    private final long bufferMs;
    private final int bufferFrames;
    private final SessionMetrics metrics;
    private @Nullable Playback speech;
    private @Nullable String interrupted;
    private @Nullable ScheduledFuture<?> wake;
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
        return guided ? waitingMs >= bufferMs : inTurn.size() >= bufferFrames;
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
        if (guided && overtakes(type)) {
            urgent(frame);
        } else {
            control(frame);
        }
    }

    void audio(Frame frame, Peek peek, long ms, Witness witness) {
        if (interrupted != null && peek.isResponse(interrupted)) {
            metrics.staleAudioMs.add(ms);
            frame.release();
            return;
        }
        if (speech == null || !peek.isItem(speech.itemId)) {
            speech = new Playback(String.valueOf(peek.itemId()), String.valueOf(peek.responseId()), speech);
        }
        speech.generated(ms);
        witness.generated(speech.itemId, ms);
        inTurn.add(new OutFrame(frame, ms, witness.isAside(speech.responseId) ? null : speech));
        waitingMs += ms;
    }

    void responseDone(String responseId, Frame frame) {
        if (responseId.equals(interrupted)) {
            interrupted = null;
        }
        control(frame);
    }

    void playback(String itemId, long playedMs, long now) {
        if (speech != null && speech.itemId.equals(itemId) && playedMs >= 0) {
            speech.acknowledged(playedMs, now);
        }
    }

    /** The caller speaks: nothing more of what the agent was saying leaves. Tells what was cut, if anything was. */
    Optional<Cut> interrupt(long now, Witness witness) {
        var talking = speech;
        if (talking == null || witness.isAside(talking.responseId)) {
            return Optional.empty();
        }
        dropAudio();
        interrupted = talking.responseId;
        long heard = talking.heardMs(now);
        if (heard >= talking.generatedMs()) {
            return Optional.empty();
        }
        speech = null;
        return Optional.of(new Cut(talking.itemId, heard));
    }

    void dropAudio() {
        for (var all = inTurn.iterator(); all.hasNext(); ) {
            var waiting = all.next();
            if (waiting.audioMs() > 0) {
                all.remove();
                metrics.staleAudioMs.add(waiting.audioMs());
                waiting.frame().release();
            }
        }
        waitingMs = 0;
    }

    /** Nobody is on the line: what waits is for nobody. */
    void nobodyListens() {
        metrics.framesToNobody.add((long) urgent.size() + inTurn.size());
        urgent.forEach(Frame::release);
        urgent.clear();
        inTurn.forEach(waiting -> waiting.frame().release());
        inTurn.clear();
        waitingMs = 0;
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
                wakeIn(due, loop, readable);
                return null;
            }
            slice.sent(waiting.audioMs(), now);
        }
        inTurn.remove();
        waitingMs -= waiting.audioMs();
        return numbered(waiting.frame());
    }

    private void wakeIn(long nanos, EventLoop loop, Runnable readable) {
        if (wake == null || wake.isDone()) {
            wake = loop.schedule(readable, nanos, TimeUnit.NANOSECONDS);
        }
    }

    /** Guided faces count the events of a session, so that a caller who comes back can say what was the last. */
    private Frame numbered(Frame frame) {
        if (!guided || frame.length() < 2) {
            return frame;
        }
        var prefix = "{\"seq\":" + ++seq + ",";
        return Frame.spliced(prefix.getBytes(StandardCharsets.US_ASCII), frame, 1);
    }

    private static boolean overtakes(EventType type) {
        return switch (type) {
            case INPUT_AUDIO_BUFFER_SPEECH_STARTED,
                    INPUT_AUDIO_BUFFER_SPEECH_STOPPED,
                    INPUT_AUDIO_BUFFER_COMMITTED,
                    INPUT_AUDIO_BUFFER_CLEARED,
                    INPUT_AUDIO_BUFFER_TIMEOUT_TRIGGERED,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_FAILED,
                    CONVERSATION_ITEM_TRUNCATED,
                    ERROR,
                    SESSION_UPDATED -> true;
            default -> false;
        };
    }
}
