package parley.protocol;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One answer of the model. OpenAI Realtime reference, response object. Exactly one {@code response.done} follows each
 * {@code response.created}, whatever the outcome.
 *
 * @param id {@code resp_…}
 * @param statusDetails why it ended as it did; null while in progress and, with most providers, when completed
 * @param output the items, without audio; empty while in progress
 * @param conversationId null when the response is outside the conversation
 * @param outputModalities {@code ["audio"]} or {@code ["text"]}
 * @param maxOutputTokens {@link SessionConfig#UNLIMITED} for {@code "inf"}; null leaves it out
 * @param outputFormat null leaves it out
 * @param voice the voice's name, or the id of a custom voice; null leaves it out
 * @param metadata what the request carried; null when it carried none
 * @param usage null while in progress, or when the provider does not count
 */
public record Response(
        String id,
        Status status,
        @Nullable StatusDetails statusDetails,
        List<Item> output,
        @Nullable String conversationId,
        List<String> outputModalities,
        @Nullable Integer maxOutputTokens,
        @Nullable AudioFormat outputFormat,
        @Nullable String voice,
        @Nullable Map<String, String> metadata,
        @Nullable Usage usage) {

    public Response {
        output = List.copyOf(output);
        outputModalities = List.copyOf(outputModalities);
        metadata = metadata == null ? null : Map.copyOf(metadata);
    }

    /** A response that has just begun: no output, no usage, {@code "inf"} tokens. */
    public static Response begun(
            String id,
            @Nullable String conversationId,
            List<String> outputModalities,
            @Nullable Map<String, String> metadata) {
        return new Response(
                id,
                Status.IN_PROGRESS,
                null,
                List.of(),
                conversationId,
                outputModalities,
                SessionConfig.UNLIMITED,
                null,
                null,
                metadata,
                null);
    }

    /** This response at its end; all else stays. */
    public Response ended(Status how, @Nullable StatusDetails why, List<Item> items, @Nullable Usage used) {
        return new Response(
                id,
                how,
                why,
                items,
                conversationId,
                outputModalities,
                maxOutputTokens,
                outputFormat,
                voice,
                metadata,
                used);
    }

    /** How far a response has come. */
    public enum Status {
        IN_PROGRESS,
        COMPLETED,
        CANCELLED,
        INCOMPLETE,
        FAILED;

        /** The value on the wire. */
        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Why a response ended.
     *
     * @param type repeats the status
     * @param reason {@code turn_detected} or {@code client_cancelled}; {@code max_output_tokens} or
     *     {@code content_filter}
     * @param error of a failed response
     */
    public record StatusDetails(
            String type, @Nullable String reason, @Nullable Failure error) {}

    /** What made a response fail, such as code {@code inference_rate_limit_exceeded}. */
    public record Failure(
            @Nullable String type,
            @Nullable String code,
            @Nullable String message) {}
}
