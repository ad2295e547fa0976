package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Map;

/**
 * The beta dialect, which some providers and old clients still speak, to the present one (GA) and back. OpenAI Realtime
 * reference, beta to GA migration.
 *
 * <p>Works on trees, because either side may hold fields that no record knows; never changes its argument, and keeps
 * what it does not translate. Keeps no state. Translating to GA drops {@code temperature}. Translating from GA drops
 * what beta does not have: {@code truncation}, {@code reasoning}, {@code parallel_tool_calls}, {@code idle_timeout_ms},
 * and the server events listed at {@link #serverFromGa}. {@code response.content_part.*} is the same in both.
 */
public final class Beta {
    private static final Map<String, String> SESSION_TO_GA = Map.of(
            "voice", "audio.output.voice",
            "speed", "audio.output.speed",
            "input_audio_format", "audio.input.format",
            "output_audio_format", "audio.output.format",
            "input_audio_transcription", "audio.input.transcription",
            "input_audio_noise_reduction", "audio.input.noise_reduction",
            "turn_detection", "audio.input.turn_detection",
            "max_response_output_tokens", "max_output_tokens",
            "modalities", "output_modalities");

    private static final List<String> NEW_IN_GA = List.of("truncation", "reasoning", "parallel_tool_calls");

    private static final Map<String, String> SERVER_TO_GA = Map.of(
            "response.text.delta", "response.output_text.delta",
            "response.text.done", "response.output_text.done",
            "response.audio.delta", "response.output_audio.delta",
            "response.audio.done", "response.output_audio.done",
            "response.audio_transcript.delta", "response.output_audio_transcript.delta",
            "response.audio_transcript.done", "response.output_audio_transcript.done",
            "transcription_session.created", "session.created",
            "transcription_session.updated", "session.updated");

    private Beta() {}

    /** A beta client's event as a GA client would have sent it. */
    public static JsonNode toGa(JsonNode clientEvent) {
        ObjectNode event = clientEvent.deepCopy();
        switch (type(event)) {
            case "session.update" -> replace(event, "session", session -> sessionToGa(session, "realtime"));
            case "transcription_session.update" -> {
                event.put("type", "session.update");
                replace(event, "session", session -> sessionToGa(session, "transcription"));
            }
            case "response.create" -> replace(event, "response", Beta::responseToGa);
            case "conversation.item.create" -> replace(event, "item", Beta::itemToGa);
            default -> {}
        }
        return event;
    }

    /** A GA client's event as a beta client would have sent it. */
    public static JsonNode fromGa(JsonNode clientEvent) {
        ObjectNode event = clientEvent.deepCopy();
        switch (type(event)) {
            case "session.update" -> {
                if (isTranscription(event.path("session"))) event.put("type", "transcription_session.update");
                replace(event, "session", Beta::sessionFromGa);
            }
            case "response.create" ->
                replace(event, "response", response -> responseFromGa(response, "max_response_output_tokens"));
            case "conversation.item.create" -> replace(event, "item", Beta::itemFromGa);
            default -> {}
        }
        return event;
    }

