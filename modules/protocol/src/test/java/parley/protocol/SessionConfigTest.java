package parley.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class SessionConfigTest {
    private static final String DETECTION = "audio.input.turn_detection";

    private final SessionConfig running = ((ClientEvent.SessionUpdate)
                    Wire.client(Golden.of(EventType.SESSION_UPDATE).bytes()))
            .session();

    @Test
    void readsWhatTheWireSays() {
        assertThat(running.type()).isEqualTo("realtime");
        assertThat(running.model()).isEqualTo("gpt-realtime-2.1");
        assertThat(running.instructions()).isEqualTo("Be brief. Sag „Grüezi“.");
        assertThat(running.outputModalities()).containsExactly("audio");
        assertThat(running.voice()).isEqualTo("marin");
        assertThat(running.inputFormat()).isEqualTo(AudioFormat.PCM16_24K);
        assertThat(running.outputFormat()).isEqualTo(AudioFormat.PCM16_24K);
        assertThat(running.turnDetection())
                .isEqualTo(new TurnDetection("server_vad", 0.5, 300, 500, null, null, true, true));
        assertThat(running.inputTranscription())
                .isEqualTo(new SessionConfig.InputTranscription("gpt-4o-mini-transcribe", "de", null));
        assertThat(running.tools()).hasExactlyElementsOfTypes(Tool.Function.class, Tool.Mcp.class);
        assertThat(running.toolChoice()).isEqualTo(ToolChoice.AUTO);
        assertThat(running.maxOutputTokens()).isEqualTo(SessionConfig.UNLIMITED);
        assertThat(running.id()).isNull();
        assertThat(running.expiresAt()).isNull();
    }

    @Test
    void theEmptySessionStatesNothing() {
        SessionConfig empty = SessionConfig.EMPTY;

        assertThat(empty.type()).isNull();
        assertThat(empty.outputModalities()).isEmpty();
        assertThat(empty.voice()).isNull();
        assertThat(empty.inputFormat()).isNull();
        assertThat(empty.turnDetection()).isNull();
        assertThat(empty.states(DETECTION)).isFalse();
        assertThat(empty.tools()).isEmpty();
        assertThat(empty.toolChoice()).isNull();
        assertThat(empty.maxOutputTokens()).isNull();
    }

    @Test
    void anUpdateWithoutFieldsChangesNothing() {
        assertThat(running.merge(SessionConfig.EMPTY)).isEqualTo(running);
    }

    @Test
    void onlyPresentFieldsChange() {
        SessionConfig merged = running.merge(update("{'instructions':'New','audio':{'output':{'speed':1.2}}}"));

        assertThat(merged)
                .isEqualTo(running.with("instructions", TextNode.valueOf("New"))
                        .with("audio.output.speed", parse("{'x':1.2}").get("x")));
        assertThat(running.instructions()).startsWith("Be brief");
    }

    @Test
    void nullSwitchesOffAndStaysVisible() {
        SessionConfig merged =
                running.merge(update("{'audio':{'input':{'turn_detection':null,'transcription':null}}}"));

        assertThat(merged.turnDetection()).isNull();
        assertThat(merged.inputTranscription()).isNull();
        assertThat(merged.states(DETECTION)).isTrue();
        assertThat(merged.inputFormat()).isEqualTo(AudioFormat.PCM16_24K);
    }

    @Test
    void whatWasOffCanBeSwitchedOn() {
        SessionConfig merged = running.with(DETECTION, NullNode.instance)
                .merge(update("{'audio':{'input':{'turn_detection':{'type':'semantic_vad','eagerness':'low'}}}}"));

        assertThat(merged.turnDetection())
                .isEqualTo(new TurnDetection("semantic_vad", null, null, null, null, "low", true, true));
    }

    @Test
    void nestedObjectsMerge() {
        SessionConfig merged = running.merge(
                update("{'audio':{'input':{'turn_detection':{'type':'server_vad','interrupt_response':false}}}}"));

        assertThat(merged.turnDetection())
                .isEqualTo(new TurnDetection("server_vad", 0.5, 300, 500, null, null, true, false));
    }

    @Test
    void anObjectOfAnotherTypeReplaces() {
        SessionConfig merged = running.merge(update(
                "{'audio':{'input':{'format':{'type':'audio/pcmu'},'turn_detection':{'type':'semantic_vad'}}}}"));

        assertThat(merged.inputFormat()).isEqualTo(AudioFormat.PCMU);
        assertThat(merged.states("audio.input.format.rate")).isFalse();
        assertThat(merged.states(DETECTION + ".threshold")).isFalse();
    }

    @Test
    void emptyTextAndEmptyListsClear() {
        SessionConfig merged = running.merge(update("{'instructions':'','tools':[]}"));

        assertThat(merged.instructions()).isEmpty();
        assertThat(merged.tools()).isEmpty();
        assertThat(merged.states("tools")).isTrue();
    }

    @Test
    void whatNobodyKnowsSurvivesAMerge() {
        assertThat(running.merge(update("{'vendor_field':{'more':true}}"))
                        .json()
                        .get("vendor_field"))
                .isEqualTo(parse("{'kept':1.50,'more':true}"));
    }

    @Test
    void aFieldCanBeTakenOut() {
        assertThat(running.without("audio.output.voice").voice()).isNull();
        assertThat(running.without("audio.output.voice").states("audio.output.speed"))
                .isTrue();
        assertThat(running.without("no.such.field")).isSameAs(running);
    }

    @Test
    void nobodyCanChangeItFromOutside() {
        ObjectNode json = parse("{'model':'a'}");
        SessionConfig session = SessionConfig.of(json);

        json.put("model", "b");
        session.json().put("model", "c");

        assertThat(session.model()).isEqualTo("a");
    }

    @Test
    void instructionsDoNotShowInText() {
        assertThat(running.toString()).contains("instructions").doesNotContain("Be brief");
    }

    @Test
    void aCustomVoiceIsItsId() {
        assertThat(update("{'audio':{'output':{'voice':{'id':'voice_1'}}}}").voice())
                .isEqualTo("voice_1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'tool_choice':'none'}|none||",
                "{'tool_choice':{'type':'function','name':'f'}}|function|f|",
                "{'tool_choice':{'type':'mcp','server_label':'s'}}|mcp||s"
            })
    void theToolChoiceHasAModeAndAName(String json, String mode, String name, String server) {
        assertThat(update(json).toolChoice()).isEqualTo(new ToolChoice(mode, name, server));
    }

    @Test
    void aResponseRequestTellsWhatItOverrides() {
        ResponseRequest request = ((ClientEvent.ResponseCreate)
                        Wire.client(Golden.of(EventType.RESPONSE_CREATE).bytes()))
                .response();

        assertThat(request).isNotNull();
        assertThat(request.instructions()).isEqualTo("Answer in one word.");
        assertThat(request.outputModalities()).containsExactly("text");
        assertThat(request.outOfBand()).isTrue();
        assertThat(request.metadata()).containsExactly(Map.entry("client_event_id", "x1"));
        assertThat(request.maxOutputTokens()).isEqualTo(200);
        assertThat(request.tools()).isNull();
        assertThat(request.toolChoice()).isEqualTo(new ToolChoice("function", "weather", null));
        assertThat(request.input())
                .isEqualTo(List.of(
                        new Item.ItemReference("item_1"),
                        new Item.Message(null, null, Item.Role.SYSTEM, List.of(new Content.InputText("Be kind")))));
        assertThat(ResponseRequest.EMPTY.input()).isNull();
        assertThat(ResponseRequest.EMPTY.outOfBand()).isFalse();
    }

    private static SessionConfig update(String json) {
        return SessionConfig.of(parse(json));
    }

    private static ObjectNode parse(String json) {
        return Wire.parse(json.replace('\'', '"'));
    }
}
