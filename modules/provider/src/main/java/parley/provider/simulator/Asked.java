package parley.provider.simulator;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.protocol.AudioFormat;
import parley.protocol.Tool;
import parley.protocol.ToolChoice;

/**
 * What one response shall be: the session's wishes, with those of the request in their place.
 *
 * @param inConversation  whether the answer becomes part of the conversation
 * @param ownInstructions what the request itself said, as opposed to the session; empty when it said nothing
 * @param instructions    what counts: the request's, or else the session's
 * @param context         what the model reads
 * @param maxTokens       {@link parley.protocol.SessionConfig#UNLIMITED} for no limit
 */
record Asked(
        boolean inConversation,
        boolean spoken,
        String ownInstructions,
        String instructions,
        List<Tool> tools,
        ToolChoice toolChoice,
        int maxTokens,
        AudioFormat format,
        String voice,
        double speed,
        @Nullable Map<String, String> metadata,
        List<Entry> context) {

    Asked {
        tools = List.copyOf(tools);
        context = List.copyOf(context);
        metadata = metadata == null ? null : Map.copyOf(metadata);
    }
}
