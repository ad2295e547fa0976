package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.ClientEvent;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.session.SessionState.Live;
import parley.session.SessionState.Vacant;
import parley.tool.Tools;

@Tag("unit")
class HistoryTest {
    private static final SessionSettings.Defaults NONE = new SessionSettings.Defaults(null, null, null);

    private static List<String> replayed(SessionSettings.Defaults defaults, SessionEvent... facts) {
        SessionState state = new Vacant().after(Facts.OPENED);
        for (var fact : facts) {
            state = state.after(fact);
        }
        return History.of((Live) state, defaults, Tools.none())
                .begin((ServerEvent.SessionCreated) Wire.server(Events.created()))
                .stream()
                .map((ClientEvent event) -> Wire.json(event))
                .toList();
    }

    @Test
    void aNewConversationBeginsWithoutAScript() {
        assertThat(replayed(NONE)).isEmpty();
    }

    @Test
    void aNewConversationBeginsWithWhatTheDeploymentWants() {
        assertThat(replayed(new SessionSettings.Defaults("marin", "be kind", 500)))
                .containsExactly("{\"type\":\"session.update\",\"event_id\":\"parley_opening\",\"session\":{\"type\":"
                        + "\"realtime\",\"instructions\":\"be kind\",\"max_output_tokens\":500,\"audio\":{\"output\":"
                        + "{\"voice\":\"marin\"}}}}");
    }

    @Test
    void aConversationGoesOnWithItsConfigurationAndWhatWasHeard() {
        var events = replayed(NONE, Facts.CONFIGURED, Facts.USER_SAID, Facts.TRANSCRIBED, Facts.AGENT_SAID, Facts.CUT);

        assertThat(events).hasSize(3);
        assertThat(events.get(0)).contains("session.update", "\"instructions\":\"kind\"");
        assertThat(events.get(1)).contains("\"id\":\"item_u\"", "\"input_text\"", "\"hello\"");
        assertThat(events.get(2)).contains("\"id\":\"item_a\"", "\"output_text\"", "\"text\":\"one two\"");
    }

    @Test
    void whatASessionStatesOfItselfIsNotSentBack() {
        var stated = new SessionEvent.Configured(
                "{\"id\":\"sess_1\",\"object\":\"realtime.session\",\"expires_at\":1,\"type\":\"realtime\"}", Rig.NOON);

        assertThat(replayed(NONE, stated).getFirst()).endsWith("\"session\":{\"type\":\"realtime\"}}");
    }

    @Test
    void anAnswerNobodyHeardIsLeftOut() {
        var cut = new SessionEvent.AgentCut("item_a", 0, Rig.NOON);

        assertThat(replayed(NONE, Facts.AGENT_SAID, cut)).isEmpty();
    }

    @Test
    void aCallAndItsAnswerGoTogether() {
        assertThat(replayed(NONE, Facts.CALLED, Facts.ANSWERED))
                .hasSize(2)
                .anySatisfy(event -> assertThat(event).contains("\"function_call\"", "\"call_1\""))
                .anySatisfy(event -> assertThat(event).contains("\"function_call_output\"", "\"noon\""));
    }

    @Test
    void aCallThatIsBeingExecutedIsToldAlone() {
        assertThat(replayed(NONE, Facts.CALLED))
                .singleElement()
                .satisfies(event -> assertThat(event).contains("\"function_call\"", "\"call_1\""));
    }

    @Test
    void anAnswerToNoCallIsLeftOut() {
        assertThat(replayed(NONE, Facts.ANSWERED)).isEmpty();
    }

    @Test
    void speechWithoutWordsIsToldAsSuch() {
        assertThat(replayed(NONE, Facts.USER_SAID).getFirst()).contains("[speech without a transcript]");
    }

    private static Live after(SessionEvent... facts) {
        SessionState state = new Vacant().after(Facts.OPENED);
        for (var fact : facts) {
            state = state.after(fact);
        }
        return (Live) state;
    }

    private static List<String> since(Live before, Live now) {
        return History.since(before, now).stream()
                .map((ClientEvent event) -> Wire.json(event))
                .toList();
    }

