package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parley.protocol.Wire;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.Spent;
import parley.session.SessionEvent.ToolCalled;
import parley.session.SessionEvent.UserSaid;
import parley.session.SessionEvent.UserTranscribed;

@Tag("unit")
class WitnessTest {
    private final Witness witness = new Witness("usual", Rig.prices(), Clock.fixed(Rig.NOON, ZoneOffset.UTC));

    private void saw(String... events) {
        for (var event : events) {
            witness.saw(Wire.server(event));
        }
    }

    @Test
    void aSpokenTurnIsAsLongAsTheProviderHeardIt() {
        saw(
                Events.speechStarted("u"),
                Events.speechStopped("u"),
                "{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"e\",\"item_id\":\"u\"}",
                Events.itemDone(Events.userItem("u", "")
                        .replace(
                                "{\"type\":\"input_text\",\"text\":\"\"}",
                                "{\"type\":\"input_audio\",\"transcript\":null}")),
                "{\"type\":\"conversation.item.input_audio_transcription.completed\",\"event_id\":\"e\",\"item_id\":"
                        + "\"u\",\"content_index\":0,\"transcript\":\"hello\"}");

        assertThat(witness.takeFacts())
                .containsExactly(new UserSaid("u", null, 1500, Rig.NOON), new UserTranscribed("u", "hello", Rig.NOON));
        assertThat(witness.hasFacts()).isFalse();
    }

    /** 1024 samples, as browsers have them, are 42.67 ms. */
    @Test
    void framesOfNoWholeMillisecondsAddUp() {
        long ms = 0;
        for (int i = 0; i < 300; i++) {
            ms += witness.heard(2048);
        }

        assertThat(ms).isEqualTo(300 * 2048 / 48);
    }

    @Test
    void aTurnThatTheClientCommittedIsAsLongAsWhatItSent() {
        witness.heard(300 * 48);
        saw("{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"e\",\"item_id\":\"u1\"}");
        witness.heard(200 * 48);
        saw("{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"e\",\"item_id\":\"u2\"}");
        saw(Events.itemDone(Events.userItem("u1", "a")), Events.itemDone(Events.userItem("u2", "b")));

        assertThat(witness.takeFacts())
                .containsExactly(new UserSaid("u1", "a", 300, Rig.NOON), new UserSaid("u2", "b", 200, Rig.NOON));
    }

    @Test
    void anItemIsToldOnceThoughItsEndIsAnnouncedTwice() {
        witness.generated("a", 400);
        saw(
                Events.outputItemDone("r1", Events.agentItem("a", "completed", "hi")),
                Events.itemDone(Events.agentItem("a", "completed", "hi")));

        assertThat(witness.takeFacts()).containsExactly(new AgentSaid("a", "hi", 400, Rig.NOON));
    }

    @Test
    void anItemInProgressIsNotTold() {
        saw(
                Events.itemDone(Events.agentItem("a", "in_progress", "")),
                Events.itemDone(Events.call("c", "call_1", "in_progress")));

        assertThat(witness.takeFacts()).isEmpty();
    }

    @Test
    void aCutIsToldBehindTheItemWhicheverComesFirst() {
        witness.generated("a", 1000);
        witness.cut("a", 300);
        saw(Events.itemDone(Events.agentItem("a", "incomplete", "one two")));
        saw(Events.itemDone(Events.agentItem("b", "completed", "three")));
        witness.cut("b", 0);

        assertThat(witness.takeFacts())
                .containsExactly(
                        new AgentSaid("a", "one two", 1000, Rig.NOON),
                        new AgentCut("a", 300, Rig.NOON),
                        new AgentSaid("b", "three", 0, Rig.NOON),
                        new AgentCut("b", 0, Rig.NOON));
    }

    @Test
    void theProvidersEchoOfACutIsNoSecondFact() {
        saw(Events.itemDone(Events.agentItem("a", "completed", "one")));
        witness.cut("a", 300);
        saw("{\"type\":\"conversation.item.truncated\",\"event_id\":\"e\",\"item_id\":\"a\",\"content_index\":0,"
                + "\"audio_end_ms\":300}");

        assertThat(witness.takeFacts()).hasSize(2);
    }

    @Test
    void whatNobodyWillHearIsGeneratedAndCutAtNothing() {
        witness.unheard("a", 200);
        witness.unheard("a", 200);
        saw(Events.itemDone(Events.agentItem("a", "incomplete", "one")));

        assertThat(witness.takeFacts())
                .containsExactly(new AgentSaid("a", "one", 400, Rig.NOON), new AgentCut("a", 0, Rig.NOON));
    }

    @Test
    void callsDeletionsAndCostsAreFacts() {
        saw(
                Events.outputItemDone("r1", Events.call("c", "call_1", "completed")),
                "{\"type\":\"conversation.item.deleted\",\"event_id\":\"e\",\"item_id\":\"u\"}",
                Events.done("r1", "cancelled"));

        assertThat(witness.takeFacts())
                .containsExactly(
                        new ToolCalled("c", "call_1", "time", "{}", Rig.NOON),
                        new ItemDeleted("u", Rig.NOON),
                        new Spent("r1", new Tokens(119, 64, 13, 0, 0, 0, 30, 91, 0), "usual", "v1", 7206, Rig.NOON));
    }

