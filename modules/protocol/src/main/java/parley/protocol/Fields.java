package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One JSON object, read strictly: a field that is missing or mistyped is a {@link MalformedEvent} with its dotted path.
 * An optional field that is null counts as absent.
 *
 * @param path the path of the object itself; empty for the event
 */
record Fields(ObjectNode node, String path) {

    static Fields of(JsonNode node, String path) {
        if (node instanceof ObjectNode object) return new Fields(object, path);
        throw MalformedEvent.invalidValue(path, kind(node), "an object");
    }

    /** The kind of a value in words, for messages that must not quote it. */
    static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case ARRAY -> "an array";
            case OBJECT -> "an object";
            case NULL -> "null";
            case BINARY, POJO, MISSING -> "nothing";
        };
    }

    String pathOf(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    boolean has(String key) {
        return node.has(key);
    }

    /** The value, unless absent or null. */
    @Nullable
    JsonNode optional(String key) {
        JsonNode value = node.get(key);
        return value == null || value.isNull() ? null : value;
    }

    JsonNode required(String key, String expected) {
        JsonNode value = node.get(key);
        if (value == null) throw MalformedEvent.missing(pathOf(key), expected);
        return value;
    }

    String string(String key) {
        return string(key, required(key, "a string"));
    }

    @Nullable
    String optionalString(String key) {
        JsonNode value = optional(key);
        return value == null ? null : string(key, value);
    }

    /** One of few strings, which may be quoted. */
    String oneOf(String key, String... allowed) {
        String value = string(key);
        if (!List.of(allowed).contains(value)) {
            throw MalformedEvent.invalidValue(pathOf(key), "'" + value + "'", String.join(", ", allowed));
        }
        return value;
    }

    int integer(String key) {
        return integer(key, required(key, "an integer"));
    }

    @Nullable
    Integer optionalInteger(String key) {
        JsonNode value = optional(key);
        return value == null ? null : (Integer) integer(key, value);
    }

    long longInteger(String key) {
        JsonNode value = required(key, "an integer");
        if (!value.isNumber()) throw MalformedEvent.invalidValue(pathOf(key), kind(value), "an integer");
        if (!value.canConvertToExactIntegral() || !value.canConvertToLong()) {
            throw MalformedEvent.invalidValue(pathOf(key), value.asText(), "an integer");
        }
        return value.longValue();
    }

    long longAtLeastZero(String key) {
        long value = longInteger(key);
        if (value < 0) throw MalformedEvent.invalidValue(pathOf(key), Long.toString(value), "an integer >= 0");
        return value;
    }

    int atLeastZero(String key) {
        int value = integer(key);
        if (value < 0) throw MalformedEvent.invalidValue(pathOf(key), Integer.toString(value), "an integer >= 0");
        return value;
    }

    double number(String key) {
        JsonNode value = required(key, "a number");
        if (!value.isNumber()) throw MalformedEvent.invalidValue(pathOf(key), kind(value), "a number");
        return value.doubleValue();
    }

    boolean bool(String key) {
        JsonNode value = required(key, "true or false");
        if (!value.isBoolean()) throw MalformedEvent.invalidValue(pathOf(key), kind(value), "true or false");
        return value.booleanValue();
    }

    Fields object(String key) {
        return of(required(key, "an object"), pathOf(key));
    }

    @Nullable
    Fields optionalObject(String key) {
        JsonNode value = optional(key);
        return value == null ? null : of(value, pathOf(key));
    }

    /** The elements of a required array; see {@link #pathOf(String, int)} for their paths. */
    JsonNode array(String key) {
        JsonNode value = required(key, "an array");
        if (!value.isArray()) throw MalformedEvent.invalidValue(pathOf(key), kind(value), "an array");
        return value;
    }

    String pathOf(String key, int index) {
        return pathOf(key) + "[" + index + "]";
    }

    List<Fields> objects(String key) {
        JsonNode array = array(key);
        List<Fields> objects = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) objects.add(of(array.get(i), pathOf(key, i)));
        return objects;
    }

    private String string(String key, JsonNode value) {
        if (!value.isTextual()) throw MalformedEvent.invalidValue(pathOf(key), kind(value), "a string");
        return value.textValue();
    }

    private int integer(String key, JsonNode value) {
        if (!value.isNumber()) throw MalformedEvent.invalidValue(pathOf(key), kind(value), "an integer");
        if (!value.canConvertToExactIntegral() || !value.canConvertToInt()) {
            throw MalformedEvent.invalidValue(pathOf(key), value.asText(), "an integer");
        }
        return value.intValue();
    }
}
