package parley.provider.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Arguments for a function call that fit the function's parameter schema.
 *
 * <p>A {@code name=value} in the text (the value in quotes if it has spaces) fills the parameter of that name, when the
 * schema knows one; every other required parameter gets a plausible value of its type. Optional parameters that nobody
 * named stay out. The schema's {@code const}, {@code default}, {@code enum}, {@code minimum}, {@code minLength},
 * {@code minItems} and {@code format} are kept; {@code $ref}, {@code pattern} and {@code allOf} are not understood.
 */
final class FunctionArguments {

    private static final Pattern PAIR = Pattern.compile("(\\w+)\\s*=\\s*(?:\"([^\"]*)\"|'([^']*)'|([^\\s,;]+))");
    private static final int DEEPEST = 8;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private FunctionArguments() {}

    /** The arguments as one JSON object. */
    static ObjectNode fill(JsonNode schema, String text) {
        return object(schema, pairs(text), 0);
    }

    private static Map<String, String> pairs(String text) {
        var pairs = new HashMap<String, String>();
        var matcher = PAIR.matcher(text);
        while (matcher.find()) {
            for (int group = 2; group <= 4; group++) {
                if (matcher.group(group) != null) pairs.put(matcher.group(1), matcher.group(group));
            }
        }
        return pairs;
    }

    private static ObjectNode object(JsonNode schema, Map<String, String> given, int depth) {
        var required = new HashSet<String>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        var object = NODES.objectNode();
        schema.path("properties").properties().forEach(property -> {
            var name = property.getKey();
            var named = given.get(name);
            if (named != null) {
                object.set(name, fromText(property.getValue(), named, depth));
                required.remove(name);
            } else if (required.remove(name)) {
                object.set(name, plausible(name, property.getValue(), depth + 1));
            }
        });
        required.forEach(undescribed -> object.put(undescribed, undescribed));
        return object;
    }

    private static JsonNode fromText(JsonNode schema, String value, int depth) {
        return switch (type(schema)) {
            case "integer" -> value.matches("-?\\d{1,18}") ? NODES.numberNode(Long.parseLong(value)) : number(schema);
            case "number" ->
                value.matches("-?\\d{1,15}(\\.\\d{1,15})?")
                        ? NODES.numberNode(Double.parseDouble(value))
                        : number(schema);
            case "boolean" -> NODES.booleanNode(Boolean.parseBoolean(value));
            case "array" -> NODES.arrayNode().add(fromText(schema.path("items"), value, depth));
            case "object" -> object(schema, Map.of(), depth + 1);
            default -> NODES.textNode(value);
        };
    }

    private static JsonNode plausible(String name, JsonNode schema, int depth) {
        if (schema.has("const")) return schema.get("const");
        if (schema.has("default")) return schema.get("default");
        if (schema.path("enum").size() > 0) return schema.get("enum").get(0);
        for (var choice : new String[] {"anyOf", "oneOf"}) {
            if (schema.path(choice).size() > 0)
                return plausible(name, schema.get(choice).get(0), depth);
        }
        if (depth > DEEPEST) return NODES.nullNode();
        return switch (type(schema)) {
            case "integer" -> NODES.numberNode((long) Math.ceil(least(schema)));
            case "number" -> number(schema);
            case "boolean" -> NODES.booleanNode(true);
            case "null" -> NODES.nullNode();
            case "object" -> object(schema, Map.of(), depth);
            case "array" -> {
                var array = NODES.arrayNode();
                for (int i = 0; i < Math.max(1, schema.path("minItems").asInt(1)); i++) {
                    array.add(plausible(name, schema.path("items"), depth + 1));
                }
                yield array;
            }
            default -> NODES.textNode(word(name, schema));
        };
    }

    private static String word(String name, JsonNode schema) {
        var word = switch (schema.path("format").asText()) {
            case "date" -> "2030-01-31";
            case "date-time" -> "2030-01-31T12:00:00Z";
            case "time" -> "12:00:00Z";
            case "email" -> "someone@example.com";
            case "uri", "url" -> "https://example.com/";
            case "uuid" -> "00000000-0000-4000-8000-000000000000";
            default -> "some " + name.replace('_', ' ');
        };
        int longest = schema.path("maxLength").asInt(Integer.MAX_VALUE);
        int shortest = Math.min(schema.path("minLength").asInt(0), 10_000);
        if (word.length() > longest) return word.substring(0, longest);
        return word.length() < shortest ? word + ".".repeat(shortest - word.length()) : word;
    }

    private static JsonNode number(JsonNode schema) {
        double least = least(schema);
        return least == Math.rint(least) ? NODES.numberNode((long) least) : NODES.numberNode(least);
    }

    /** The smallest number allowed, or 1 when 1 is allowed. */
    private static double least(JsonNode schema) {
        double least = schema.has("exclusiveMinimum")
                ? schema.get("exclusiveMinimum").asDouble() + 1
                : schema.path("minimum").asDouble(1);
        double most = schema.path("maximum").asDouble(Double.MAX_VALUE);
        return least <= 1 && most >= 1 ? 1 : Math.min(Math.max(least, -Double.MAX_VALUE), most);
    }

    /** The type; of several, the first that is not null; a schema without one is known by its properties. */
    private static String type(JsonNode schema) {
        var type = schema.path("type");
        if (type.isArray()) {
            for (var each : type) if (!each.asText().equals("null")) return each.asText();
        }
        return type.isTextual() ? type.asText() : schema.has("properties") ? "object" : "string";
    }
}
