package parley.session;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.netty.channel.EventLoop;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.wire.LogFields;

/** The door to every conversation of the cluster, whichever node it lives on. Thread-safe. */
public interface Sessions {
    /** A new session's id, such that the session will live on this node. */
    SessionId mint();

    /**
     * Opens a session without a line; a caller joins it later.
     *
     * @return {@link Answer.Opened}, or {@link Answer.Refused}
     */
    CompletionStage<Answer> open(SessionId id, Opening opening);

    /**
     * Puts a caller on the line.
     *
     * @return {@link Answer.Joined} with the line to the conversation, or {@link Answer.Refused}
     */
    CompletionStage<Answer> conversation(SessionId id, Join join, EventLoop loop);

    /**
     * Names the session that an interview of a tenant is held in. The same on every node, also when many ask at once: of a
     * new one who comes first decides. To join it say {@link Opening#interview}.
     *
     * @param over the one that was named before, when it is over: the next one is wanted; null: not known
     * @return fails when nobody answers
     */
    CompletionStage<Named> interview(String tenant, String interview, @Nullable SessionId over);

    /**
     * An interview's session.
     *
     * @param fresh whether it is new, and to be opened by whoever was told so
     * @param recent whether it may be new, and about to be opened by somebody else
     */
    record Named(SessionId session, boolean fresh, boolean recent) {}

    /** @return {@link Answer.Described}, or {@link Answer.Refused} when it is not this caller's session */
    CompletionStage<Answer> describe(SessionId id, CallerId caller);

    /**
     * Ends a session: the provider's line is closed, the caller is told.
     *
     * @return {@link Answer.Described} as it ended; repeating it is harmless
     */
    CompletionStage<Answer> end(SessionId id, CallerId caller);

    /**
     * The cluster's live sessions, for operators.
     *
     * @param after those with ids behind this one; "" for the first
     * @param limit at most so many
     */
    CompletionStage<Answer.Census> census(String after, int limit);

    /** The same as {@link #describe}, for operators: whoever's it is. */
    CompletionStage<Answer> inspect(SessionId id);

    /** The same as {@link #end}, for operators. */
    CompletionStage<Answer> stop(SessionId id);

    /** Whether this node has what conversations need. Answers at once, from what it knows already. */
    Vitals vitals();

    /**
     * What a session is opened with.
     *
     * @param model as the caller asked for it; null: whatever the first {@code session.update} names, or the default
     * @param rule of admission, that chose the arm; null: not known
     * @param revision of the rollout that the rule is of; null: not known
     * @param interview that the session is for, whose only line this is: one who shows no resume token is refused while
     *     somebody is there, and needs none when nobody is. Null: for none
     */
    record Opening(
            CallerId caller,
            Face face,
            Arm arm,
            @Nullable String model,
            @Nullable String rule,
            @Nullable Long revision,
            @Nullable String interview) {
        /** For no interview. */
        public Opening(
                CallerId caller,
                Face face,
                Arm arm,
                @Nullable String model,
                @Nullable String rule,
                @Nullable Long revision) {
            this(caller, face, arm, model, rule, revision, null);
        }
    }

    /**
     * How a caller comes on the line.
     *
     * @param opening what a new session is opened with, and who comes
     * @param again whether the session must exist already
     * @param resumeToken what {@code voice-welcome} gave; the strict face resumes with its credentials alone
     * @param lastSeq the number of the last event the caller has; {@link #NOT_TOLD} when it does not say
     * @param acks whether a guided caller is told of each message that was taken
     * @param trace the connection's, as {@link TraceParent} writes it; null: none
     */
    record Join(
            Opening opening,
            boolean again,
            @Nullable String resumeToken,
            long lastSeq,
            boolean acks,
            @Nullable String trace) {
        /** A caller that comes for the first time, or does not count. */
        public static final long NOT_TOLD = -1;

        /** Without acks, and nobody traces it. */
        public Join(Opening opening, boolean again, @Nullable String resumeToken, long lastSeq) {
            this(opening, again, resumeToken, lastSeq, false, null);
        }

        /**
         * Whom lines of the log about this caller concern.
         *
         * @param session null: not known yet
         */
        public LogFields concerns(@Nullable SessionId session) {
            return SessionLog.of(
                    session,
                    opening.caller(),
                    TraceParent.parse(trace).map(TraceParent::traceId).orElse(""));
        }

        /** Without the token, which is nobody's to read. */
        @Override
        public String toString() {
            return "Join[again=" + again + ", lastSeq=" + lastSeq + "]";
        }

        /** Also reads what a node of 0.1 sends, which does not count. */
        @JsonCreator
        static Join read(
                @JsonProperty("opening") Opening opening,
                @JsonProperty("again") boolean again,
                @JsonProperty("resumeToken") @Nullable String resumeToken,
                @JsonProperty("lastSeq") @Nullable Long lastSeq,
                @JsonProperty("acks") boolean acks,
                @JsonProperty("trace") @Nullable String trace) {
            return new Join(opening, again, resumeToken, lastSeq == null ? NOT_TOLD : lastSeq, acks, trace);
        }
    }
}