    /**
     * A beta server's event as a GA server would have sent it: one event, or two where GA tells the beginning and the
     * end apart. {@code conversation.item.created} becomes {@code added}, and {@code done} unless the item is in
     * progress; {@code response.output_item.done} is followed by {@code conversation.item.done}. Beta does not tell
     * whether that response was outside the conversation: whoever asks for such responses drops the second event.
     * An event that beta does not tell gets an {@code event_id} of {@link Ids#event()}.
     */
    public static List<JsonNode> serverToGa(JsonNode serverEvent) {
        ObjectNode event = serverEvent.deepCopy();
        String type = type(event);
        String ga = SERVER_TO_GA.get(type);
        if (ga != null) event.put("type", ga);
        switch (type) {
            case "session.created", "session.updated" ->
                replace(event, "session", session -> sessionToGa(session, "realtime"));
            case "transcription_session.created", "transcription_session.updated" ->
                replace(event, "session", session -> sessionToGa(session, "transcription"));
            case "response.created", "response.done" -> replace(event, "response", Beta::responseToGa);
            case "response.output_item.added", "conversation.item.retrieved" -> replace(event, "item", Beta::itemToGa);
            case "response.output_item.done" -> {
                replace(event, "item", Beta::itemToGa);
                ObjectNode done = JsonNodeFactory.instance.objectNode();
                done.put("type", "conversation.item.done").put("event_id", Ids.event());
                done.set("item", event.path("item").deepCopy());
                return List.of(event, done);
            }
            case "conversation.item.created" -> {
                replace(event, "item", Beta::itemToGa);
                event.put("type", "conversation.item.added");
                if (event.at("/item/status").asText("").equals("in_progress")) return List.of(event);
                ObjectNode done = event.deepCopy();
                done.put("type", "conversation.item.done").put("event_id", Ids.event());
                return List.of(event, done);
            }
            default -> {}
        }
        return List.of(event);
    }

    /**
     * A GA server's event as a beta server would have sent it: one event, or none for what beta does not have, which
     * is {@code conversation.item.done}, {@code input_audio_buffer.timeout_triggered}, {@code
     * input_audio_buffer.dtmf_event_received}, {@code output_audio_buffer.*} and all MCP events.
     */
    public static List<JsonNode> serverFromGa(JsonNode serverEvent) {
        ObjectNode event = serverEvent.deepCopy();
        String type = type(event);
        if (isNewInGa(type)) return List.of();
        switch (type) {
            case "session.created", "session.updated" -> {
                if (isTranscription(event.path("session"))) event.put("type", "transcription_" + type);
                replace(event, "session", Beta::sessionFromGa);
            }
            case "response.created", "response.done" ->
                replace(event, "response", response -> responseFromGa(response, "max_output_tokens"));
            case "response.output_item.added", "response.output_item.done", "conversation.item.retrieved" ->
                replace(event, "item", Beta::itemFromGa);
            case "conversation.item.added" -> {
                event.put("type", "conversation.item.created");
                replace(event, "item", Beta::itemFromGa);
            }
            default ->
                SERVER_TO_GA.forEach((beta, ga) -> {
                    if (ga.equals(type)) event.put("type", beta);
                });
        }
        return List.of(event);
    }

    /**
     * A beta session as a GA session.
     *
     * @param type {@code realtime} or {@code transcription}, which beta tells by the event's name; a session that has
     *     a type keeps it
     */
    public static ObjectNode sessionToGa(ObjectNode session, String type) {
        ObjectNode ga = session.deepCopy();
        ga.remove("temperature");
        SESSION_TO_GA.forEach((from, to) -> move(ga, from, to));
        modalitiesToGa(ga);
        formatToGa(ga, "audio.input.format");
        formatToGa(ga, "audio.output.format");
        if (!ga.hasNonNull("type")) ga.put("type", type);
        return ga;
    }

    /** A GA session as a beta session, which has no type. */
    public static ObjectNode sessionFromGa(ObjectNode session) {
        ObjectNode beta = session.deepCopy();
        beta.remove("type");
        beta.remove(NEW_IN_GA);
        SESSION_TO_GA.forEach((to, from) -> move(beta, from, to));
        withoutEmptyAudio(beta);
        modalitiesFromGa(beta);
        formatFromGa(beta, "input_audio_format");
        formatFromGa(beta, "output_audio_format");
        Json.remove(beta, "turn_detection.idle_timeout_ms");
        return beta;
    }

    private static boolean isNewInGa(String type) {
        return type.equals("conversation.item.done")
                || type.equals("input_audio_buffer.timeout_triggered")
                || type.equals("input_audio_buffer.dtmf_event_received")
                || type.startsWith("output_audio_buffer.")
                || type.startsWith("mcp_list_tools.")
                || type.startsWith("response.mcp_call");
    }

