package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON of {@link Response}, {@link Usage} and {@link TranscriptionUsage}. */
final class ResponseCodec {
    private ResponseCodec() {}

    static Response read(Fields f) {
        List<Item> output = new ArrayList<>();
        if (f.optional("output") != null) {
            for (Fields item : f.objects("output")) output.add(ItemCodec.readLeniently(item.node(), item.path()));
        }
        JsonNode json = f.node();
        return new Response(
                f.string("id"),
                Response.Status.valueOf(
                        f.oneOf("status", "in_progress", "completed", "cancelled", "incomplete", "failed")
                                .toUpperCase(Locale.ROOT)),
                statusDetails(f.optionalObject("status_details")),
                output,
                f.optionalString("conversation_id"),
                Json.texts(json, "output_modalities"),
                Json.maxTokens(json.path("max_output_tokens")),
                AudioFormat.of(Json.at(json, "audio.output.format")),
                Json.voice(Json.at(json, "audio.output.voice")),
                Json.metadata(json.path("metadata")),
                usage(f.optionalObject("usage")));
    }

    /** Writes the nulls of the reference: {@code status_details}, {@code conversation_id}, metadata and usage. */
    static ObjectNode write(Response r) {
        Out out = new Out()
                .put("object", "realtime.response")
                .put("id", r.id())
                .put("status", r.status().wireName())
                .orNull("status_details", statusDetails(r.statusDetails()))
                .set("output", ItemCodec.write(r.output()))
                .orNull("conversation_id", r.conversationId())
                .set("output_modalities", texts(r.outputModalities()))
                .set("max_output_tokens", maxTokens(r.maxOutputTokens()));
        if (r.outputFormat() != null || r.voice() != null) {
            ObjectNode audio = new Out()
                    .set(
                            "format",
                            r.outputFormat() == null ? null : r.outputFormat().json())
                    .put("voice", r.voice())
                    .node();
            out.set("audio", new Out().set("output", audio).node());
        }
        return out.orNull("metadata", metadata(r.metadata()))
                .orNull("usage", usage(r.usage()))
                .node();
    }

    static @Nullable TranscriptionUsage readTranscriptionUsage(Fields event) {
        Fields f = event.optionalObject("usage");
        if (f == null) return null;
        if (f.oneOf("type", "tokens", "duration").equals("duration")) {
            return new TranscriptionUsage.Duration(f.number("seconds"));
        }
        Fields details = f.optionalObject("input_token_details");
        return new TranscriptionUsage.Tokens(
                f.longInteger("total_tokens"),
                f.longInteger("input_tokens"),
                f.longInteger("output_tokens"),
                details == null
                        ? null
                        : new TranscriptionUsage.InputTokenDetails(
                                count(details, "text_tokens"), count(details, "audio_tokens")));
    }

    static @Nullable ObjectNode writeTranscriptionUsage(@Nullable TranscriptionUsage usage) {
        return switch (usage) {
            case null -> null;
            case TranscriptionUsage.Duration u ->
                new Out().put("type", "duration").number("seconds", u.seconds()).node();
            case TranscriptionUsage.Tokens u -> {
                TranscriptionUsage.InputTokenDetails details = u.inputTokenDetails();
                yield new Out()
                        .put("type", "tokens")
                        .put("total_tokens", u.totalTokens())
                        .put("input_tokens", u.inputTokens())
                        .put("output_tokens", u.outputTokens())
                        .set(
                                "input_token_details",
                                details == null
                                        ? null
                                        : new Out()
                                                .put("text_tokens", details.textTokens())
                                                .put("audio_tokens", details.audioTokens())
                                                .node())
                        .node();
            }
        };
    }

    private static @Nullable Usage usage(@Nullable Fields f) {
        if (f == null) return null;
        Fields in = f.optionalObject("input_token_details");
        Fields cached = in == null ? null : in.optionalObject("cached_tokens_details");
        Fields out = f.optionalObject("output_token_details");
        return new Usage(
                count(f, "total_tokens"),
                count(f, "input_tokens"),
                count(f, "output_tokens"),
                in == null
                        ? null
                        : new Usage.InputTokenDetails(
                                count(in, "text_tokens"),
                                count(in, "audio_tokens"),
                                count(in, "image_tokens"),
                                count(in, "cached_tokens"),
                                cached == null
                                        ? null
                                        : new Usage.CachedTokensDetails(
                                                count(cached, "text_tokens"),
                                                count(cached, "audio_tokens"),
                                                count(cached, "image_tokens"))),
                out == null
                        ? null
                        : new Usage.OutputTokenDetails(count(out, "text_tokens"), count(out, "audio_tokens")));
    }

    private static @Nullable ObjectNode usage(@Nullable Usage usage) {
        if (usage == null) return null;
        Out out = new Out()
                .put("total_tokens", usage.totalTokens())
                .put("input_tokens", usage.inputTokens())
                .put("output_tokens", usage.outputTokens());
        Usage.InputTokenDetails in = usage.inputTokenDetails();
        if (in != null) {
            Out details = new Out()
                    .put("text_tokens", in.textTokens())
                    .put("audio_tokens", in.audioTokens())
                    .put("image_tokens", in.imageTokens())
                    .put("cached_tokens", in.cachedTokens());
            Usage.CachedTokensDetails cached = in.cachedTokensDetails();
            if (cached != null) {
                ObjectNode byKind = new Out()
                        .put("text_tokens", cached.textTokens())
                        .put("audio_tokens", cached.audioTokens())
                        .put("image_tokens", cached.imageTokens())
                        .node();
                details.set("cached_tokens_details", byKind);
            }
            out.set("input_token_details", details.node());
        }
        Usage.OutputTokenDetails spoken = usage.outputTokenDetails();
        if (spoken != null) {
            ObjectNode details = new Out()
                    .put("text_tokens", spoken.textTokens())
                    .put("audio_tokens", spoken.audioTokens())
                    .node();
            out.set("output_token_details", details);
        }
        return out.node();
    }

    /** Absent is none. */
    private static long count(Fields f, String key) {
        return f.optional(key) == null ? 0 : f.longInteger(key);
    }

    private static Response.@Nullable StatusDetails statusDetails(@Nullable Fields f) {
        if (f == null) return null;
        Fields error = f.optionalObject("error");
        return new Response.StatusDetails(
                f.string("type"),
                f.optionalString("reason"),
                error == null
                        ? null
                        : new Response.Failure(
                                error.optionalString("type"),
                                error.optionalString("code"),
                                error.optionalString("message")));
    }

    private static @Nullable ObjectNode statusDetails(Response.@Nullable StatusDetails details) {
        if (details == null) return null;
        Response.Failure error = details.error();
        return new Out()
                .put("type", details.type())
                .put("reason", details.reason())
                .set(
                        "error",
                        error == null
                                ? null
                                : new Out()
                                        .put("type", error.type())
                                        .put("code", error.code())
                                        .put("message", error.message())
                                        .node())
                .node();
    }

    private static @Nullable JsonNode maxTokens(@Nullable Integer tokens) {
        if (tokens == null) return null;
        return tokens == SessionConfig.UNLIMITED ? TextNode.valueOf("inf") : IntNode.valueOf(tokens);
    }

    private static ArrayNode texts(List<String> texts) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        texts.forEach(array::add);
        return array;
    }

    private static @Nullable ObjectNode metadata(@Nullable Map<String, String> metadata) {
        if (metadata == null) return null;
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        metadata.forEach(node::put);
        return node;
    }
}
