package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.session.Owed.Lost;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentHeard;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionState.Live;

@Tag("unit")
class OwedTest {
    private static final Rig.FakeTools TOOLS = new Rig.FakeTools();

    private static Live after(Face face, SessionEvent... facts) {
        var all = new ArrayList<>(Stage.fresh(face, "usual"));
        all.addAll(List.of(facts));
        return Stage.state(all);
    }

    private static Live after(SessionEvent... facts) {
        return after(Face.VOICE, facts);
    }

    @Test
    void nothingIsOwedAfterACompleteAnswer() {
        var owed = Owed.after(after(Facts.USER_SAID, Facts.BEGAN, Facts.AGENT_SAID, Facts.ENDED_ANSWER));

        assertThat(owed).isEqualTo(Owed.NOTHING);
    }

    @Test
    void anAnswerThatWasCutIsOwedFromWhereItWasHeard() {
        var owed = Owed.after(after(Facts.USER_SAID, Facts.BEGAN, Facts.AGENT_SAID, Facts.CUT));

        assertThat(owed).isEqualTo(new Owed(true, "one two", List.of(new Lost.Answer("item_a", 1000))));
    }

    @Test
    void anAnswerOfWhichNothingWasHeardIsOwedWhole() {
        var owed = Owed.after(after(Facts.USER_SAID, Facts.BEGAN));

        assertThat(owed).isEqualTo(new Owed(true, null, List.of(new Lost.Answer(null, 0))));
    }

    @Test
    void theAnswerBeforeIsNotTakenForTheOneThatWasCut() {
        var owed = Owed.after(after(Facts.AGENT_SAID, new SessionEvent.AnswerBegan("resp_2", Rig.NOON)));

        assertThat(owed).isEqualTo(new Owed(true, null, List.of(new Lost.Answer(null, 0))));
    }

    @Test
    void aSpokenTurnIsAnsweredUnlessTheCallerWantsToAskForIt() {
        var asks = new SessionEvent.Configured(
                "{\"type\":\"realtime\",\"audio\":{\"input\":{\"turn_detection\":{\"type\":\"server_vad\","
                        + "\"create_response\":false}}}}",
                Rig.NOON);
        var pushes = new SessionEvent.Configured(
                "{\"type\":\"realtime\",\"audio\":{\"input\":{\"turn_detection\":null}}}", Rig.NOON);

        assertThat(Owed.after(after(Facts.USER_SAID)).answer()).isTrue();
        assertThat(Owed.after(after(asks, Facts.USER_SAID)).answer()).isFalse();
        assertThat(Owed.after(after(pushes, Facts.USER_SAID)).answer()).isFalse();
    }

    @Test
    void whatWasWrittenIsAnsweredWhenTheCallerAsks() {
        assertThat(Owed.after(after(new SessionEvent.UserSaid("u", "hi", 0, Rig.NOON)))
                        .answer())
                .isFalse();
    }

    @Test
    void aResultIsGoneOnFromWhereTheToolsAreOurs() {
        assertThat(Owed.after(after(Facts.CALLED, Facts.ANSWERED)).answer()).isTrue();
        assertThat(Owed.after(after(Face.REALTIME, Facts.CALLED, Facts.ANSWERED))
                        .answer())
                .isFalse();
        assertThat(Owed.after(after(Facts.CALLED)).answer()).isFalse();
    }

    @Test
    void afterACrashAnAnswerWasHeardAsFarAsSomebodyLooked() {
        var heard = new AgentHeard("item_a", "one two three", 1500, 700, Rig.NOON);

        assertThat(Owed.facts(after(Facts.BEGAN, heard), TOOLS, Rig.NOON))
                .containsExactly(
                        new AgentSaid("item_a", "one two three", 1500, Rig.NOON),
                        new AgentCut("item_a", 700, Rig.NOON));
        assertThat(Owed.facts(after(Facts.BEGAN, heard, Facts.AGENT_SAID), TOOLS, Rig.NOON))
                .containsExactly(new AgentCut("item_a", 700, Rig.NOON));
    }

    @Test
    void whatWasToBeHeardAfterThatWasNotHeard() {
        var first = new AgentSaid("a1", "one two", 1000, Rig.NOON);
        var second = new AgentSaid("a2", "three four", 1000, Rig.NOON);
        var heard = new AgentHeard("a1", "", 0, 500, Rig.NOON);

        assertThat(Owed.facts(after(Facts.BEGAN, first, second, heard), TOOLS, Rig.NOON))
                .containsExactly(new AgentCut("a1", 500, Rig.NOON), new AgentCut("a2", 0, Rig.NOON));
        assertThat(Owed.facts(after(Facts.BEGAN, first, second), TOOLS, Rig.NOON))
                .containsExactly(new AgentCut("a1", 0, Rig.NOON), new AgentCut("a2", 0, Rig.NOON));
    }