    private static ObjectNode responseToGa(ObjectNode response) {
        ObjectNode ga = response.deepCopy();
        ga.remove("temperature");
        move(ga, "voice", "audio.output.voice");
        move(ga, "output_audio_format", "audio.output.format");
        move(ga, "modalities", "output_modalities");
        move(ga, "max_response_output_tokens", "max_output_tokens");
        modalitiesToGa(ga);
        formatToGa(ga, "audio.output.format");
        eachItem(ga, Beta::itemToGa);
        return ga;
    }

    private static ObjectNode responseFromGa(ObjectNode response, String maxTokens) {
        ObjectNode beta = response.deepCopy();
        beta.remove(NEW_IN_GA);
        move(beta, "audio.output.voice", "voice");
        move(beta, "audio.output.format", "output_audio_format");
        move(beta, "output_modalities", "modalities");
        move(beta, "max_output_tokens", maxTokens);
        withoutEmptyAudio(beta);
        modalitiesFromGa(beta);
        formatFromGa(beta, "output_audio_format");
        eachItem(beta, Beta::itemFromGa);
        return beta;
    }

    private static ObjectNode itemToGa(ObjectNode item) {
        return withPartTypes(item, Map.of("text", "output_text", "audio", "output_audio"));
    }

    private static ObjectNode itemFromGa(ObjectNode item) {
        return withPartTypes(item, Map.of("output_text", "text", "output_audio", "audio"));
    }

    private static ObjectNode withPartTypes(ObjectNode item, Map<String, String> names) {
        ObjectNode renamed = item.deepCopy();
        if (!"assistant".equals(Json.text(item, "role"))) return renamed;
        for (JsonNode part : renamed.path("content")) {
            String name = names.get(type(part));
            if (name != null && part instanceof ObjectNode object) object.put("type", name);
        }
        return renamed;
    }

    private static void eachItem(ObjectNode response, Translation translation) {
        for (String key : List.of("output", "input")) {
            if (!(response.get(key) instanceof ArrayNode items)) continue;
            for (int i = 0; i < items.size(); i++) {
                if (items.get(i) instanceof ObjectNode item) items.set(i, translation.of(item));
            }
        }
    }

    /** Beta says text beside audio, where GA means the transcript by audio. */
    private static void modalitiesToGa(ObjectNode node) {
        List<String> beta = Json.texts(node, "output_modalities");
        if (beta.contains("audio")) node.putArray("output_modalities").add("audio");
    }

    private static void modalitiesFromGa(ObjectNode node) {
        List<String> ga = Json.texts(node, "modalities");
        if (ga.contains("audio")) node.putArray("modalities").add("audio").add("text");
    }

    private static void formatToGa(ObjectNode node, String path) {
        AudioFormat format = AudioFormat.of(Json.at(node, path));
        if (format != null) Json.set(node, path, format.json());
    }

    private static void formatFromGa(ObjectNode node, String key) {
        AudioFormat format = AudioFormat.of(node.path(key));
        if (format != null) node.set(key, TextNode.valueOf(format.betaName()));
    }

    private static void withoutEmptyAudio(ObjectNode node) {
        for (String path : List.of("audio.input", "audio.output", "audio")) {
            JsonNode at = Json.at(node, path);
            if (at.isObject() && at.isEmpty()) Json.remove(node, path);
        }
    }

    private static void move(ObjectNode node, String from, String to) {
        if (from.equals(to)) return;
        JsonNode value = Json.remove(node, from);
        if (!value.isMissingNode()) Json.set(node, to, value);
    }

    private static void replace(ObjectNode event, String key, Translation translation) {
        if (event.get(key) instanceof ObjectNode object) event.set(key, translation.of(object));
    }

    private static boolean isTranscription(JsonNode session) {
        return "transcription".equals(type(session));
    }

    private static String type(JsonNode node) {
        return node.path("type").asText("");
    }

    private interface Translation {
        ObjectNode of(ObjectNode node);
    }
}
