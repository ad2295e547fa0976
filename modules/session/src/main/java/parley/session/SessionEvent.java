package parley.session;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.admission.CallerId;

/**
 * Facts about a session. Journaled: a field may be added with a default, never renamed, retyped or removed. Never
 * audio.
 */
sealed interface SessionEvent extends CborSerializable {
    Instant at();

    /** Somebody was admitted. */
    record Opened(
            CallerId caller, Face face, Arm arm, @Nullable String model, Instant at) implements SessionEvent {}

    /** A caller came on the line; whoever shows the token may come again. Only its hash is kept. */
    record CallerAttached(String seat, String resumeTokenHash, String node, Instant at) implements SessionEvent {}

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

    /** It is over. */
    record Ended(EndReason reason, @Nullable String detail, Instant at) implements SessionEvent {}
}
