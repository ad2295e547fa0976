package parley.protocol;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How this module sets up Jackson, and lenient looks into a tree: null for what is absent or of the wrong type. */
final class Json {
    /** 15 MiB of audio are 20,971,520 characters of base64, above Jackson's own bound. */
    private static final int LONGEST_STRING = 24 << 20;

    /** Refuses a key that comes twice; keeps every digit of a number, so that unknown events survive. */
    static final JsonMapper MAPPER = JsonMapper.builder(new JsonFactoryBuilder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(LONGEST_STRING)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .nodeFactory(JsonNodeFactory.instance)
            .build();

    private Json() {}

    /** The node at a dotted path, missing when there is none. */
    static JsonNode at(JsonNode node, String path) {
        JsonNode at = node;
        for (String key : path.split("\\.")) at = at.path(key);
        return at;
    }

    static void set(ObjectNode node, String path, JsonNode value) {
        int dot = path.lastIndexOf('.');
        ObjectNode parent = node;
        if (dot >= 0) {
            for (String key : path.substring(0, dot).split("\\.")) {
                parent = parent.get(key) instanceof ObjectNode child ? child : parent.putObject(key);
            }
        }
        parent.set(path.substring(dot + 1), value);
    }

    /** Takes the node at a dotted path out and returns it, missing when there was none. */
    static JsonNode remove(ObjectNode node, String path) {
        int dot = path.lastIndexOf('.');
        JsonNode parent = dot < 0 ? node : at(node, path.substring(0, dot));
        JsonNode removed = parent instanceof ObjectNode object ? object.remove(path.substring(dot + 1)) : null;
        return removed == null ? MissingNode.getInstance() : removed;
    }

    static @Nullable String text(JsonNode node, String key) {
        return node.path(key).textValue();
    }

    static List<String> texts(JsonNode node, String key) {
        List<String> texts = new ArrayList<>();
        for (JsonNode each : node.path(key)) {
            if (each.isTextual()) texts.add(each.textValue());
        }
        return List.copyOf(texts);
    }

    static @Nullable String voice(JsonNode node) {
        return node.isObject() ? text(node, "id") : node.textValue();
    }

    static @Nullable Integer maxTokens(JsonNode node) {
        if ("inf".equals(node.textValue())) return SessionConfig.UNLIMITED;
        return whole(node);
    }

    static @Nullable Map<String, String> metadata(JsonNode node) {
        if (!node.isObject()) return null;
        Map<String, String> metadata = new LinkedHashMap<>();
        node.properties().forEach(pair -> {
            if (pair.getValue().isTextual())
                metadata.put(pair.getKey(), pair.getValue().textValue());
        });
        return metadata;
    }

    static @Nullable TurnDetection turnDetection(JsonNode node) {
        String type = text(node, "type");
        if (type == null) return null;
        JsonNode threshold = node.path("threshold");
        return new TurnDetection(
                type,
                threshold.isNumber() ? (Double) threshold.doubleValue() : null,
                whole(node.path("prefix_padding_ms")),
                whole(node.path("silence_duration_ms")),
                whole(node.path("idle_timeout_ms")),
                text(node, "eagerness"),
                node.path("create_response").asBoolean(true),
                node.path("interrupt_response").asBoolean(true));
    }

    static List<Tool> tools(JsonNode node) {
        List<Tool> tools = new ArrayList<>();
        for (JsonNode each : node) {
            String type = text(each, "type");
            if (type == null) continue;
            String name = text(each, "name");
            String server = text(each, "server_label");
            if (type.equals("function") && name != null) {
                tools.add(new Tool.Function(name, text(each, "description"), each.get("parameters")));
            } else if (type.equals("mcp") && server != null) {
                tools.add(new Tool.Mcp(server, each));
            } else {
                tools.add(new Tool.Unknown(type, each));
            }
        }
        return List.copyOf(tools);
    }

    static @Nullable ToolChoice toolChoice(JsonNode node) {
        String mode = node.isObject() ? text(node, "type") : node.textValue();
        return mode == null ? null : new ToolChoice(mode, text(node, "name"), text(node, "server_label"));
    }

    private static @Nullable Integer whole(JsonNode node) {
        return node.canConvertToExactIntegral() && node.canConvertToInt() ? (Integer) node.intValue() : null;
    }
}
