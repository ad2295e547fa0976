package parley.app.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/**
 * A conversation as a client saw it.
 *
 * @param events what the client handed out, in order
 * @param notes what else it told: its own playback, its own history
 */
public record Seen(List<JsonNode> events, JsonNode notes) {
    /** One turn, as client and transcript both can tell it. */
    public record Said(String role, String itemId, String words) {}

    /** Reads what a script printed. */
    static Seen of(ObjectNode line) {
        var events = new ArrayList<JsonNode>();
        line.path("events").forEach(events::add);
        return new Seen(List.copyOf(events), line.path("notes"));
    }

    public List<String> types() {
        return events.stream().map(Seen::type).toList();
    }

    /** The types of the events that tell of an item, from its first to its last. */
    public List<String> typesOf(String itemId) {
        return events.stream()
                .filter(event -> itemId.equals(event.path("item_id").asText())
                        || itemId.equals(event.path("item").path("id").asText()))
                .map(Seen::type)
                .toList();
    }

    public List<JsonNode> all(String type) {
        return events.stream().filter(event -> type(event).equals(type)).toList();
    }

    /** The only event of a type. */
    public JsonNode only(String type) {
        var all = all(type);
        if (all.size() != 1) {
            throw new AssertionError(all.size() + " events " + type + " (expected: one)");
        }
        return all.getFirst();
    }

    public String sessionId() {
        return only("session.created").path("session").path("id").asText();
    }

    /** The responses that are done. */
    public List<JsonNode> responses() {
        return all("response.done").stream()
                .map(event -> event.path("response"))
                .toList();
    }

    /** What was said, in the order in which it entered the conversation. */
    public List<Said> turns() {
        return all("conversation.item.added").stream()
                .map(event -> event.path("item"))
                .map(item -> new Said(role(item), id(item), words(item)))
                .toList();
    }

    /** The agent's voice of one item, as it came. */
    public byte[] audio(String itemId) {
        var audio = new ByteArrayOutputStream();
        for (var delta : all("response.output_audio.delta")) {
            if (delta.path("item_id").asText().equals(itemId)) {
                audio.writeBytes(Base64.getDecoder().decode(delta.path("delta").asText()));
            }
        }
        return audio.toByteArray();
    }

    public long audioMs(String itemId) {
        return audio(itemId).length / Speech.BYTES_PER_MS;
    }

    /** Root mean square of an item's voice; 1 is full scale, 0.01 can be heard. */
    public double loudness(String itemId) {
        var samples =
                ByteBuffer.wrap(audio(itemId)).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
        double sum = 0;
        for (int i = 0; i < samples.limit(); i++) {
            double sample = samples.get(i) / (double) Short.MAX_VALUE;
            sum += sample * sample;
        }
        return samples.limit() == 0 ? 0 : Math.sqrt(sum / samples.limit());
    }

    private String words(JsonNode item) {
        return switch (item.path("type").asText()) {
            case "function_call_output" -> item.path("output").asText();
            case "function_call" -> done(item).path("arguments").asText();
            default -> spoken(item);
        };
    }

    /** The caller's words are known when they are transcribed, the agent's when the item is done. */
    private String spoken(JsonNode item) {
        for (var event : all("conversation.item.input_audio_transcription.completed")) {
            if (event.path("item_id").asText().equals(id(item))) {
                return event.path("transcript").asText();
            }
        }
        var part = done(item).path("content").path(0);
        return part.has("text")
                ? part.path("text").asText()
                : part.path("transcript").asText();
    }

    private JsonNode done(JsonNode item) {
        return all("conversation.item.done").stream()
                .map(event -> event.path("item"))
                .filter(each -> id(each).equals(id(item)))
                .findFirst()
                .orElse(JsonNodeFactory.instance.missingNode());
    }

    private static String role(JsonNode item) {
        return switch (item.path("type").asText()) {
            case "function_call" -> "tool_call";
            case "function_call_output" -> "tool_result";
            default -> Objects.equals(item.path("role").asText(), "assistant") ? "agent" : "user";
        };
    }

    private static String id(JsonNode item) {
        return item.path("id").asText();
    }

    private static String type(JsonNode event) {
        return event.path("type").asText();
    }
}
