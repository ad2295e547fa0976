package parley.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Whether and which tool the model must use. OpenAI Realtime reference, {@code tool_choice}.
 *
 * @param mode {@code auto}, {@code none}, {@code required}, {@code function} or {@code mcp}
 * @param name the tool, in the modes {@code function} and (optional) {@code mcp}
 * @param serverLabel the MCP server, in the mode {@code mcp}
 */
public record ToolChoice(
        String mode, @Nullable String name, @Nullable String serverLabel) {
    /** The model decides: the default. */
    public static final ToolChoice AUTO = new ToolChoice("auto", null, null);
}
