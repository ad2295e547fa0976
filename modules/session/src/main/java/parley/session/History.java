package parley.session;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent;
import parley.protocol.Content;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.Previous;
import parley.protocol.ServerEvent;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;
import parley.tool.Tools;

/** What a provider must be told so that a conversation begins, or goes on, as if it had always been there. */
final class History {
    /** What a session states of itself and a client cannot set, or the dial has named. */
    private static final List<String> STATED = List.of("id", "object", "expires_at", "model");

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
        events.addAll(told(live.turns(), live.turns()));
        return new OpeningScript(events);
    }

    /** What was configured and said between two moments, for a provider that was told the first. */
    static List<ClientEvent> since(SessionState.Live before, SessionState.Live now) {
        var events = new ArrayList<ClientEvent>();
        if (now.configured() != null && !now.configured().equals(before.configured())) {
            events.add(new ClientEvent.SessionUpdate(
                    "parley_opening_" + Ids.event(), SessionConfig.of(goesOn(now.configured()))));
        }
        var known = before.turns().stream()
                .collect(Collectors.toMap(Turn::itemId, Function.identity(), (first, second) -> second));
        var present = now.turns().stream().map(Turn::itemId).collect(Collectors.toSet());
        known.keySet().stream()
                .filter(itemId -> !present.contains(itemId))
                .forEach(itemId -> events.add(deletion(itemId)));
        var previous = "root";
        for (var turn : now.turns()) {
            var then = known.get(turn.itemId());
            if (then == null) {
                events.addAll(told(List.of(turn), now.turns()));
            } else {
                events.addAll(corrected(then, turn, previous));
            }
            previous = told(List.of(turn), now.turns()).isEmpty() ? previous : turn.itemId();
        }
        return events;
    }

    /** What was told of a turn, and is no longer what is known of it: its words came, or it was interrupted. */
    static List<ClientEvent> corrected(Turn then, Turn now, @Nullable String previous) {
        var before = item(then);
        var after = item(now);
        var events = new ArrayList<ClientEvent>();
        if (!Objects.equals(before, after)) {
            if (before != null) {
                events.add(deletion(then.itemId()));
            }
            if (after != null) {
                events.add(new ClientEvent.ConversationItemCreate("parley_opening_" + Ids.event(), previous, after));
            }
        }
        return events;
    }

    private static ClientEvent deletion(String itemId) {
        return new ClientEvent.ConversationItemDelete("parley_opening_" + Ids.event(), itemId);
    }

    /** What was said, but for the items that the caller is told in another way. */
    static List<Turn> turns(SessionState.Live live, Set<String> toldOtherwise) {
        return live.turns().stream()
                .filter(turn -> !toldOtherwise.contains(turn.itemId()))
                .toList();
    }

    /** The same for a caller who comes back and may have missed some of it, in the protocol's own events. */
    static List<ServerEvent> forCaller(SessionState.Live live, Set<String> toldOtherwise) {
        var events = new ArrayList<ServerEvent>();
        var previous = Previous.FIRST;
        for (var turn : turns(live, toldOtherwise)) {
            events.addAll(forCaller(turn, previous));
            previous = Previous.item(turn.itemId());
        }
        return events;
    }

    /** The same of one item; nothing when it is none. */
    static List<ServerEvent> ofItem(SessionState.Live live, String itemId) {
        var previous = Previous.FIRST;
        for (var turn : live.turns()) {
            if (turn.itemId().equals(itemId)) {
                return forCaller(turn, previous);
            }
            previous = Previous.item(turn.itemId());
        }
        return List.of();
    }

    private static List<ServerEvent> forCaller(Turn turn, Previous previous) {
        var item = itemForCaller(turn);
        return List.of(
                new ServerEvent.ConversationItemAdded(Ids.event(), previous, item),
                new ServerEvent.ConversationItemDone(Ids.event(), previous, item));
    }

    private static List<ClientEvent> told(List<Turn> turns, List<Turn> all) {
        return turns.stream()
                .filter(turn ->
                        turn.role() != Turn.Role.TOOL_RESULT || all.stream().anyMatch(call -> pairs(call, turn)))
                .map(History::item)
                .filter(Objects::nonNull)
                .<ClientEvent>map(
                        item -> new ClientEvent.ConversationItemCreate("parley_opening_" + item.id(), null, item))
                .toList();
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

    private static Item itemForCaller(Turn turn) {
        var status = turn.interrupted() ? Item.Status.INCOMPLETE : Item.Status.COMPLETED;
        return switch (turn.role()) {
            case USER ->
                new Item.Message(
                        turn.itemId(),
                        status,
                        Item.Role.USER,
                        List.of(
                                turn.audioMs() > 0
                                        ? new Content.InputAudio(null, turn.text())
                                        : new Content.InputText(String.valueOf(turn.text()))));
            case AGENT ->
                new Item.Message(
                        turn.itemId(),
                        status,
                        Item.Role.ASSISTANT,
                        List.of(
                                turn.audioMs() > 0
                                        ? new Content.OutputAudio(null, String.valueOf(turn.heardText()))
                                        : new Content.OutputText(String.valueOf(turn.text()))));
            case TOOL_CALL ->
                new Item.FunctionCall(
                        turn.itemId(), status, turn.callId(), String.valueOf(turn.name()), String.valueOf(turn.text()));
            case TOOL_RESULT ->
                new Item.FunctionCallOutput(
                        turn.itemId(), status, String.valueOf(turn.callId()), String.valueOf(turn.text()));
        };
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
