package parley.provider.simulator;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parley.protocol.AudioFormat;
import parley.protocol.Ids;
import parley.protocol.SessionConfig;
import parley.protocol.ToolChoice;
import parley.protocol.TurnDetection;

/** The session object as it stands, and what may be changed in it when. */
final class LiveSession {

    private static final Set<String> REALTIME_FIELDS = Set.of(
            "type",
            "object",
            "id",
            "expires_at",
            "model",
            "output_modalities",
            "instructions",
            "audio",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "reasoning",
            "max_output_tokens",
            "truncation",
            "tracing",
            "prompt",
            "include");
    private static final Set<String> TRANSCRIPTION_FIELDS =
            Set.of("type", "object", "id", "expires_at", "audio", "include");
    private static final Set<String> VOICES =
            Set.of("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar");
    private static final Set<String> DETECTIONS = Set.of("server_vad", "semantic_vad");
    private static final String INSTRUCTIONS = "You are a simulator. Say what you measured.";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final boolean detectsTurns;
    private SessionConfig config;
    private boolean modelFixed;
    private boolean spoke;
    /** Read for every window of sound, so taken out of the JSON once. */
    private @Nullable TurnDetection turnDetection;

    private AudioFormat inputFormat = AudioFormat.PCM16_24K;

    private LiveSession(SessionConfig config, boolean modelFixed, Switches switches) {
        this.config = config;
        this.modelFixed = modelFixed;
        this.detectsTurns = switches.vad();
        readAnew();
    }

    /** A session with every field at its default, as a server announces it. */
    static LiveSession realtime(String model, boolean modelNamed, Instant expires, Switches switches) {
        var json = common("realtime", expires);
        json.put("model", model);
        json.putArray("output_modalities").add("audio");
        json.put("instructions", INSTRUCTIONS);
        json.putArray("tools");
        json.put("tool_choice", "auto").put("max_output_tokens", "inf").put("truncation", "auto");
        json.putNull("tracing").putNull("prompt").putNull("include");
        json.withObjectProperty("audio")
                .putObject("output")
                .put("voice", "alloy")
                .put("speed", 1)
                .set("format", AudioFormat.PCM16_24K.json());
        return new LiveSession(SessionConfig.of(json), modelNamed, switches);
    }

    /** A session that only writes down what it hears. */
    static LiveSession transcription(Instant expires, Switches switches) {
        var json = common("transcription", expires);
        json.putNull("include");
        return new LiveSession(SessionConfig.of(json), true, switches);
    }

    private static ObjectNode common(String type, Instant expires) {
        var json = NODES.objectNode();
        json.put("type", type).put("object", "realtime.session").put("id", Ids.session());
        json.put("expires_at", expires.getEpochSecond());
        var input = json.putObject("audio").putObject("input");
        input.set("format", AudioFormat.PCM16_24K.json());
        input.putNull("transcription").putNull("noise_reduction");
        input.set("turn_detection", defaultDetection("server_vad"));
        return json;
    }

    /** The whole session. */
    SessionConfig config() {
        return config;
    }

    /** Changes what the update states. Either all of it is done, or nothing and the reason is returned. */
    @Nullable
    Refusal update(SessionConfig change) {
        var refusal = refusal(change);
        if (refusal != null) return refusal;
        var changed = change.without("object").without("id").without("expires_at");
        if (modelFixed) changed = changed.without("model");
        modelFixed |= changed.states("model");
        config = completed(config.merge(changed));
        readAnew();
        return null;
    }

    /** From now on the voice is fixed. */
    void spoke() {
        spoke = true;
    }

    boolean realtime() {
        return "realtime".equals(config.type());
    }

    AudioFormat inputFormat() {
        return inputFormat;
    }

    AudioFormat outputFormat() {
        return orDefault(config.outputFormat(), AudioFormat.PCM16_24K);
    }

    String voice() {
        return orDefault(config.voice(), "alloy");
    }

    double speed() {
        return config.json().path("audio").path("output").path("speed").asDouble(1);
    }

    String instructions() {
        return orDefault(config.instructions(), "");
    }

    ToolChoice toolChoice() {
        return orDefault(config.toolChoice(), ToolChoice.AUTO);
    }

    /** Null when the client, or a switch, wants none. */
    @Nullable
    TurnDetection turnDetection() {
        return turnDetection;
    }

    boolean transcribes() {
        return config.inputTranscription() != null;
    }

    /** Whether a response in another voice than the session's would come too late. */
    @Nullable
    Refusal voiceChange(@Nullable String voice, String param) {
        if (voice == null || voice.equals(voice())) return null;
        if (!spoke) return null;
        return new Refusal(
                "cannot_update_voice", "The voice cannot be changed once the assistant has been heard.", param);
    }

    private void readAnew() {
        turnDetection = detectsTurns ? config.turnDetection() : null;
        inputFormat = orDefault(config.inputFormat(), AudioFormat.PCM16_24K);
    }

    private @Nullable Refusal refusal(SessionConfig change) {
        var type = change.type();
        if (!Objects.equals(type, config.type())) {
            return Refusal.invalidValue("session.type", String.valueOf(type), String.valueOf(config.type()));
        }
        var known = realtime() ? REALTIME_FIELDS : TRANSCRIPTION_FIELDS;
        for (var field : change.json().properties()) {
            if (!known.contains(field.getKey())) return Refusal.unknown("session." + field.getKey());
        }
        if (!realtime() && change.states("audio.output")) return Refusal.unknown("session.audio.output");
        var model = change.model();
        if (modelFixed && model != null && !sameModel(model)) {
            return Refusal.invalidValue("session.model", model, "unchanged, " + config.model());
        }
        var detection = change.turnDetection();
        if (detection != null && !DETECTIONS.contains(detection.type())) {
            return Refusal.invalidValue(
                    "session.audio.input.turn_detection.type", detection.type(), "server_vad or semantic_vad");
        }
        var voice = change.json().path("audio").path("output").path("voice");
        if (voice.isTextual() && !VOICES.contains(voice.textValue())) {
            return Refusal.invalidValue(
                    "session.audio.output.voice", voice.textValue(), "one of " + String.join(", ", sorted(VOICES)));
        }
        return voiceChange(change.voice(), "session.audio.output.voice");
    }

    /** With or without the switches: a gateway may know only the name. */
    private boolean sameModel(String model) {
        return ModelName.plain(model).equals(ModelName.plain(orDefault(config.model(), "")));
    }

    /** A turn detection that was named anew shows all its fields. */
    private static SessionConfig completed(SessionConfig merged) {
        var path = "audio.input.turn_detection";
        var detection = merged.json().path("audio").path("input").path("turn_detection");
        if (!detection.isObject()) return merged;
        var whole = defaultDetection(detection.path("type").asText());
        whole.setAll((ObjectNode) detection);
        return merged.with(path, whole);
    }

    private static ObjectNode defaultDetection(String type) {
        var json = NODES.objectNode().put("type", type);
        if (type.equals("server_vad")) {
            json.put("threshold", Listening.THRESHOLD)
                    .put("prefix_padding_ms", Listening.PREFIX_MILLIS)
                    .put("silence_duration_ms", Listening.SILENCE_MILLIS)
                    .putNull("idle_timeout_ms");
        } else {
            json.put("eagerness", "auto");
        }
        return json.put("create_response", true).put("interrupt_response", true);
    }

    private static List<String> sorted(Set<String> names) {
        return names.stream().sorted().toList();
    }

    private static <T> T orDefault(@Nullable T value, T otherwise) {
        return value == null ? otherwise : value;
    }
}
