package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** A JSON object being written: null leaves a field out, unless the method says otherwise. */
record Out(ObjectNode node) {
    Out() {
        this(JsonNodeFactory.instance.objectNode());
    }

    Out put(String key, @Nullable String value) {
        if (value != null) node.put(key, value);
        return this;
    }

    Out put(String key, @Nullable Integer value) {
        if (value != null) node.put(key, value);
        return this;
    }

    Out put(String key, long value) {
        node.put(key, value);
        return this;
    }

    Out put(String key, boolean value) {
        node.put(key, value);
        return this;
    }

    /** Whole numbers without a fraction, as the wire has them. */
    Out number(String key, double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1L << 53) node.put(key, (long) value);
        else node.put(key, value);
        return this;
    }

    Out set(String key, @Nullable JsonNode value) {
        if (value != null) node.set(key, value);
        return this;
    }

    /** An explicit null when there is no value. */
    Out orNull(String key, @Nullable JsonNode value) {
        node.set(key, value == null ? node.nullNode() : value);
        return this;
    }

    /** An explicit null when there is no value. */
    Out orNull(String key, @Nullable String value) {
        node.put(key, value);
        return this;
    }

    Out previous(@Nullable Previous previous) {
        return previous == null ? this : orNull("previous_item_id", previous.itemId());
    }
}
