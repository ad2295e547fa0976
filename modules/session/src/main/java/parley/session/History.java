package parley.session;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent;
import parley.protocol.Content;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;
import parley.tool.Tools;

/** What a provider must be told so that a conversation begins, or goes on, as if it had always been there. */
final class History {
    /** What a session states of itself and a client cannot set. */
    private static final List<String> STATED = List.of("id", "object", "expires_at");

    private static final String LOST = "The result was lost: it is not known whether the call was executed.";

    private History() {}

    /** The deployment's defaults and tools for a new conversation; configuration and turns for one that goes on. */
    static OpeningScript of(SessionState.Live live, SessionSettings.Defaults defaults, Tools tools) {
        var events = new ArrayList<ClientEvent>();
        var configuration = live.configured() != null
                ? goesOn(live.configured())
                : begins(live.opened().face(), defaults, tools);
        if (configuration != null) {
            events.add(new ClientEvent.SessionUpdate("parley_opening", SessionConfig.of(configuration)));
        }
        live.turns().stream()
                .flatMap(turn -> items(turn, live.turns()).stream())
                .forEach(item ->
                        events.add(new ClientEvent.ConversationItemCreate("parley_opening_" + item.id(), null, item)));
        return new OpeningScript(events);
    }

    /** A call and its answer go in pairs: a model does not go on after a call alone, nor takes an answer to none. */
    private static List<Item> items(Turn turn, List<Turn> all) {
        if (turn.role() == Turn.Role.TOOL_RESULT && all.stream().noneMatch(other -> pairs(other, turn))) {
            return List.of();
        }
        var item = item(turn);
        if (item == null) {
            return List.of();
        }
        return turn.role() == Turn.Role.TOOL_CALL && all.stream().noneMatch(other -> pairs(turn, other))
                ? List.of(item, new Item.FunctionCallOutput(Ids.item(), null, String.valueOf(turn.callId()), LOST))
                : List.of(item);
    }

    private static boolean pairs(Turn call, Turn answer) {
        return call.role() == Turn.Role.TOOL_CALL
                && answer.role() == Turn.Role.TOOL_RESULT
                && Objects.equals(call.callId(), answer.callId());
    }

    private static ObjectNode goesOn(String configured) {
        var session = Wire.parse(configured);
        session.remove(STATED);
        return session;
    }

    private static @Nullable ObjectNode begins(Face face, SessionSettings.Defaults defaults, Tools tools) {
        var offered = face.guided() ? tools.offered() : List.<parley.protocol.Tool.Function>of();
        if (defaults.areEmpty() && offered.isEmpty()) {
            return null;
        }
        var session = JsonNodeFactory.instance.objectNode().put("type", "realtime");
        if (defaults.instructions() != null) {
            session.put("instructions", defaults.instructions());
        }
        if (defaults.maxOutputTokens() != null) {
            session.put("max_output_tokens", defaults.maxOutputTokens());
        }
        if (defaults.voice() != null) {
            session.putObject("audio").putObject("output").put("voice", defaults.voice());
        }
        if (!offered.isEmpty()) {
            var list = session.putArray("tools");
            offered.forEach(tool -> list.addObject()
                    .put("type", "function")
                    .put("name", tool.name())
                    .put("description", tool.description())
                    .set("parameters", tool.parameters()));
        }
        return session;
    }

    /** Speech goes on as its words: nobody kept the audio. The agent's as far as it was heard. */
    private static @Nullable Item item(Turn turn) {
        var text = turn.heardText();
        return switch (turn.role()) {
            case USER ->
                new Item.Message(
                        turn.itemId(),
                        null,
                        Item.Role.USER,
                        List.of(new Content.InputText(
                                text == null || text.isBlank() ? "[speech without a transcript]" : text)));
            case AGENT ->
                text == null || text.isBlank()
                        ? null
                        : new Item.Message(
                                turn.itemId(), null, Item.Role.ASSISTANT, List.of(new Content.OutputText(text)));
            case TOOL_CALL ->
                new Item.FunctionCall(
                        turn.itemId(), null, turn.callId(), String.valueOf(turn.name()), String.valueOf(text));
            case TOOL_RESULT ->
                new Item.FunctionCallOutput(turn.itemId(), null, String.valueOf(turn.callId()), String.valueOf(text));
        };
    }
}