    @Test
    void aResponseBesideTheConversationCostsButSaysNothing() {
        saw(
                Events.begun("r9").replace("\"conv_1\"", "null"),
                Events.outputItemDone("r9", Events.agentItem("z", "completed", "aside")),
                Events.done("r9", "completed").replace("\"conv_1\"", "null"));

        assertThat(witness.takeFacts()).singleElement().isInstanceOf(Spent.class);
        assertThat(witness.isAside("r9")).as("forgotten when it is done").isFalse();
    }

    @Test
    void ofWordsThatALostProviderHadBegunThoseBesideTheConversationAreNoFact() {
        saw(Events.begun("r9").replace("\"conv_1\"", "null"));
        witness.spelled("r9", "z", "aside");
        assertThat(witness.providerLost()).as("something was cut").isFalse();
        assertThat(witness.takeFacts()).isEmpty();

        witness.spelled("r1", "a", "one");

        assertThat(witness.providerLost()).isTrue();
        assertThat(witness.takeFacts()).containsExactly(new AgentSaid("a", "one", 0, Rig.NOON));
    }

    @Test
    void theConfigurationIsAFactWhenItChanges() {
        saw(Events.created(), Events.updated());
        assertThat(witness.takeFacts()).as("as it was created").isEmpty();

        saw(Events.updated().replace("\"usual\"", "\"other\""));

        assertThat(witness.takeFacts()).singleElement().isInstanceOf(SessionEvent.Configured.class);
    }

    @Test
    void aCallerInterruptsOnlyWhereTheProviderStopsTheAgent() {
        assertThat(witness.interruptible()).isTrue();
        saw(Events.created(false));
        assertThat(witness.interruptible()).isFalse();
        saw(Events.created(true));
        assertThat(witness.interruptible()).isTrue();
    }

    /** L9: whatever became of a response, its tokens are on the bill. */
    @ParameterizedTest
    @ValueSource(strings = {"completed", "cancelled", "incomplete", "failed"})
    void everyEndOfAResponseIsPaidFor(String status) {
        saw(Events.done("r1", status));

        assertThat(witness.takeFacts())
                .containsExactly(
                        new Spent("r1", new Tokens(119, 64, 13, 0, 0, 0, 30, 91, 0), "usual", "v1", 7206, Rig.NOON));
    }

    @Test
    void aResponseBesideTheConversationIsPaidForAndOneWithoutUsageIsNot() {
        var aside = "\"conversation_id\":null";
        saw(
                Events.begun("r1").replace("\"conversation_id\":\"conv_1\"", aside),
                Events.done("r1", "completed").replace("\"conversation_id\":\"conv_1\"", aside),
                "{\"type\":\"response.done\",\"event_id\":\"e\",\"response\":" + Events.response("r2", "failed", "null")
                        + "}");

        assertThat(witness.takeFacts()).hasSize(1).first().isInstanceOf(Spent.class);
    }

    @Test
    void aTranscriptionIsPaidForAtThePriceOfWhoWroteIt() {
        var prices = Prices.undated(
                "v2",
                Map.of(
                        "usual", new Prices.Model(4, 0, 0, 0, 0, 0, 0, 0, 0),
                        "by-token", new Prices.Model(2.5, 0, 10, 6, 0, 0, 0, 0, 0),
                        "by-time", new Prices.Model(0, 0, 0, 0, 0, 0, 0, 0, 0.017)));
        var writes = new Witness("usual", prices, Clock.fixed(Rig.NOON, ZoneOffset.UTC));
        writes.saw(Wire.server(configured("by-token")));
        writes.saw(Wire.server(transcribed("{\"type\":\"tokens\",\"total_tokens\":30,\"input_tokens\":20,"
                + "\"output_tokens\":10,\"input_token_details\":{\"text_tokens\":5,\"audio_tokens\":15}}")));
        writes.saw(Wire.server(configured("by-time")));
        writes.saw(Wire.server(transcribed("{\"type\":\"duration\",\"seconds\":90}")));

        assertThat(writes.takeFacts().stream().filter(Spent.class::isInstance))
                .containsExactly(
                        // 5 * 2.5 + 15 * 6 + 10 * 10 = 202.5; 1.5 minutes * 0.017
                        new Spent(
                                "transcription:u",
                                new Tokens(5, 0, 15, 0, 0, 0, 10, 0, 0),
                                "by-token",
                                "v2",
                                203,
                                Rig.NOON),
                        new Spent(
                                "transcription:u",
                                new Tokens(0, 0, 0, 0, 0, 0, 0, 0, 90),
                                "by-time",
                                "v2",
                                25_500,
                                Rig.NOON));
    }

    private static String configured(String transcriber) {
        return Events.updated()
                .replace(
                        "\"audio\":{\"input\":{",
                        "\"audio\":{\"input\":{\"transcription\":{\"model\":\"" + transcriber + "\"},");
    }

    private static String transcribed(String usage) {
        var event = Events.transcribed("u", "hello");
        return event.substring(0, event.length() - 1) + ",\"usage\":" + usage + "}";
    }
}
