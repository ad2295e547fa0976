package parley.session;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.admission.CallerId;

/**
 * Facts about a session. Journaled: a field may be added with a default, never renamed, retyped or removed. Never
 * audio.
 */
sealed interface SessionEvent extends CborSerializable {
    Instant at();

    /**
     * Somebody was admitted.
     *
     * @param rule of admission, that chose the arm; null where a release before 0.2 wrote it
     * @param revision of the rollout that the rule is of; null where it was not written yet
     * @param interview that the session is for; null: none
     */
    record Opened(
            CallerId caller,
            Face face,
            Arm arm,
            @Nullable String model,
            Instant at,
            @Nullable String rule,
            @Nullable Long revision,
            @Nullable String interview)
            implements SessionEvent {
        /** For no interview. */
        Opened(
                CallerId caller,
                Face face,
                Arm arm,
                @Nullable String model,
                Instant at,
                @Nullable String rule,
                @Nullable Long revision) {
            this(caller, face, arm, model, at, rule, revision, null);
        }
    }

    /**
     * A node holds the session from now on, and may dial. Written before it does: whoever held it before cannot write any
     * more, because the journal takes each number once.
     *
     * @param host one life of the entity on one node; nobody else ever has this name
     */
    record Hosted(String host, Instant at) implements SessionEvent {}

    /** The host let go of the session in good order: what was numbered up to {@code seq} has left for the caller. */
    record HandedOver(long seq, Instant at) implements SessionEvent {}

    /**
     * What the conversation told, all of it or nothing. Its number is one more than the last: what is told again, because
     * nobody knew whether it was written, is known by it.
     */
    record Told(
            long number,

            @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "fact")
            @JsonSubTypes({
                @JsonSubTypes.Type(value = HandedOver.class, name = "handed_over"),
                @JsonSubTypes.Type(value = UpstreamOpened.class, name = "upstream_opened"),
                @JsonSubTypes.Type(value = UpstreamLost.class, name = "upstream_lost"),
                @JsonSubTypes.Type(value = Configured.class, name = "configured"),
                @JsonSubTypes.Type(value = UserSaid.class, name = "user_said"),
                @JsonSubTypes.Type(value = UserTranscribed.class, name = "user_transcribed"),
                @JsonSubTypes.Type(value = AnswerBegan.class, name = "answer_began"),
                @JsonSubTypes.Type(value = AgentHeard.class, name = "agent_heard"),
                @JsonSubTypes.Type(value = AgentSaid.class, name = "agent_said"),
                @JsonSubTypes.Type(value = AgentCut.class, name = "agent_cut"),
                @JsonSubTypes.Type(value = AnswerEnded.class, name = "answer_ended"),
                @JsonSubTypes.Type(value = ToolCalled.class, name = "tool_called"),
                @JsonSubTypes.Type(value = ToolAnswered.class, name = "tool_answered"),
                @JsonSubTypes.Type(value = ItemDeleted.class, name = "item_deleted"),
                @JsonSubTypes.Type(value = Spent.class, name = "spent"),
                @JsonSubTypes.Type(value = Warned.class, name = "warned"),
                @JsonSubTypes.Type(value = Ended.class, name = "ended")
            })
            List<SessionEvent> facts,

            Instant at)
            implements SessionEvent {
        public Told {
            facts = List.copyOf(facts);
        }
    }

    /**
     * A caller came on the line; whoever shows the token may come again. Only its hash is kept.
     *
     * @param resumeTokenHash null where credentials are enough
     * @param shownTokenHash of the token that was shown for this seat: it stays good, because whoever showed it may never
     *     have heard the new one
     */
    record CallerAttached(
            String seat,
            @Nullable String resumeTokenHash,
            String node,
            Instant at,
            @Nullable String shownTokenHash) implements SessionEvent {}

    /** The line to the caller ended. */
    record CallerDetached(String seat, int code, Instant at) implements SessionEvent {}

    /** A provider took the conversation. */
    record UpstreamOpened(String provider, String model, String upstreamSession, Instant at) implements SessionEvent {}

    /** The line to the provider ended. */
    record UpstreamLost(String why, Instant at) implements SessionEvent {}

    /** The effective configuration, as JSON. */
    record Configured(String session, Instant at) implements SessionEvent {}

    /** The caller spoke ({@code spokenMs} > 0, the transcript may follow or never come) or wrote. */
    record UserSaid(String itemId, @Nullable String text, long spokenMs, Instant at) implements SessionEvent {}

    /** What the caller spoke, in words. */
    record UserTranscribed(String itemId, String text, Instant at) implements SessionEvent {}

    /** The model began to answer. Until that answer has ended it is due: it is gone on with when its provider is lost. */
    record AnswerBegan(String responseId, Instant at) implements SessionEvent {}

    /** The answer has left for the caller to the end, or was stopped by somebody. */
    record AnswerEnded(String responseId, Instant at) implements SessionEvent {}

    /** While the agent is being heard: so much was generated, {@code text} so far, and so much of it heard. */
    record AgentHeard(String itemId, String text, long generatedMs, long heardMs, Instant at) implements SessionEvent {}

    /** The agent spoke ({@code generatedMs} of audio) or wrote. */
    record AgentSaid(String itemId, String text, long generatedMs, Instant at) implements SessionEvent {}

    /** The agent was interrupted: this much of the item was heard. A later one corrects an earlier. */
    record AgentCut(String itemId, long heardMs, Instant at) implements SessionEvent {}

    /** The model asked for a function. */
    record ToolCalled(String itemId, String callId, String name, String arguments, Instant at)
            implements SessionEvent {}

    /** The function's answer. */
    record ToolAnswered(String itemId, String callId, String output, Instant at) implements SessionEvent {}

    /** An item was taken out of the conversation. */
    record ItemDeleted(String itemId, Instant at) implements SessionEvent {}

    /** What a response or a transcription cost. */
    record Spent(String source, Tokens tokens, String model, String priceVersion, long costMicros, Instant at)
            implements SessionEvent {}

    /** The caller was told that the session would end at this time, by itself; it may go on when somebody speaks. */
    record Warned(EndReason reason, Instant endsAt, Instant at) implements SessionEvent {}

    /** It is over. */
    record Ended(EndReason reason, @Nullable String detail, Instant at) implements SessionEvent {}
}
