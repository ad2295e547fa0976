package parley.session;

import org.jspecify.annotations.Nullable;
import parley.admission.Arm;

/**
 * How fast the turns of a conversation are, told to the metrics.
 *
 * <p>A clock is read when something begins or is waited for, never for a frame of audio that nobody waits for: {@link
 * #awaitsAudio} and {@link #awaitsSent} are asked first. Confined to the conversation's loop.
 */
final class TurnTimes {
    private final SessionMetrics metrics;
    private final Arm arm;
    private final SessionTrace trace;
    private String provider = "none";
    private boolean due;
    private long dueSince;
    private boolean awaitsFirst;
    private boolean awaitsAudio;
    private boolean awaitsSent;
    private boolean awaitsWords;
    /** Whether the answer that is due is one to speech that has ended. */
    private boolean spoken;

    private long speechEnded;
    private long committed;
    private @Nullable String failure;

    /** @param trace looks at each turn by itself */
    TurnTimes(SessionMetrics metrics, Arm arm, SessionTrace trace) {
        this.metrics = metrics;
        this.arm = arm;
        this.trace = trace;
    }

    /** Who answers from now on. */
    void provider(String name) {
        provider = name;
    }

    void speechEnded(long now) {
        spoken = true;
        speechEnded = now;
    }

    /** The caller's turn is over; a caller who commits it was not heard to end. */
    void committed(long now) {
        if (!spoken) {
            speechEnded(now);
        }
        awaitsWords = true;
        committed = now;
    }

    /** The first words of what was said. */
    void words(long now) {
        if (awaitsWords) {
            awaitsWords = false;
            metrics.latency("partial_asr").record(now - committed);
        }
    }

    /** Whether the provider owes an answer. */
    void due(boolean now, long at) {
        if (now && !due) {
            dueSince = at;
            awaitsFirst = true;
            awaitsAudio = true;
            trace.turnBegan();
        } else if (!now && due) {
            awaitsFirst = false;
            // An answer without audio has been given, or none: what follows is another turn's.
            spoken &= !awaitsAudio;
            awaitsAudio = false;
            trace.turnEnded(failure);
            failure = null;
        }
        due = now;
    }

    /** The answer that is due was given up. */
    void failed(String why) {
        failure = due ? why : failure;
    }

    /** Words or audio, whatever comes first. */
    void first(long now) {
        if (awaitsFirst) {
            awaitsFirst = false;
            metrics.latency("first_token").record(now - dueSince);
            trace.firstToken(now - dueSince);
        }
    }

    boolean awaitsFirst() {
        return awaitsFirst;
    }

    boolean awaitsAudio() {
        return awaitsAudio;
    }

    /** The first audio of an answer came. */
    void audio(long now) {
        first(now);
        awaitsAudio = false;
        trace.inTurn("first_audio");
        metrics.firstAudio(arm, provider).record(now - dueSince);
        if (spoken) {
            metrics.turnLatency(arm, "received").record(now - speechEnded);
            awaitsSent = true;
        }
    }

    boolean awaitsSent() {
        return awaitsSent;
    }

    /** It was sent to the caller. */
    void sent(long now) {
        awaitsSent = false;
        spoken = false;
        trace.inTurn("first_audio_sent");
        metrics.turnLatency(arm, "sent").record(now - speechEnded);
    }

    /** The caller spoke over the agent, and nothing stale leaves any more. */
    void bargedIn(long nanos) {
        awaitsSent = false;
        trace.bargedIn();
        metrics.bargeIn().record(nanos);
        metrics.latency("barge_in").record(nanos);
    }
}
