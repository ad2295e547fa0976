package parley.session;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.wire.Port;

/** What a session says back. */
public sealed interface Answer {
    /** The session exists and waits for its caller. */
    record Opened(SessionId id) implements Answer, CborSerializable {}

    /**
     * The caller is on the line.
     *
     * @param line to be joined once, on the loop it was asked for, with the caller's socket; or to be closed. It ends when
     *     the session or the line ends, with the close code for the caller.
     */
    record Joined(SessionId id, Port line) implements Answer {}

    /** A session as it is now. */
    record Described(View session, List<Turn> transcript) implements Answer, CborSerializable {
        public Described {
            transcript = List.copyOf(transcript);
        }
    }

    /** Not done, and why. */
    record Refused(Refusal why, String detail, @Nullable Duration retryAfter) implements Answer, CborSerializable {}

    /**
     * Live sessions of the cluster.
     *
     * @param sessions in the order of their ids
     * @param silent nodes that did not answer in time
     */
    record Census(List<View> sessions, List<String> silent) {
        public Census {
            sessions = List.copyOf(sessions);
            silent = List.copyOf(silent);
        }
    }

    /** The kinds of refusal. */
    enum Refusal {
        /** No session of this id, or not this caller's: the two look the same from outside. */
        UNKNOWN,
        /** It was, and is over. */
        OVER,
        /** The resume token is not the present one; or an interview is another caller's. */
        FORBIDDEN,
        /** An interview has its one line already. */
        TAKEN,
        /** The session's node or the journal does not answer in time. */
        UNAVAILABLE
    }

    /**
     * A session, told to those who may know.
     *
     * @param phase {@code opening}, {@code live} or {@code over}
     * @param rule of admission, that chose the arm; null where nobody knows
     * @param revision of the rollout that the rule is of; null where nobody knows
     * @param node the Pekko address of the node it lives on
     * @param edgeNode of the node that holds the caller's socket; null while nobody is on the line
     * @param provider null until one took it
     * @param endReason null until it is over
     */
    record View(
            SessionId id,
            CallerId caller,
            Face face,
            Arm arm,
            String phase,
            String node,
            @Nullable String edgeNode,
            @Nullable String provider,
            @Nullable String model,
            boolean attached,
            int turns,
            Tokens tokens,
            double costUsd,
            Instant openedAt,
            @Nullable EndReason endReason,
            @Nullable String rule,
            @Nullable Long revision)
            implements CborSerializable {
        /** Token counts as the provider reported them. */
        public record Tokens(long textIn, long audioIn, long cachedIn, long textOut, long audioOut) {}
    }
}