    @Test
    void whoKnowsTheBeginningIsToldTheRest() {
        var before = after(Facts.CONFIGURED, Facts.USER_SAID);
        var now = after(Facts.CONFIGURED, Facts.USER_SAID, Facts.AGENT_SAID, Facts.CUT, Facts.CALLED, Facts.ANSWERED);

        var events = since(before, now);

        assertThat(events).hasSize(3);
        assertThat(events.get(0)).contains("\"id\":\"item_a\"", "\"text\":\"one two\"");
        assertThat(events.get(1)).contains("\"function_call\"");
        assertThat(events.get(2)).contains("\"function_call_output\"");
        assertThat(since(now, now)).isEmpty();
    }

    @Test
    void anAnswerToACallThatIsKnownIsToldAlone() {
        assertThat(since(after(Facts.CALLED), after(Facts.CALLED, Facts.ANSWERED)))
                .singleElement()
                .satisfies(event -> assertThat(event).contains("\"function_call_output\"", "\"call_1\""));
    }

    @Test
    void aConfigurationThatHasChangedIsToldToo() {
        assertThat(since(after(), after(Facts.CONFIGURED)).getFirst())
                .contains("session.update", "\"instructions\":\"kind\"", "\"event_id\":\"parley_opening");
    }

    @Test
    void aTurnThatHasChangedIsTakenBackAndToldAnewInItsPlace() {
        var before = after(Facts.USER_SAID, Facts.AGENT_SAID);
        var now = after(Facts.USER_SAID, Facts.AGENT_SAID, Facts.TRANSCRIBED, Facts.CUT);

        assertThat(since(before, now))
                .satisfiesExactly(
                        event -> assertThat(event).contains("conversation.item.delete", "\"item_id\":\"item_u\""),
                        event -> assertThat(event)
                                .contains("conversation.item.create", "\"previous_item_id\":\"root\"", "\"hello\""),
                        event -> assertThat(event).contains("conversation.item.delete", "\"item_id\":\"item_a\""),
                        event -> assertThat(event)
                                .contains(
                                        "conversation.item.create",
                                        "\"previous_item_id\":\"item_u\"",
                                        "\"text\":\"one two\""));
    }

    @Test
    void aTurnThatIsGoneOrOfWhichNothingWasHeardIsTakenBack() {
        var before = after(Facts.USER_SAID, Facts.TRANSCRIBED, Facts.AGENT_SAID);
        var unheard = new SessionEvent.AgentCut("item_a", 0, Rig.NOON);
        var now = after(Facts.USER_SAID, Facts.TRANSCRIBED, Facts.AGENT_SAID, Facts.DELETED, unheard);

        assertThat(since(before, now))
                .satisfiesExactly(
                        event -> assertThat(event).contains("conversation.item.delete", "\"item_id\":\"item_u\""),
                        event -> assertThat(event).contains("conversation.item.delete", "\"item_id\":\"item_a\""));
    }

    @Test
    void aCallerWhoComesBackGetsEveryItemWithItsEndInOrder() {
        var events = History.forCaller(
                        after(
                                Facts.USER_SAID,
                                Facts.TRANSCRIBED,
                                Facts.AGENT_SAID,
                                Facts.CUT,
                                Facts.CALLED,
                                Facts.ANSWERED),
                        Set.of())
                .stream()
                .map((ServerEvent event) -> new String(Wire.bytes(event), java.nio.charset.StandardCharsets.UTF_8))
                .toList();

        assertThat(events).hasSize(8);
        assertThat(events.get(0)).contains("conversation.item.added", "\"previous_item_id\":null", "\"item_u\"");
        assertThat(events.get(1)).contains("conversation.item.done", "input_audio", "\"transcript\":\"hello\"");
        assertThat(events.get(3))
                .contains(
                        "\"previous_item_id\":\"item_u\"",
                        "\"id\":\"item_a\"",
                        "\"status\":\"incomplete\"",
                        "\"transcript\":\"one two\"");
        assertThat(events.get(5)).contains("\"previous_item_id\":\"item_a\"", "\"function_call\"");
        assertThat(events.get(7)).contains("\"previous_item_id\":\"item_c\"", "\"function_call_output\"");
    }
}
