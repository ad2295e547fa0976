package parley.session;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One thing that was said, written or called, as the transcript tells it.
 *
 * @param text null while speech has no transcript
 * @param audioMs how long it was spoken, or would have been; 0 for text
 * @param heardMs of an agent's speech, how much was heard
 * @param name the function's, of a call
 * @param callId pairs a call and its answer
 */
public record Turn(
        Role role,
        String itemId,
        @Nullable String text,
        long audioMs,
        long heardMs,
        @Nullable String name,
        @Nullable String callId,
        Instant at) {
    /** Who speaks. */
    public enum Role {
        USER,
        AGENT,
        TOOL_CALL,
        TOOL_RESULT
    }

    static Turn user(SessionEvent.UserSaid said) {
        return new Turn(Role.USER, said.itemId(), said.text(), said.spokenMs(), said.spokenMs(), null, null, said.at());
    }

    static Turn agent(SessionEvent.AgentSaid said) {
        return new Turn(
                Role.AGENT, said.itemId(), said.text(), said.generatedMs(), said.generatedMs(), null, null, said.at());
    }

    static Turn called(SessionEvent.ToolCalled call) {
        return new Turn(Role.TOOL_CALL, call.itemId(), call.arguments(), 0, 0, call.name(), call.callId(), call.at());
    }

    static Turn answered(SessionEvent.ToolAnswered answer) {
        return new Turn(Role.TOOL_RESULT, answer.itemId(), answer.output(), 0, 0, null, answer.callId(), answer.at());
    }

    Turn transcribed(String words) {
        return new Turn(role, itemId, words, audioMs, heardMs, name, callId, at);
    }

    Turn cutAt(long heard) {
        return new Turn(role, itemId, text, audioMs, Math.min(heard, audioMs), name, callId, at);
    }

    /** Whether an agent's speech was interrupted. */
    public boolean interrupted() {
        return role == Role.AGENT && heardMs < audioMs;
    }

    /**
     * What reached the other side's ear: all of it, or the words up to the cut. Where words and audio were not aligned
     * by the provider, speech is taken as even.
     */
    public @Nullable String heardText() {
        if (text == null || !interrupted()) {
            return text;
        }
        int end = (int) (text.length() * heardMs / audioMs);
        int word = text.lastIndexOf(' ', end);
        return end >= text.length() ? text : word <= 0 ? "" : text.substring(0, word);
    }
}
