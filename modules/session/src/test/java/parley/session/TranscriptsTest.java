package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.session.SessionEvent.AgentHeard;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionEvent.ToolCalled;
import parley.session.SessionEvent.UserSaid;
import parley.session.SessionEvent.UserTranscribed;

/** B7: what is kept of what was said. */
@Tag("unit")
class TranscriptsTest {
    private static final String CARD = "my card is 4111 1111 1111 1111";
    private static final Transcripts AS_SAID = new Transcripts(false, true);
    private static final Transcripts REDACTED = new Transcripts(true, true);
    private static final Transcripts WORDLESS = new Transcripts(true, false);

    @Test
    void aFactIsTheSameObjectWhereAllIsKept() {
        assertThat(Facts.ALL).allSatisfy(fact -> assertThat(AS_SAID.kept(fact)).isSameAs(fact));
    }

    @Test
    void everyTextOfAFactIsRedacted() {
        assertThat(List.of(
                        REDACTED.kept(new UserSaid("u", CARD, 0, Rig.NOON)),
                        REDACTED.kept(new UserSaid("u", null, 7, Rig.NOON)),
                        REDACTED.kept(new UserTranscribed("u", CARD, Rig.NOON)),
                        REDACTED.kept(new AgentSaid("a", CARD, 9, Rig.NOON)),
                        REDACTED.kept(new AgentHeard("a", "your card is 4111", 9, 8, Rig.NOON)),
                        REDACTED.kept(
                                new ToolCalled("c", "call", "pay", "{\"card\":\"4111 1111 1111 1111\"}", Rig.NOON)),
                        REDACTED.kept(new ToolAnswered("r", "call", CARD, Rig.NOON))))
                .isEqualTo(List.of(
                        new UserSaid("u", "my card is [card]", 0, Rig.NOON),
                        new UserSaid("u", null, 7, Rig.NOON),
                        new UserTranscribed("u", "my card is [card]", Rig.NOON),
                        new AgentSaid("a", "my card is [card]", 9, Rig.NOON),
                        new AgentHeard("a", "your card is [digits]", 9, 8, Rig.NOON),
                        new ToolCalled("c", "call", "pay", "{\"card\":\"[card]\"}", Rig.NOON),
                        new ToolAnswered("r", "call", "my card is [card]", Rig.NOON)));
    }

    @Test
    void argumentsStayAnObject() {
        var arguments =
                "{\"phone\":491512345678,\"note\":[{\"mail\":\"anna@example.com\"},3],\"count\":12,\"ok\":true}";

        assertThat(REDACTED.kept(new ToolCalled("c", "call", "note", arguments, Rig.NOON)))
                .isEqualTo(new ToolCalled(
                        "c",
                        "call",
                        "note",
                        "{\"phone\":\"[digits]\",\"note\":[{\"mail\":\"[email]\"},3],\"count\":12,\"ok\":true}",
                        Rig.NOON));
    }

    @Test
    void withoutStorageWordsAreMissingAndTimesStay() {
        assertThat(List.of(
                        WORDLESS.kept(new UserSaid("u", "hello", 0, Rig.NOON)),
                        WORDLESS.kept(new UserSaid("u", null, 7, Rig.NOON)),
                        WORDLESS.kept(new UserTranscribed("u", "hello", Rig.NOON)),
                        WORDLESS.kept(new AgentSaid("a", "hello", 9, Rig.NOON)),
                        WORDLESS.kept(new AgentSaid("a", "", 9, Rig.NOON)),
                        WORDLESS.kept(new ToolCalled("c", "call", "pay", "{\"to\":\"bert\"}", Rig.NOON)),
                        WORDLESS.kept(new ToolAnswered("r", "call", "paid", Rig.NOON))))
                .isEqualTo(List.of(
                        new UserSaid("u", "[not_stored]", 0, Rig.NOON),
                        new UserSaid("u", null, 7, Rig.NOON),
                        new UserTranscribed("u", "[not_stored]", Rig.NOON),
                        new AgentSaid("a", "[not_stored]", 9, Rig.NOON),
                        new AgentSaid("a", "", 9, Rig.NOON),
                        new ToolCalled("c", "call", "pay", "{}", Rig.NOON),
                        new ToolAnswered("r", "call", "[not_stored]", Rig.NOON)));
    }

    /** The journal, the transcript and the next provider have one version of what was said. */
    @Test
    void aConversationKnowsWhatTheJournalKnows() {
        try (var rig = new Rig(Map.of("parley.session.transcripts.redact", true));
                var stage = new Stage(rig)) {
            var talk = stage.talk(Face.REALTIME);
            talk.provider()
                    .says(
                            Events.itemDone(Events.userItem("u", "call +49 151 2345678")),
                            Events.begun("r1"),
                            Events.outputItemDone("r1", Events.agentItem("a", "completed", "I call +49 151 2345678")),
                            Events.done("r1", "completed"));

            assertThat(talk.caller().hears("response.output_item.done")).contains("+49 151 2345678");
            Rig.eventually(() -> !stage.reported.journaled(AgentSaid.class).isEmpty());
            assertThat(stage.reported.journaled(UserSaid.class))
                    .extracting(UserSaid::text)
                    .containsExactly("call [phone]");
            assertThat(stage.reported.journaled(AgentSaid.class))
                    .extracting(AgentSaid::text)
                    .containsExactly("I call [phone]");
            talk.provider().hangsUp(1006, "");
            assertThat(Stage.taken(rig.provider, 2).items().toString())
                    .contains("call [phone]", "I call [phone]")
                    .doesNotContain("2345678");
        }
    }
}
