package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** A part of a message, or of {@code response.content_part.*}. OpenAI Realtime reference, conversation items. */
public sealed interface Content {

    /** What a caller, or the system, wrote. */
    record InputText(String text) implements Content {}

    /**
     * What a caller said. In server events the key {@code transcript} is always written, null or not, because clients
     * fail without it; in client events null leaves it out.
     *
     * @param audio base64 in the session's input format; null in most server events
     */
    record InputAudio(@Nullable String audio, @Nullable String transcript) implements Content {}

    /**
     * What a caller showed.
     *
     * @param imageUrl a data URI of a PNG or JPEG
     * @param detail {@code auto}, {@code low} or {@code high}
     */
    record InputImage(String imageUrl, @Nullable String detail) implements Content {}

    /** What the model wrote. The only part of an assistant's message that a client may create. */
    record OutputText(String text) implements Content {}

    /** What the model said. */
    record OutputAudio(@Nullable String audio, @Nullable String transcript) implements Content {}

    /** Text in {@code response.content_part.*}, and of an assistant in the beta dialect. */
    record Text(@Nullable String text) implements Content {}

    /** Speech in {@code response.content_part.*}, and of an assistant in the beta dialect. */
    record Audio(@Nullable String audio, @Nullable String transcript) implements Content {}

    /** A part of a type not listed here; written back as it was. {@code raw} must not be modified. */
    record Unknown(String typeName, JsonNode raw) implements Content {}
}
