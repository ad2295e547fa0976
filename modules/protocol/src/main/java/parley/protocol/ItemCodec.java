package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of {@link Item} and {@link Content}. What a client sends is read strictly. What a server sends is read
 * leniently: an item or a part that lacks what its type demands stays raw, because one odd item of a provider must not
 * cost the usage of a whole response.
 */
final class ItemCodec {
    private ItemCodec() {}

    static Item read(JsonNode json, String path) {
        return read(Fields.of(json, path), false);
    }

    static Item readLeniently(JsonNode json, String path) {
        Fields f = Fields.of(json, path);
        try {
            return read(f, true);
        } catch (MalformedEvent odd) {
            return new Item.UnknownItem(Json.text(json, "id"), json.path("type").asText(""), json);
        }
    }

    static Content readPartLeniently(JsonNode json, String path) {
        return readPart(Fields.of(json, path), true);
    }

    static ArrayNode write(List<Item> items) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (Item item : items) array.add(write(item, true));
        return array;
    }

    static ObjectNode write(Item item, boolean byServer) {
        return switch (item) {
            case Item.Message i -> {
                ArrayNode content = JsonNodeFactory.instance.arrayNode();
                for (Content part : i.content()) content.add(writePart(part, byServer));
                yield out("message", i.id(), i.status(), byServer)
                        .put("role", i.role().wireName())
                        .set("content", content)
                        .node();
            }
            case Item.FunctionCall i ->
                out("function_call", i.id(), i.status(), byServer)
                        .put("call_id", i.callId())
                        .put("name", i.name())
                        .put("arguments", i.arguments())
                        .node();
            case Item.FunctionCallOutput i ->
                out("function_call_output", i.id(), i.status(), byServer)
                        .put("call_id", i.callId())
                        .put("output", i.output())
                        .node();
            case Item.McpListTools i -> {
                ArrayNode tools = JsonNodeFactory.instance.arrayNode();
                for (Item.McpTool tool : i.tools()) {
                    tools.add(new Out()
                            .put("name", tool.name())
                            .set("input_schema", tool.inputSchema())
                            .put("description", tool.description())
                            .set("annotations", tool.annotations())
                            .node());
                }
                yield out("mcp_list_tools", i.id(), null, false)
                        .put("server_label", i.serverLabel())
                        .set("tools", tools)
                        .node();
            }
            case Item.McpCall i ->
                out("mcp_call", i.id(), null, false)
                        .put("server_label", i.serverLabel())
                        .put("name", i.name())
                        .put("arguments", i.arguments())
                        .put("output", i.output())
                        .set("error", i.error())
                        .put("approval_request_id", i.approvalRequestId())
                        .node();
            case Item.McpApprovalRequest i ->
                out("mcp_approval_request", i.id(), null, false)
                        .put("server_label", i.serverLabel())
                        .put("name", i.name())
                        .put("arguments", i.arguments())
                        .node();
            case Item.McpApprovalResponse i ->
                out("mcp_approval_response", i.id(), null, false)
                        .put("approval_request_id", i.approvalRequestId())
                        .put("approve", i.approve())
                        .put("reason", i.reason())
                        .node();
            case Item.ItemReference i ->
                out("item_reference", i.id(), null, false).node();
            case Item.UnknownItem i -> (ObjectNode) i.raw();
        };
    }

    static ObjectNode writePart(Content content, boolean byServer) {
        return switch (content) {
            case Content.InputText c -> part("input_text").put("text", c.text()).node();
            case Content.InputAudio c -> {
                Out out = part("input_audio").put("audio", c.audio());
                yield (byServer ? out.orNull("transcript", c.transcript()) : out.put("transcript", c.transcript()))
                        .node();
            }
            case Content.InputImage c ->
                part("input_image")
                        .put("image_url", c.imageUrl())
                        .put("detail", c.detail())
                        .node();
            case Content.OutputText c ->
                part("output_text").put("text", c.text()).node();
            case Content.OutputAudio c -> speech("output_audio", c.audio(), c.transcript());
            case Content.Text c -> part("text").put("text", c.text()).node();
            case Content.Audio c -> speech("audio", c.audio(), c.transcript());
            case Content.Unknown c -> (ObjectNode) c.raw();
        };
    }

    private static Out part(String type) {
        return new Out().put("type", type);
    }

    private static ObjectNode speech(String type, @Nullable String audio, @Nullable String transcript) {
        return part(type).put("audio", audio).put("transcript", transcript).node();
    }

    /** Clients of the reference accept {@code object} on every item but expect it on those that have a status. */
    private static Out out(String type, @Nullable String id, Item.@Nullable Status status, boolean withObject) {
        Out out = new Out().put("id", id);
        if (withObject) out.put("object", "realtime.item");
        out.put("type", type);
        return status == null ? out : out.put("status", status.wireName());
    }

    private static Item read(Fields f, boolean lenient) {
        String type = f.string("type");
        return switch (type) {
            case "message" -> new Item.Message(f.optionalString("id"), status(f), role(f), content(f, lenient));
            case "function_call" ->
                new Item.FunctionCall(
                        f.optionalString("id"),
                        status(f),
                        f.optionalString("call_id"),
                        f.string("name"),
                        f.string("arguments"));
            case "function_call_output" ->
                new Item.FunctionCallOutput(f.optionalString("id"), status(f), f.string("call_id"), f.string("output"));
            case "mcp_list_tools" ->
                new Item.McpListTools(f.optionalString("id"), f.string("server_label"), mcpTools(f));
            case "mcp_call" ->
                new Item.McpCall(
                        f.string("id"),
                        f.string("server_label"),
                        f.string("name"),
                        f.string("arguments"),
                        f.optionalString("output"),
                        f.optional("error"),
                        f.optionalString("approval_request_id"));
            case "mcp_approval_request" ->
                new Item.McpApprovalRequest(
                        f.string("id"), f.string("server_label"), f.string("name"), f.string("arguments"));
            case "mcp_approval_response" ->
                new Item.McpApprovalResponse(
                        f.optionalString("id"),
                        f.string("approval_request_id"),
                        f.bool("approve"),
                        f.optionalString("reason"));
            case "item_reference" -> new Item.ItemReference(f.string("id"));
            default -> new Item.UnknownItem(f.optionalString("id"), type, f.node());
        };
    }

    private static Item.@Nullable Status status(Fields f) {
        if (f.optional("status") == null) return null;
        return Item.Status.valueOf(
                f.oneOf("status", "in_progress", "completed", "incomplete").toUpperCase(Locale.ROOT));
    }

    private static Item.Role role(Fields f) {
        return Item.Role.valueOf(f.oneOf("role", "system", "user", "assistant").toUpperCase(Locale.ROOT));
    }

    private static List<Content> content(Fields f, boolean lenient) {
        List<Content> content = new ArrayList<>();
        for (Fields part : f.objects("content")) content.add(readPart(part, lenient));
        return content;
    }

    private static Content readPart(Fields f, boolean lenient) {
        if (!lenient) return readPart(f);
        try {
            return readPart(f);
        } catch (MalformedEvent odd) {
            return new Content.Unknown(f.node().path("type").asText(""), f.node());
        }
    }

    private static Content readPart(Fields f) {
        String type = f.string("type");
        return switch (type) {
            case "input_text" -> new Content.InputText(f.string("text"));
            case "input_audio" -> new Content.InputAudio(f.optionalString("audio"), f.optionalString("transcript"));
            case "input_image" -> new Content.InputImage(f.string("image_url"), f.optionalString("detail"));
            case "output_text" -> new Content.OutputText(f.string("text"));
            case "output_audio" -> new Content.OutputAudio(f.optionalString("audio"), f.optionalString("transcript"));
            case "text" -> new Content.Text(f.optionalString("text"));
            case "audio" -> new Content.Audio(f.optionalString("audio"), f.optionalString("transcript"));
            default -> new Content.Unknown(type, f.node());
        };
    }

    private static List<Item.McpTool> mcpTools(Fields f) {
        List<Item.McpTool> tools = new ArrayList<>();
        for (Fields tool : f.objects("tools")) {
            tools.add(new Item.McpTool(
                    tool.string("name"),
                    tool.required("input_schema", "an object"),
                    tool.optionalString("description"),
                    tool.optional("annotations")));
        }
        return tools;
    }
}
