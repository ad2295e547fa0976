package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code response.create} asks for: every field overrides the session's for one response. OpenAI Realtime
 * reference, {@code response.create.response}.
 *
 * <p>Keeps the JSON itself, as {@link SessionConfig} does, and is immutable and lenient in the same way.
 */
public final class ResponseRequest {
    /** Overrides nothing. */
    public static final ResponseRequest EMPTY = new ResponseRequest(JsonNodeFactory.instance.objectNode());

    private final ObjectNode json;

    private ResponseRequest(ObjectNode json) {
        this.json = json;
    }

    /** A request of that JSON, which is copied. */
    public static ResponseRequest of(ObjectNode json) {
        return new ResponseRequest(json.deepCopy());
    }

    /** The JSON, as a copy. */
    public ObjectNode json() {
        return json.deepCopy();
    }

    /** Replaces the session's instructions; null when not stated. */
    public @Nullable String instructions() {
        return Json.text(json, "instructions");
    }

    /** {@code ["audio"]} or {@code ["text"]}; empty when not stated. */
    public List<String> outputModalities() {
        return Json.texts(json, "output_modalities");
    }

    /** The voice's name, or the id of a custom voice; null when not stated. */
    public @Nullable String voice() {
        return Json.voice(Json.at(json, "audio.output.voice"));
    }

    /** Null when not stated or none of {@link AudioFormat}. */
    public @Nullable AudioFormat outputFormat() {
        return AudioFormat.of(Json.at(json, "audio.output.format"));
    }

    /** Null when not stated; empty when the response may use no tools. */
    public @Nullable List<Tool> tools() {
        return json.has("tools") ? Json.tools(json.path("tools")) : null;
    }

    /** Null when not stated. */
    public @Nullable ToolChoice toolChoice() {
        return Json.toolChoice(json.path("tool_choice"));
    }

    /** 1 to 4,096, or {@link SessionConfig#UNLIMITED}; null when not stated. */
    public @Nullable Integer maxOutputTokens() {
        return Json.maxTokens(json.path("max_output_tokens"));
    }

    /** At most 16 pairs, key 64 and value 512 characters; the server echoes them. Null when not stated. */
    public @Nullable Map<String, String> metadata() {
        return Json.metadata(json.path("metadata"));
    }

    /** Whether the response stays outside the conversation: {@code conversation} is {@code none}. */
    public boolean outOfBand() {
        return "none".equals(json.path("conversation").textValue());
    }

    /** Replaces the conversation as context; empty is no context, null is not stated. */
    public @Nullable List<Item> input() {
        JsonNode node = json.path("input");
        if (!node.isArray()) return null;
        List<Item> items = new ArrayList<>();
        for (JsonNode item : node) items.add(ItemCodec.readLeniently(item, "response.input"));
        return List.copyOf(items);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ResponseRequest that && json.equals(that.json);
    }

    @Override
    public int hashCode() {
        return json.hashCode();
    }

    /** Names of the fields only: instructions must not reach a log. */
    @Override
    public String toString() {
        return "ResponseRequest" + json.propertyStream().map(Map.Entry::getKey).toList();
    }

    /** Read only, for writing. */
    ObjectNode raw() {
        return json;
    }
}
