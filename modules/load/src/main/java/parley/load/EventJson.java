package parley.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.io.IOException;

/** Reads the few small events whose inside matters. */
public final class EventJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private EventJson() {}

    /** A missing node for what is not JSON. */
    public static JsonNode read(ByteBuf text) {
        try (var in = new ByteBufInputStream(text.duplicate())) {
            return MAPPER.readTree(in);
        } catch (IOException notJson) {
            return MissingNode.getInstance();
        }
    }

    /** The most telling word of an {@code error} event. */
    public static String errorCode(ByteBuf text) {
        var error = read(text).path("error");
        var code = error.path("code").asText("");
        return code.isEmpty() || code.equals("null") ? error.path("type").asText("(no code)") : code;
    }
}
