package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a conversation. OpenAI Realtime reference, conversation items. A client may leave the id out or choose
 * one of at most 32 characters; a server always gives one.
 */
public sealed interface Item {

    /** The item's id; null when a client leaves it to the server. */
    @Nullable
    String id();

    /** How far an item has come; without effect when a client sends it. */
    enum Status {
        IN_PROGRESS,
        COMPLETED,
        INCOMPLETE;

        /** The value on the wire. */
        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Who speaks in a message. */
    enum Role {
        SYSTEM,
        USER,
        ASSISTANT;

        /** The value on the wire. */
        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Something said, written or shown. */
    record Message(@Nullable String id, @Nullable Status status, Role role, List<Content> content) implements Item {
        public Message {
            content = List.copyOf(content);
        }
    }

    /**
     * The model asks for a function.
     *
     * @param callId pairs the call with its output; at most 32 characters
     * @param arguments JSON as text; may be cut off when the response was cancelled
     */
    record FunctionCall(
            @Nullable String id,
            @Nullable Status status,
            @Nullable String callId,
            String name,
            String arguments) implements Item {}

    /** What the function answered: free text, may be empty. */
    record FunctionCallOutput(@Nullable String id, @Nullable Status status, String callId, String output)
            implements Item {}

    /** The tools of an MCP server, listed by the provider. */
    record McpListTools(@Nullable String id, String serverLabel, List<McpTool> tools) implements Item {
        public McpListTools {
            tools = List.copyOf(tools);
        }
    }

    /** The provider called an MCP tool; {@code error} is an object on the wire. */
    record McpCall(
            String id,
            String serverLabel,
            String name,
            String arguments,
            @Nullable String output,
            @Nullable JsonNode error,
            @Nullable String approvalRequestId)
            implements Item {}

    /** The provider asks whether it may call an MCP tool. */
    record McpApprovalRequest(String id, String serverLabel, String name, String arguments) implements Item {}

    /** The client's answer to {@link McpApprovalRequest}. */
    record McpApprovalResponse(
            @Nullable String id,
            String approvalRequestId,
            boolean approve,
            @Nullable String reason) implements Item {}

    /** Stands for an item of the conversation; only in the {@code input} of {@link ResponseRequest}. */
    record ItemReference(String id) implements Item {}

    /**
     * An item of a type not listed here, or, in a server event, one that lacks what its type demands. Written back as
     * it was. {@code raw} must not be modified.
     */
    record UnknownItem(@Nullable String id, String typeName, JsonNode raw) implements Item {}

    /** A tool of an MCP server. */
    record McpTool(
            String name,
            JsonNode inputSchema,
            @Nullable String description,
            @Nullable JsonNode annotations) {}
}
