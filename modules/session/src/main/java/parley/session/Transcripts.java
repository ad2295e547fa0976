package parley.session;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import parley.protocol.MalformedEvent;
import parley.protocol.Wire;
import parley.session.SessionEvent.AgentHeard;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionEvent.ToolCalled;
import parley.session.SessionEvent.UserSaid;
import parley.session.SessionEvent.UserTranscribed;

/**
 * {@code parley.session.transcripts} in reference.conf: how much is kept of what was said.
 *
 * <p>Facts pass here before the session itself learns them. So there is one version of what was said: the one in the
 * journal is what a caller who comes back is shown, and what a provider is told that takes the conversation over. The line
 * that is open, and the tools, get the words as they came.
 *
 * @param redact whether texts pass the {@link Redactor}
 * @param store whether there are texts at all; without, each is {@value #NOT_STORED}, and how long it was spoken stays
 */
record Transcripts(boolean redact, boolean store) {
    /** In the place of words. One word, so that what was cut off in its middle was not said. */
    static final String NOT_STORED = "[not_stored]";

    private static final String NO_ARGUMENTS = "{}";

    /** The fact as it may be kept. */
    SessionEvent kept(SessionEvent fact) {
        if (store && !redact) {
            return fact;
        }
        return switch (fact) {
            case UserSaid e -> new UserSaid(e.itemId(), words(e.text()), e.spokenMs(), e.at());
            case UserTranscribed e -> new UserTranscribed(e.itemId(), text(e.text()), e.at());
            case AgentSaid e -> new AgentSaid(e.itemId(), text(e.text()), e.generatedMs(), e.at());
            case AgentHeard e ->
                new AgentHeard(
                        e.itemId(), text(e.text(), Redactor::redactBeginning), e.generatedMs(), e.heardMs(), e.at());
            case ToolCalled e ->
                new ToolCalled(e.itemId(), e.callId(), e.name(), store ? json(e.arguments()) : NO_ARGUMENTS, e.at());
            case ToolAnswered e ->
                new ToolAnswered(e.itemId(), e.callId(), store ? json(e.output()) : NOT_STORED, e.at());
            default -> fact;
        };
    }

    private @Nullable String words(@Nullable String text) {
        return text == null ? null : text(text);
    }

    private String text(String text) {
        return text(text, Redactor::redact);
    }

    private String text(String text, UnaryOperator<String> redactor) {
        return text.isEmpty() ? text : store ? redactor.apply(text) : NOT_STORED;
    }

    /** Value by value where it is an object: what is left must still be one. */
    private static String json(String text) {
        try {
            var object = Wire.parse(text);
            redact(object);
            return Wire.json(object);
        } catch (MalformedEvent noObject) {
            return Redactor.redact(text);
        }
    }

    private static void redact(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.properties().forEach(field -> field.setValue(redacted(field.getValue())));
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                array.set(i, redacted(array.get(i)));
            }
        }
    }

    private static JsonNode redacted(JsonNode value) {
        if (value.isContainerNode()) {
            redact(value);
            return value;
        }
        var text = value.asText();
        var redacted = Redactor.redact(text);
        return redacted.equals(text) ? value : TextNode.valueOf(redacted);
    }
}
