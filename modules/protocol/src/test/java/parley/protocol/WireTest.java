package parley.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class WireTest {

    static List<Golden> clientEvents() {
        return Golden.all(EventType.Direction.CLIENT);
    }

    static List<Golden> serverEvents() {
        return Golden.all(EventType.Direction.SERVER);
    }

    static List<Golden> eventsWithRecords() {
        return Golden.all().stream()
                .filter(g -> !g.type().wireName().startsWith("transcription_session."))
                .filter(g -> !g.type().wireName().matches("response\\.(text|audio|audio_transcript)\\..*"))
                .toList();
    }

    @Test
    void everyEventHasAnExample() {
        assertThat(Golden.all())
                .extracting(Golden::type)
                .containsExactlyElementsOf(Arrays.stream(EventType.values())
                        .filter(type -> type != EventType.UNKNOWN)
                        .toList());
    }

    @ParameterizedTest
    @MethodSource("clientEvents")
    void aClientEventSurvivesReadingAndWriting(Golden golden) {
        ClientEvent event = Wire.client(golden.bytes());

        assertThat(event.type()).isEqualTo(golden.type());
        assertThat(Wire.parse(Wire.bytes(event))).isEqualTo(Wire.parse(golden.bytes()));
        assertThat(Wire.client(Wire.json(event))).isEqualTo(event);
    }

    @ParameterizedTest
    @MethodSource("serverEvents")
    void aServerEventSurvivesReadingAndWriting(Golden golden) {
        ServerEvent event = Wire.server(golden.bytes());

        assertThat(event.type()).isEqualTo(golden.type());
        assertThat(Wire.parse(Wire.bytes(event))).isEqualTo(Wire.parse(golden.bytes()));
        assertThat(Wire.server(Wire.json(event))).isEqualTo(event);
    }

    @ParameterizedTest
    @MethodSource("eventsWithRecords")
    void everyEventOfThePresentDialectHasARecordNamedAfterIt(Golden golden) {
        Object event = golden.type().direction() == EventType.Direction.CLIENT
                ? Wire.client(golden.bytes())
                : Wire.server(golden.bytes());

        assertThat(event.getClass().getSimpleName())
                .isEqualToIgnoringCase(golden.type().name().replace("_", ""));
    }

    @ParameterizedTest
    @MethodSource("eventsWithRecords")
    void everyEventToleratesFieldsItDoesNotKnow(Golden golden) {
        ObjectNode extended = Wire.parse(golden.bytes());
        extended.putObject("vendor").put("x", 1);

        if (golden.type().direction() == EventType.Direction.CLIENT) {
            assertThat(Wire.client(extended)).isEqualTo(Wire.client(golden.bytes()));
        } else {
            assertThat(Wire.server(extended)).isEqualTo(Wire.server(golden.bytes()));
        }
    }

    @Test
    void anUnknownEventIsWrittenBackWithEveryDigit() {
        String ping = "{\"type\":\"vendor.ping\",\"event_id\":\"e\",\"n\":[1.10,1E+2,12345678901234567890,null]}";

        assertThat(Wire.json(Wire.server(ping))).isEqualTo(ping);
        assertThat(Wire.client(ping))
                .isEqualTo(new ClientEvent.Unknown("e", "vendor.ping", Wire.parse(ping)))
                .extracting(ClientEvent::type)
                .isEqualTo(EventType.UNKNOWN);
    }

    @Test
    void aServersEventIsUnknownFromAClient() {
        assertThat(Wire.client("{\"type\":\"response.done\"}")).isInstanceOf(ClientEvent.Unknown.class);
    }

    @ParameterizedTest
    @CsvSource({"'\"previous_item_id\":null,',null", "'\"previous_item_id\":\"item_0\",',item_0", "'',absent"})
    void whatIsSaidAboutThePreviousItemKeepsItsThreeMeanings(String field, String meaning) {
        String frame = "{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"e\"," + field + "\"item_id\":\"i\"}";

        ServerEvent event = Wire.server(frame);

        Previous expected = switch (meaning) {
            case "null" -> Previous.FIRST;
            case "absent" -> null;
            default -> Previous.item(meaning);
        };
        assertThat(event).isEqualTo(new ServerEvent.InputAudioBufferCommitted("e", expected, "i"));
        assertThat(Wire.json(event)).isEqualTo(frame);
    }

    @Test
    void aCallersAudioAlwaysHasATranscriptKeyTowardsAClient() {
        Item said = new Item.Message("i", null, Item.Role.USER, List.of(new Content.InputAudio(null, null)));

        assertThat(Wire.json(new ServerEvent.ConversationItemDone("e", null, said)))
                .contains("{\"type\":\"input_audio\",\"transcript\":null}")
                .doesNotContain("previous_item_id");
        assertThat(Wire.json(new ClientEvent.ConversationItemCreate(null, null, said)))
                .contains("{\"type\":\"input_audio\"}");
    }

    @Test
    void aResponseThatBeginsShowsItsNulls() {
        Response begun = Response.begun("resp_1", null, List.of("audio"), null);

        assertThat(Wire.json(new ServerEvent.ResponseCreated("e", begun)))
                .isEqualTo("{\"type\":\"response.created\",\"event_id\":\"e\",\"response\":{"
                        + "\"object\":\"realtime.response\",\"id\":\"resp_1\",\"status\":\"in_progress\","
                        + "\"status_details\":null,\"output\":[],\"conversation_id\":null,"
                        + "\"output_modalities\":[\"audio\"],\"max_output_tokens\":\"inf\","
                        + "\"metadata\":null,\"usage\":null}}");
    }

    @Test
    void aFailedTranscriptionLeavesOutWhatItDoesNotKnow() {
        var error = new ServerEvent.TranscriptionError(null, "audio_unintelligible", null, null);

        assertThat(Wire.json(new ServerEvent.ConversationItemInputAudioTranscriptionFailed("e", "i", 0, error)))
                .contains("\"error\":{\"code\":\"audio_unintelligible\"}");
    }

    @Test
    void anOddItemOfAProviderStaysRawAndCostsNoUsage() {
        ServerEvent event = Wire.server(
                "{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"completed\","
                        + "\"output\":[{\"type\":\"function_call\",\"status\":\"odd\"}],\"usage\":{\"total_tokens\":7}}}");

        assertThat(event).isInstanceOfSatisfying(ServerEvent.ResponseDone.class, done -> {
            assertThat(done.eventId()).isNull();
            assertThat(done.response().output()).singleElement().isInstanceOf(Item.UnknownItem.class);
            assertThat(done.response().usage()).isEqualTo(new Usage(7, 0, 0, null, null));
        });
    }

    @Test
    void cachedTokensWithoutDetailsCountAsTextFirst() {
        assertThat(new Usage.InputTokenDetails(10, 20, 0, 14, null).cached())
                .isEqualTo(new Usage.CachedTokensDetails(10, 4, 0));
    }

    @Test
    void fifteenMebibytesOfAudioAreRead() {
        String audio = "A".repeat(20 << 20);

        assertThat(Wire.client("{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + audio + "\"}"))
                .isEqualTo(new ClientEvent.InputAudioBufferAppend(null, audio));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|missing_required_parameter|type|type: missing (expected: a string)",
                "{\"type\":7}|invalid_value|type|type: a number (expected: a string)",
                "{\"type\":\"session.update\"}|missing_required_parameter|session|session: missing (expected: an object)",
                "{\"type\":\"session.update\",\"session\":{}}"
                        + "|missing_required_parameter|session.type|session.type: missing (expected: a string)",
                "{\"type\":\"session.update\",\"session\":{\"type\":\"voice\"}}"
                        + "|invalid_value|session.type|session.type: 'voice' (expected: realtime, transcription)",
                "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"audio\":{\"input\":{\"format\":"
                        + "{\"type\":\"audio/pcm\",\"rate\":16000}}}}}|invalid_value|session.audio.input.format.rate"
                        + "|session.audio.input.format.rate: 16000 (expected: 24000)",
                "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"audio\":{\"input\":{\"turn_detection\":"
                        + "{\"type\":\"server_vad\",\"threshold\":2}}}}}"
                        + "|invalid_value|session.audio.input.turn_detection.threshold"
                        + "|session.audio.input.turn_detection.threshold: 2 (expected: 0..1)",
                "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"output_modalities\":[\"text\",\"audio\"]}}"
                        + "|invalid_value|session.output_modalities"
                        + "|session.output_modalities: 2 entries (expected: [\"audio\"] or [\"text\"])",
                "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"max_output_tokens\":0}}"
                        + "|invalid_value|session.max_output_tokens"
                        + "|session.max_output_tokens: 0 (expected: an integer >= 1 or \"inf\")",
                "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"tools\":[{\"type\":\"function\"}]}}"
                        + "|missing_required_parameter|session.tools[0].name"
                        + "|session.tools[0].name: missing (expected: a string)",
                "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"assistant\","
                        + "\"content\":[{\"type\":\"output_text\"}]}}|missing_required_parameter|item.content[0].text"
                        + "|item.content[0].text: missing (expected: a string)",
                "{\"type\":\"conversation.item.truncate\",\"item_id\":\"i\",\"content_index\":0,\"audio_end_ms\":-1}"
                        + "|invalid_value|audio_end_ms|audio_end_ms: -1 (expected: an integer >= 0)",
                "{\"type\":\"conversation.item.truncate\",\"item_id\":\"i\",\"content_index\":0,\"audio_end_ms\":1.5}"
                        + "|invalid_value|audio_end_ms|audio_end_ms: 1.5 (expected: an integer)",
                "{\"type\":\"input_audio_buffer.append\",\"audio\":null}"
                        + "|invalid_value|audio|audio: null (expected: a string)",
                "{\"type\":\"response.create\",\"response\":{\"conversation\":\"mine\"}}"
                        + "|invalid_value|response.conversation"
                        + "|response.conversation: 'mine' (expected: auto, none)",
                "{\"type\":\"response.create\",\"response\":{\"input\":[{\"type\":\"item_reference\"}]}}"
                        + "|missing_required_parameter|response.input[0].id"
                        + "|response.input[0].id: missing (expected: a string)",
                "{\"type\":\"response.cancel\",\"type\":\"response.create\"}"
                        + "|invalid_event|type|type: twice (expected: each key once)",
                "{\"type\":\"x\",\"a\":{\"b\":[{\"c\":1,\"c\":2}]}}"
                        + "|invalid_event|a.b[0].c|a.b[0].c: twice (expected: each key once)"
            })
    void aMalformedEventNamesTheFieldTheValueAndTheExpectation(
            String frame, String code, String param, String message) {
        MalformedEvent malformed = catchThrowableOfType(MalformedEvent.class, () -> Wire.client(frame));

        assertThat(malformed.code().wireName()).isEqualTo(code);
        assertThat(malformed.param()).isEqualTo(param);
        assertThat(malformed).hasMessage(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "[]", "\"type\"", "{\"type\":\"x\"", "{\"type\":\"x\"}}", "{\"type\":\"x\"} {}", "nul"})
    void whatIsNotOneJsonObjectIsAnInvalidEvent(String frame) {
        MalformedEvent malformed = catchThrowableOfType(MalformedEvent.class, () -> Wire.client(frame.getBytes(UTF_8)));

        assertThat(malformed.code()).isEqualTo(MalformedEvent.Code.INVALID_EVENT);
        assertThat(malformed.message()).contains("expected: a JSON object");
    }

    @Test
    void aMalformedEventTellsTheClientWhichOfItsEventsItWas() {
        MalformedEvent malformed = catchThrowableOfType(
                MalformedEvent.class,
                () -> Wire.client("{\"type\":\"conversation.item.delete\",\"event_id\":\"mine\"}"));

        assertThat(malformed.body())
                .isEqualTo(new ServerEvent.ErrorBody(
                        "invalid_request_error",
                        "missing_required_parameter",
                        "item_id: missing (expected: a string)",
                        "item_id",
                        "mine"));
    }

    @Test
    void freeTextNeverReachesAMessage() {
        MalformedEvent malformed = catchThrowableOfType(
                MalformedEvent.class,
                () -> Wire.client("{\"type\":\"response.cancel\",\"response_id\":{\"my\":secret}}"));

        assertThat(malformed.message()).doesNotContain("secret");
    }

    @Test
    void anEventIdHasAtMost512Characters() {
        ObjectNode clear = JsonNodeFactory.instance.objectNode().put("type", "input_audio_buffer.clear");

        assertThat(Wire.client(clear.put("event_id", "e".repeat(512))).eventId())
                .hasSize(512);
        assertThat(catchThrowableOfType(
                        MalformedEvent.class, () -> Wire.client(clear.put("event_id", "e".repeat(513)))))
                .hasMessage("event_id: 513 characters (expected: at most 512 characters)");
    }
}
