package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The session object, whole or the part of it that an update states. OpenAI Realtime reference, session object.
 *
 * <p>Keeps the JSON itself, so fields this class has no accessor for survive reading, merging and writing. Immutable:
 * every method that changes something returns a new value. The accessors are lenient and answer null, or an empty list,
 * for what is absent or of the wrong type; {@link Wire#client(byte[])} has refused the latter before.
 */
public final class SessionConfig {
    /** Stands for {@code "inf"} in {@link #maxOutputTokens()} and its kin. */
    public static final int UNLIMITED = Integer.MAX_VALUE;

    /** States nothing. */
    public static final SessionConfig EMPTY = new SessionConfig(JsonNodeFactory.instance.objectNode());

    private final ObjectNode json;

    private SessionConfig(ObjectNode json) {
        this.json = json;
    }

    /** A session of that JSON, which is copied. */
    public static SessionConfig of(ObjectNode json) {
        return new SessionConfig(json.deepCopy());
    }

    /** The JSON, as a copy. */
    public ObjectNode json() {
        return json.deepCopy();
    }

    /**
     * This session after an update: only fields present in the update change, nested objects merge, null replaces what
     * was there (and is kept, because null is how a session shows that something is off), arrays and scalars replace.
     * A turn detection of another type replaces the old one as a whole, for their fields differ.
     */
    public SessionConfig merge(SessionConfig update) {
        return new SessionConfig(merged(json, update.json));
    }

    /** This session with the field at a dotted path set, such as {@code audio.output.voice}; objects on the way are made. */
    public SessionConfig with(String path, JsonNode value) {
        ObjectNode copy = json.deepCopy();
        Json.set(copy, path, value.deepCopy());
        return new SessionConfig(copy);
    }

    /** This session without the field at a dotted path; the same session when there is none. */
    public SessionConfig without(String path) {
        if (!states(path)) return this;
        ObjectNode copy = json.deepCopy();
        Json.remove(copy, path);
        return new SessionConfig(copy);
    }

    /** Whether the field at a dotted path is present, be it null. */
    public boolean states(String path) {
        return !Json.at(json, path).isMissingNode();
    }

    /** {@code sess_…}; null in updates. */
    public @Nullable String id() {
        return Json.text(json, "id");
    }

    /** {@code realtime} or {@code transcription}; required in every update. */
    public @Nullable String type() {
        return Json.text(json, "type");
    }

    /** The model; fixed once a session runs. */
    public @Nullable String model() {
        return Json.text(json, "model");
    }

    /** What the model is told; {@code ""} clears it. */
    public @Nullable String instructions() {
        return Json.text(json, "instructions");
    }

    /** {@code ["audio"]} or {@code ["text"]}; empty when not stated. */
    public List<String> outputModalities() {
        return Json.texts(json, "output_modalities");
    }

    /** The voice's name, or the id of a custom voice. */
    public @Nullable String voice() {
        return Json.voice(Json.at(json, "audio.output.voice"));
    }

    /** What a caller sends; null when not stated or none of {@link AudioFormat}. */
    public @Nullable AudioFormat inputFormat() {
        return AudioFormat.of(Json.at(json, "audio.input.format"));
    }

    /** What a caller hears; null when not stated or none of {@link AudioFormat}. */
    public @Nullable AudioFormat outputFormat() {
        return AudioFormat.of(Json.at(json, "audio.output.format"));
    }

    /** Null when off or not stated; {@code states("audio.input.turn_detection")} tells which. */
    public @Nullable TurnDetection turnDetection() {
        return Json.turnDetection(Json.at(json, "audio.input.turn_detection"));
    }

    /** Null when off or not stated; {@code states("audio.input.transcription")} tells which. */
    public @Nullable InputTranscription inputTranscription() {
        JsonNode node = Json.at(json, "audio.input.transcription");
        if (!node.isObject()) return null;
        return new InputTranscription(Json.text(node, "model"), Json.text(node, "language"), Json.text(node, "prompt"));
    }

    /** The tools; empty when there are none or they are not stated. */
    public List<Tool> tools() {
        return Json.tools(json.path("tools"));
    }

    /** Null when not stated; the wire's default is {@link ToolChoice#AUTO}. */
    public @Nullable ToolChoice toolChoice() {
        return Json.toolChoice(json.path("tool_choice"));
    }

    /** 1 to 4,096, or {@link #UNLIMITED}; null when not stated. */
    public @Nullable Integer maxOutputTokens() {
        return Json.maxTokens(json.path("max_output_tokens"));
    }

    /** Seconds since 1970 at which the session ends; null in updates. */
    public @Nullable Long expiresAt() {
        JsonNode node = json.path("expires_at");
        return node.canConvertToLong() ? (Long) node.longValue() : null;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SessionConfig that && json.equals(that.json);
    }

    @Override
    public int hashCode() {
        return json.hashCode();
    }

    /** Names of the fields only: instructions must not reach a log. */
    @Override
    public String toString() {
        return "SessionConfig" + json.propertyStream().map(Map.Entry::getKey).toList();
    }

    /** Read only, for writing. */
    ObjectNode raw() {
        return json;
    }

    private static ObjectNode merged(ObjectNode base, ObjectNode update) {
        ObjectNode merged = base.deepCopy();
        update.properties().forEach(field -> {
            JsonNode old = merged.get(field.getKey());
            JsonNode now = field.getValue();
            boolean nested = old instanceof ObjectNode && now instanceof ObjectNode && !ofOtherKind(old, now);
            merged.set(field.getKey(), nested ? merged((ObjectNode) old, (ObjectNode) now) : now.deepCopy());
        });
        return merged;
    }

    private static boolean ofOtherKind(JsonNode old, JsonNode now) {
        return now.has("type") && old.has("type") && !now.get("type").equals(old.get("type"));
    }

    /**
     * How a caller's speech is written down. OpenAI Realtime reference, {@code audio.input.transcription}.
     *
     * @param language ISO 639-1; null lets the model find out
     */
    public record InputTranscription(
            @Nullable String model,
            @Nullable String language,
            @Nullable String prompt) {}
}
