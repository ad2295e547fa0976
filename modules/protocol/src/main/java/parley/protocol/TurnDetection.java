package parley.protocol;

import org.jspecify.annotations.Nullable;

/**
 * How the end of a caller's turn is found. OpenAI Realtime reference, {@code audio.input.turn_detection}.
 *
 * @param type {@code server_vad} or {@code semantic_vad}
 * @param threshold 0 to 1, {@code server_vad} only
 * @param prefixPaddingMs audio kept from before the start of speech, {@code server_vad} only
 * @param silenceDurationMs silence that ends a turn, {@code server_vad} only
 * @param idleTimeoutMs 5,000 to 30,000, counted from the end of playback; null is never
 * @param eagerness {@code low}, {@code medium}, {@code high} or {@code auto}, {@code semantic_vad} only
 * @param createResponse whether the end of a turn starts a response; true when the wire does not tell
 * @param interruptResponse whether the start of speech cancels a response; true when the wire does not tell
 */
public record TurnDetection(
        String type,
        @Nullable Double threshold,
        @Nullable Integer prefixPaddingMs,
        @Nullable Integer silenceDurationMs,
        @Nullable Integer idleTimeoutMs,
        @Nullable String eagerness,
        boolean createResponse,
        boolean interruptResponse) {}
