package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** What a model may use. OpenAI Realtime reference, session {@code tools}. */
public sealed interface Tool {

    /**
     * A function that whoever configured the session executes.
     *
     * @param parameters a JSON Schema; must not be modified
     */
    record Function(
            String name,
            @Nullable String description,
            @Nullable JsonNode parameters) implements Tool {}

    /** An MCP server that the provider calls by itself; {@code raw} is the whole entry and must not be modified. */
    record Mcp(String serverLabel, JsonNode raw) implements Tool {}

    /** A tool of a vendor's own type; {@code raw} is the whole entry and must not be modified. */
    record Unknown(String typeName, JsonNode raw) implements Tool {}
}