    @Test
    void anEarlierAnswerWasHeardWhateverBecomesOfTheNext() {
        assertThat(Owed.facts(
                        after(Facts.AGENT_SAID, new SessionEvent.AnswerBegan("resp_2", Rig.NOON)), TOOLS, Rig.NOON))
                .isEmpty();
    }

    @Test
    void anAnswerThatCameWhileTheOneBeforeWasStillHeardWasNotHeard() {
        var first = new AgentSaid("a1", "one two", 2000, Rig.NOON);
        var second = new AgentSaid("a2", "three four", 1000, Rig.NOON);
        var next = new SessionEvent.AnswerBegan("resp_2", Rig.NOON);

        assertThat(Owed.facts(
                        after(Facts.BEGAN, first, next, second, new AgentHeard("a1", "", 0, 500, Rig.NOON)),
                        TOOLS,
                        Rig.NOON))
                .containsExactly(new AgentCut("a1", 500, Rig.NOON), new AgentCut("a2", 0, Rig.NOON));
        assertThat(Owed.facts(
                        after(Facts.BEGAN, first, next, second, new AgentHeard("a1", "", 0, 2000, Rig.NOON)),
                        TOOLS,
                        Rig.NOON))
                .as("the first was heard to its end")
                .containsExactly(new AgentCut("a2", 0, Rig.NOON));
    }

    @Test
    void nothingWasHeardOfWhatCameAfterTheAnswerThatWasBeingHeardWhateverHasBegunSince() {
        var first = new AgentSaid("a1", "one two", 2000, Rig.NOON);
        var second = new AgentSaid("a2", "three four", 1000, Rig.NOON);
        var heard = new AgentHeard("a1", "", 0, 500, Rig.NOON);
        var next = new SessionEvent.AnswerBegan("resp_2", Rig.NOON);
        var third = new SessionEvent.AnswerBegan("resp_3", Rig.NOON);

        assertThat(Owed.facts(after(Facts.BEGAN, first, heard, next, second, third), TOOLS, Rig.NOON))
                .as("nobody has looked since")
                .containsExactly(new AgentCut("a1", 500, Rig.NOON), new AgentCut("a2", 0, Rig.NOON));
    }

    @Test
    void anAnswerBeginsWhereItBeganAlsoWhenSomethingBeforeItIsDeleted() {
        var live = after(Facts.USER_SAID, Facts.BEGAN, Facts.AGENT_SAID, Facts.DELETED);

        assertThat(Owed.facts(live, TOOLS, Rig.NOON)).containsExactly(new AgentCut("item_a", 0, Rig.NOON));
        assertThat(Owed.after(live).lost()).containsExactly(new Lost.Answer("item_a", 2000));
    }

    @Test
    void aCallOfOursWithoutAResultIsAnsweredWithThatAndNeverExecutedAgain() {
        var live = after(Facts.CALLED);

        assertThat(Owed.lostCalls(live, TOOLS)).extracting(Turn::callId).containsExactly("call_1");
        assertThat(Owed.facts(live, TOOLS, Rig.NOON)).singleElement().satisfies(fact -> {
            assertThat(((ToolAnswered) fact).callId()).isEqualTo("call_1");
            assertThat(((ToolAnswered) fact).output()).contains("not known whether the call was executed");
        });
        assertThat(Owed.lostCalls(after(Facts.CALLED, Facts.ANSWERED), TOOLS)).isEmpty();
        assertThat(Owed.lostCalls(after(Face.REALTIME, Facts.CALLED), TOOLS))
                .as("the caller's business")
                .isEmpty();
    }

    @Test
    void whatWasLostIsToldInTheCallersWords() {
        assertThat(Owed.restored("node_lost", List.of(new Lost.Answer("item_a", 700), new Lost.ToolResult("call_1"))))
                .isEqualTo("{\"type\":\"session.restored\",\"cause\":\"node_lost\",\"lost\":["
                        + "{\"kind\":\"answer\",\"item_id\":\"item_a\",\"heard_ms\":700},"
                        + "{\"kind\":\"tool_result\",\"call_id\":\"call_1\"}]}");
    }
}
