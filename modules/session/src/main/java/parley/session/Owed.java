package parley.session;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parley.protocol.Content;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionState.Live;
import parley.tool.Tools;

/**
 * What a conversation owes its caller when it is taken up again: an answer that was begun or asked for, and the truth
 * about what was lost.
 *
 * @param answer whether the model is to be asked to speak
 * @param heard the last words of a cut answer that the caller heard; null when nothing was
 * @param lost what is gone, and is told to the caller once
 */
record Owed(boolean answer, @Nullable String heard, List<Lost> lost) {
    static final Owed NOTHING = new Owed(false, null, List.of());

    /** Something that was under way and is gone. */
    sealed interface Lost {
        /** The answer was cut after so much of it; it is begun again from there. */
        record Answer(@Nullable String itemId, long heardMs) implements Lost {}

        /** Nobody knows whether the call was executed; the model is told so. */
        record ToolResult(String callId) implements Lost {}
    }

    private static final String UNKNOWN_RESULT = "The result was lost: it is not known whether the call was executed.";

    Owed {
        lost = List.copyOf(lost);
    }

    /** What is owed after this conversation. */
    static Owed after(Live live) {
        var last = live.turns().isEmpty() ? null : live.turns().getLast();
        var said = answer(live);
        var cut = said.isEmpty() ? null : said.getLast();
        var lost = new ArrayList<Lost>();
        if (live.answer() != null) {
            lost.add(new Lost.Answer(cut == null ? null : cut.itemId(), cut == null ? 0 : cut.heardMs()));
        }
        var heard = cut == null ? null : cut.heardText();
        boolean due = live.answer() != null || isAnswerDue(live, last);
        return new Owed(due, heard == null || heard.isBlank() ? null : heard, lost);
    }

    /** Whether the answer that has not ended has said, or called, something to its end. */
    static boolean isBegun(Live live) {
        return live.answer() != null
                && live.turns().stream()
                        .skip(live.answer().from())
                        .anyMatch(turn -> turn.role() == Turn.Role.AGENT || turn.role() == Turn.Role.TOOL_CALL);
    }

    private static boolean isAnswerDue(Live live, @Nullable Turn last) {
        if (last == null) {
            return false;
        }
        boolean guided = live.opened().face().guided();
        return switch (last.role()) {
            case USER -> last.audioMs() > 0 && answersByItself(live.configured());
            case TOOL_RESULT -> guided;
            case TOOL_CALL, AGENT -> false;
        };
    }

    private static boolean answersByItself(@Nullable String configured) {
        if (configured == null) {
            return true;
        }
        var session = SessionConfig.of(Wire.parse(configured));
        var detection = session.turnDetection();
        return session.states("audio.input.turn_detection") ? detection != null && detection.createResponse() : true;
    }

    /**
     * The facts that follow when the one who held the session is gone without a word: the answer was heard as far as was
     * last seen, and our own tools' results that nobody journaled are lost.
     */
    static List<SessionEvent> facts(Live live, Tools tools, Instant now) {
        var facts = new ArrayList<SessionEvent>();
        if (live.answer() != null) {
            cut(live, live.answer().heard(), facts, now);
        }
        lostCalls(live, tools)
                .forEach(call ->
                        facts.add(new ToolAnswered(Ids.item(), String.valueOf(call.callId()), UNKNOWN_RESULT, now)));
        return facts;
    }

    /** Calls of our tools without a result: they may have been executed, and are not executed again. */
    static List<Turn> lostCalls(Live live, Tools tools) {
        return !live.opened().face().guided()
                ? List.of()
                : live.turns().stream()
                        .filter(turn -> turn.role() == Turn.Role.TOOL_CALL && tools.knows(String.valueOf(turn.name())))
                        .filter(call -> live.turns().stream()
                                .noneMatch(answer -> answer.role() == Turn.Role.TOOL_RESULT
                                        && Objects.equals(answer.callId(), call.callId())))
                        .toList();
    }

    /** An answer may be there before the one before it was heard to its end: what comes after that was not heard. */
    private static void cut(Live live, SessionEvent.@Nullable AgentHeard heard, List<SessionEvent> facts, Instant now) {
        var turns = live.turns();
        int unheard = live.answer() == null ? turns.size() : live.answer().from();
        if (heard != null) {
            int known = 0;
            while (known < turns.size() && !turns.get(known).itemId().equals(heard.itemId())) {
                known++;
            }
            if (known == turns.size()) {
                facts.add(new AgentSaid(heard.itemId(), heard.text(), heard.generatedMs(), now));
            }
            if (known == turns.size() || heard.heardMs() < turns.get(known).heardMs()) {
                facts.add(new AgentCut(heard.itemId(), heard.heardMs(), now));
            }
            unheard = known + 1;
        }
        turns.stream()
                .skip(unheard)
                .filter(turn -> turn.role() == Turn.Role.AGENT && turn.audioMs() > 0)
                .forEach(turn -> facts.add(new AgentCut(turn.itemId(), 0, now)));
    }

    /** What the agent said of the answer that has not ended. */
    private static List<Turn> answer(Live live) {
        return live.answer() == null
                ? List.of()
                : live.turns().stream()
                        .skip(live.answer().from())
                        .filter(turn -> turn.role() == Turn.Role.AGENT)
                        .toList();
    }

    /** Both, and what the later one knows better. */
    Owed and(Owed later) {
        return new Owed(
                answer || later.answer(), later.heard() == null ? heard : later.heard(), both(lost, later.lost()));
    }

    Owed and(List<Lost> more) {
        return new Owed(answer, heard, both(lost, more));
    }

    private static List<Lost> both(List<Lost> some, List<Lost> more) {
        var all = new ArrayList<>(some);
        all.addAll(more);
        return all;
    }

    /** For the model, so that it goes on from there; null when nothing was heard. */
    @Nullable
    Item wasHeard() {
        return heard == null
                ? null
                : new Item.Message(
                        Ids.item(),
                        null,
                        Item.Role.SYSTEM,
                        List.of(
                                new Content.InputText(
                                        "A technical fault cut your last answer off. The caller heard it up to: \""
                                                + heard
                                                + "\". Go on from there. Do not greet, do not repeat, do not mention the fault.")));
    }

    /** For the caller, as {@code session.restored} tells it. */
    static String restored(String cause, List<Lost> lost) {
        var event = JsonNodeFactory.instance.objectNode().put("type", "session.restored");
        event.put("cause", cause);
        var list = event.putArray("lost");
        lost.forEach(one -> add(list, one));
        return Wire.json(event);
    }

    private static void add(ArrayNode list, Lost one) {
        ObjectNode told = list.addObject();
        switch (one) {
            case Lost.Answer(var itemId, var heardMs) ->
                told.put("kind", "answer").put("item_id", itemId).put("heard_ms", heardMs);
            case Lost.ToolResult(var callId) -> told.put("kind", "tool_result").put("call_id", callId);
        }
    }
}
