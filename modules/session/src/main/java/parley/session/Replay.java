package parley.session;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;

/**
 * What was sent to a caller and may have been lost on the way: numbered events, in their order, without a gap.
 *
 * <p>Bounded by {@code replay.events} and by {@code replay.audio} of agent audio; beyond either the oldest go. It keeps
 * the very bytes that are on the wire, which may still be written, on other event loops: it only reads them, and what it
 * sends again has no room for a header in front of it, so that the headers of two writers never meet.
 */
final class Replay {
    /**
     * An event as it was sent.
     *
     * @param speech what it is a slice of, from {@code speechMs} on; null for everything but agent audio
     * @param only whether nothing else tells it; else it is in the history
     */
    record Sent(
            long seq,
            ByteBuf bytes,
            int from,
            int length,
            long audioMs,
            @Nullable Playback speech,
            long speechMs,
            boolean only) {
        Frame again() {
            return Frame.text(bytes.retainedSlice(from, length));
        }

        /** Without its number, as if it had never been sent. */
        Frame anew() {
            return Frame.spliced(BRACE, again(), prefix(seq).length);
        }
    }

    private static final byte[] BRACE = {'{'};

    /** What an event begins with instead of its brace. */
    static byte[] prefix(long seq) {
        return ("{\"seq\":" + seq + ",").getBytes(StandardCharsets.US_ASCII);
    }

    private final ArrayDeque<Sent> kept = new ArrayDeque<>();
    private final int mostEvents;
    private final long mostAudioMs;
    private final SessionMetrics metrics;
    private long keptAudioMs;
    /** The last number that is not kept any more. */
    private long gone;
    /** From here on it is known how much audio has gone. */
    private long counted;

    private long goneAudioMs;
    /** The last number that the caller said it has; 0 before it did. */
    private long acked;

    /** @param seq the last number that was given before */
    Replay(SessionSettings settings, SessionMetrics metrics, long seq) {
        this.mostEvents = settings.replayEvents();
        this.mostAudioMs = settings.replayAudio().toMillis();
        this.metrics = metrics;
        this.gone = seq;
        this.counted = seq;
    }

    int size() {
        return kept.size();
    }

    /** How much of its bound is used, 0 to 1. */
    double fullness() {
        return Math.max((double) kept.size() / mostEvents, (double) keptAudioMs / Math.max(1, mostAudioMs));
    }

    /** The next event is about to be sent; the frame stays the sender's. */
    void keep(long seq, Frame frame, long audioMs, @Nullable Playback speech, long speechMs, boolean only) {
        var bytes = frame.buffer().retain();
        kept.add(new Sent(seq, bytes, bytes.readerIndex(), bytes.readableBytes(), audioMs, speech, speechMs, only));
        keptAudioMs += audioMs;
        while (kept.size() > mostEvents || keptAudioMs > mostAudioMs) {
            long ms = forgetOldest();
            goneAudioMs += ms;
            metrics.replayForgottenMs.add(ms);
        }
    }

    private long forgetOldest() {
        var oldest = kept.remove();
        oldest.bytes().release();
        keptAudioMs -= oldest.audioMs();
        gone = oldest.seq();
        return oldest.audioMs();
    }

    /** The caller has everything up to this number. */
    void acked(long seq) {
        acked = Math.max(acked, seq);
        while (!kept.isEmpty() && kept.getFirst().seq() <= seq) {
            forgetOldest();
        }
        if (seq >= gone) {
            counted = gone;
            goneAudioMs = 0;
        }
    }

    long acked() {
        return acked;
    }

    /** Whether everything above this number is here. */
    boolean reachesBackTo(long seq) {
        return seq >= gone;
    }

    /** What is here above this number, oldest first. */
    List<Sent> after(long seq) {
        var missed = new ArrayList<Sent>();
        for (var sent : kept) {
            if (sent.seq() > seq) {
                missed.add(sent);
            }
        }
        return missed;
    }

    /**
     * How much agent audio was sent above this number; -1 when that is not known. Of what has gone unacknowledged only
     * the sum is known: part of it is taken in proportion to the events.
     */
    long audioMsAfter(long seq) {
        if (seq < counted) {
            return -1;
        }
        if (seq >= gone) {
            return after(seq).stream().mapToLong(Sent::audioMs).sum();
        }
        return keptAudioMs + goneAudioMs * (gone - seq) / (gone - counted);
    }

    /** Forgets everything; the next number follows this one. */
    void clear(long seq) {
        kept.forEach(sent -> sent.bytes().release());
        kept.clear();
        keptAudioMs = 0;
        gone = seq;
        counted = seq;
        goneAudioMs = 0;
    }

    int events() {
        return kept.size();
    }

    long audioMs() {
        return keptAudioMs;
    }
}
