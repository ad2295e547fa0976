package parley.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What transcribing one input cost, billed apart from responses. OpenAI Realtime reference,
 * {@code conversation.item.input_audio_transcription.completed.usage}.
 */
public sealed interface TranscriptionUsage {

    /** Metered in tokens; {@code inputTokenDetails} is null when the provider does not tell. */
    record Tokens(
            long totalTokens,
            long inputTokens,
            long outputTokens,
            @Nullable InputTokenDetails inputTokenDetails) implements TranscriptionUsage {}

    /** Metered in seconds of audio. */
    record Duration(double seconds) implements TranscriptionUsage {}

    /** Input tokens by kind; counts the provider leaves out are 0. */
    record InputTokenDetails(long textTokens, long audioTokens) {}
}
