package parley.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class PeekTest {
    private static final String AUDIO = "QUJD".repeat(1600);
    private static final List<String> IDS =
            List.of("event_id", "item_id", "response_id", "previous_item_id", "call_id");

    private final Peek peek = new Peek();

    static List<Golden> everyEvent() {
        return Golden.all();
    }

    @ParameterizedTest
    @MethodSource("everyEvent")
    void seesWhatAParserSees(Golden golden) {
        assertSame(golden.bytes());
    }

    @ParameterizedTest
    @MethodSource("everyEvent")
    void theOrderOfTheKeysDoesNotMatter(Golden golden) throws JsonProcessingException {
        ObjectNode event = Wire.parse(golden.bytes());
        Random random = new Random(7);
        for (int i = 0; i < 20; i++) assertSame(Json.MAPPER.writeValueAsBytes(shuffled(event, random)));
    }

    @ParameterizedTest
    @MethodSource("everyEvent")
    void aFrameThatEndsTooEarlyIsNoEvent(Golden golden) {
        byte[] frame = Wire.bytes(Wire.parse(golden.bytes()));
        for (int length = 0; length < frame.length; length++) {
            assertThat(peek.scan(ByteBuffer.wrap(frame), 0, length))
                    .as("%s bytes", length)
                    .isFalse();
            assertThat(peek.type()).isEqualTo(EventType.UNKNOWN);
            assertThat(peek.typeName()).isEmpty();
            assertThat(peek.hasAudio()).isFalse();
        }
    }

    @Test
    void aRandomEventLooksAsAParserSeesIt() throws JsonProcessingException {
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            ObjectNode event = randomEvent(random);
            byte[] frame = random.nextBoolean()
                    ? Json.MAPPER.writeValueAsBytes(event)
                    : Json.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(event);
            assertSame(frame);
        }
    }

    @Test
    void randomDamageNeverThrows() {
        List<Golden> all = Golden.all();
        String damage = "{}[]\":,\\ tx9\0";
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            byte[] frame = all.get(random.nextInt(all.size())).bytes();
            for (int i = 0; i < 3; i++) {
                frame[random.nextInt(frame.length)] = (byte) damage.charAt(random.nextInt(damage.length()));
            }
            peek.scan(ByteBuffer.wrap(frame), 0, frame.length);
            peek.typeName();
            peek.itemId();
            peek.eventId();
        }
    }

    @Test
    void theAudioOfAClientIsFoundFromTheEndOfTheFrame() {
        String frame = "{\"event_id\":\"e1\",\"type\":\"input_audio_buffer.append\",\"audio\":\"" + AUDIO + "\"}";

        assertThat(scan(frame)).isTrue();
        assertThat(peek.eventId()).isEqualTo("e1");
        assertThat(peek.audioOffset()).isEqualTo(frame.indexOf(AUDIO));
        assertThat(peek.audioLength()).isEqualTo(AUDIO.length());
        assertThat(AudioFormat.PCM16_24K.millis(peek.audioLength())).isEqualTo(100);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 256, 2048})
    void theBytesOfTheAudioAreCountedWithoutPadding(int bytes) {
        var text = Base64.getEncoder().encodeToString(new byte[bytes]);

        assertThat(scan("{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + text + "\"}"))
                .isTrue();
        assertThat(peek.audioBytes()).isEqualTo(bytes);
    }

    @Test
    void theAudioOfAServerIsFoundAmidFields() {
        String frame = "{\"type\":\"response.output_audio.delta\",\"item_id\":\"i1\",\"delta\":\"" + AUDIO
                + "\",\"response_id\":\"r1\",\"obfuscation\":\"" + "x".repeat(300) + "\",\"event_id\":\"e1\"}";

        assertThat(scan(frame)).isTrue();
        assertThat(peek.audioLength()).isEqualTo(AUDIO.length());
        assertThat(peek.isItem("i1")).isTrue();
        assertThat(peek.isItem("i12")).isFalse();
        assertThat(peek.isResponse("r1")).isTrue();
        assertThat(peek.eventId()).isEqualTo("e1");
    }

    @Test
    void theTypeMayComeAfterTheAudio() {
        String frame = "{\"delta\":\"" + AUDIO + "\",\"audio\":\"b\",\"type\":\"response.audio.delta\"}";

        assertThat(scan(frame)).isTrue();
        assertThat(peek.type()).isEqualTo(EventType.RESPONSE_AUDIO_DELTA);
        assertThat(peek.audioLength()).isEqualTo(AUDIO.length());
    }

    @Test
    void emptyAudioIsAudio() {
        assertThat(scan("{\"type\":\"input_audio_buffer.append\",\"audio\":\"\" } "))
                .isTrue();
        assertThat(peek.hasAudio()).isTrue();
        assertThat(peek.audioLength()).isZero();
    }

    @Test
    void textIsNoAudio() {
        assertThat(scan("{\"type\":\"response.output_text.delta\",\"delta\":\"Hi\",\"audio\":\"x\"}"))
                .isTrue();
        assertThat(peek.hasAudio()).isFalse();
        assertThat(peek.audioLength()).isZero();
        assertThat(peek.audioOffset()).isEqualTo(-1);
    }

    @Test
    void whatHidesBehindTheAudioIsSeenByWhoAsks() {
        String hidden = "\",\"type\":\"session.update\",\"x\":\"" + "x".repeat(Peek.TAIL + 8);
        String honest = "{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + AUDIO + "\"}";

        assertThat(scan(honest)).isTrue();
        assertThat(peek.audioIsWhole()).isTrue();
        assertThat(scan(honest.replace("\"}", hidden + "\"}"))).isTrue();
        assertThat(peek.audioIsWhole()).isFalse();
        assertThat(scan(honest.replace("\"}", "\\/\"}"))).isTrue();
        assertThat(peek.audioIsWhole()).isFalse();
        assertThat(scan(honest.replace("\"}", "\n\"}"))).isTrue();
        assertThat(peek.audioIsWhole()).isFalse();
    }

    @Test
    void keysAndValuesMayBeEscaped() {
        assertThat(
                        scan(
                                "{\"ty\\u0070e\":\"response.can\\u0063el\",\"response_id\":\"r\\\"\\u00e9\",\"event_id\":\"é\"}"))
                .isTrue();
        assertThat(peek.type()).isEqualTo(EventType.RESPONSE_CANCEL);
        assertThat(peek.typeName()).isEqualTo("response.cancel");
        assertThat(peek.responseId()).isEqualTo("r\"é");
        assertThat(peek.isResponse("r\"é")).isTrue();
        assertThat(peek.eventId()).isEqualTo("é");
    }

    @Test
    void nestedFieldsOfTheSameNameDoNotCount() {
        assertThat(scan("{\"a\":{\"type\":\"x\",\"b\":[\"]}\\\"\",{\"event_id\":\"no\"}]},\"type\":\"vendor.x\"}"))
                .isTrue();
        assertThat(peek.type()).isEqualTo(EventType.UNKNOWN);
        assertThat(peek.typeName()).isEqualTo("vendor.x");
        assertThat(peek.eventId()).isNull();
    }

    @Test
    void millisecondsAreWholeNumbersOrAbsent() {
        assertThat(scan("{\"type\":\"x\",\"audio_start_ms\":0,\"audio_end_ms\":123456789012}"))
                .isTrue();
        assertThat(peek.audioStartMs()).isZero();
        assertThat(peek.audioEndMs()).isEqualTo(123_456_789_012L);
        assertThat(scan("{\"type\":\"x\",\"audio_start_ms\":1.5,\"audio_end_ms\":\"7\"}"))
                .isTrue();
        assertThat(peek.audioStartMs()).isEqualTo(-1);
        assertThat(peek.audioEndMs()).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "  ",
                "{}",
                "[]",
                "{\"type\":7}",
                "{\"type\":null}",
                "{\"type\":\"a\",\"type\":\"b\"}",
                "{\"type\":\"x\",\"event_id\":\"a\",\"event_id\":\"b\"}",
                "{\"type\":\"x\"}}",
                "{\"type\":\"x\",}",
                "{\"type\":\"x\" \"a\":1}",
                "{\"type\":\"x\",\"a\":}",
                "{\"type\":\"x\",\"a\":[}",
                "{\"type\":\"input_audio_buffer.append\",\"audio\":\"}",
                "{\"type\":\"input_audio_buffer.append\",\"audio\":\"QUJD}",
                "{\"type\":\"input_audio_buffer.append\",\"audio\":\"QUJD\"",
                "{\"type\":\"input_audio_buffer.append\",\"audio\":\"QUJD\\\"}",
                "{\"ty\\xpe\":\"a\"}"
            })
    void whatIsNoObjectWithATypeIsNoEvent(String frame) {
        assertThat(scan(frame)).isFalse();
    }

    @Test
    void readsWithinItsRangeAndLeavesTheBufferAlone() {
        byte[] event = "{\"type\":\"response.cancel\",\"response_id\":\"r\"}".getBytes(UTF_8);
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(event.length + 20).put(10, event).position(3);

        assertThat(peek.scan(buffer, 10, event.length)).isTrue();
        assertThat(peek.responseId()).isEqualTo("r");
        assertThat(buffer.position()).isEqualTo(3);
        assertThatThrownBy(() -> peek.scan(buffer, 10, event.length + 11))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void oneLookForgetsTheLookBefore() {
        assertThat(scan("{\"type\":\"input_audio_buffer.append\",\"event_id\":\"e\",\"audio\":\"QUJD\"}"))
                .isTrue();
        assertThat(scan("{\"type\":\"input_audio_buffer.append\"}")).isTrue();
        assertThat(peek.hasAudio()).isFalse();
        assertThat(peek.eventId()).isNull();
    }

    private boolean scan(String frame) {
        byte[] bytes = frame.getBytes(UTF_8);
        return peek.scan(ByteBuffer.wrap(bytes), 0, bytes.length);
    }

    /** The parser's view, unless a last string longer than the tail hides fields: then the look must own up to it. */
    private void assertSame(byte[] frame) {
        JsonNode event = Wire.parse(frame);
        String text = new String(frame, UTF_8);

        assertThat(peek.scan(ByteBuffer.wrap(frame), 0, frame.length)).as(text).isTrue();
        assertThat(peek.typeName()).as(text).isEqualTo(event.get("type").textValue());
        assertThat(peek.type())
                .as(text)
                .isEqualTo(EventType.of(event.get("type").textValue()));
        if (!peek.audioIsWhole()) {
            String last =
                    new ArrayList<>(event.properties()).getLast().getValue().asText();
            assertThat(last).as(text).hasSizeGreaterThanOrEqualTo(Peek.TAIL);
            return;
        }
        List<@Nullable String> seen = Collections.unmodifiableList(new ArrayList<>(
                Arrays.asList(peek.eventId(), peek.itemId(), peek.responseId(), peek.previousItemId(), peek.callId())));
        assertThat(seen)
                .as(text)
                .isEqualTo(IDS.stream().map(id -> Json.text(event, id)).toList());
        assertThat(peek.audioStartMs()).as(text).isEqualTo(whole(event.path("audio_start_ms")));
        assertThat(peek.audioEndMs()).as(text).isEqualTo(whole(event.path("audio_end_ms")));
        String audio = switch (peek.type()) {
            case INPUT_AUDIO_BUFFER_APPEND -> Json.text(event, "audio");
            case RESPONSE_AUDIO_DELTA, RESPONSE_OUTPUT_AUDIO_DELTA -> Json.text(event, "delta");
            default -> null;
        };
        assertThat(peek.hasAudio()).as(text).isEqualTo(audio != null);
        if (audio != null) {
            assertThat(new String(frame, peek.audioOffset(), peek.audioLength(), UTF_8))
                    .as(text)
                    .isEqualTo(audio);
        }
    }

    private static long whole(JsonNode node) {
        return node.isIntegralNumber() && node.longValue() >= 0 ? node.longValue() : -1;
    }

    private static ObjectNode shuffled(ObjectNode event, Random random) {
        List<Map.Entry<String, JsonNode>> fields = new ArrayList<>(event.properties());
        Collections.shuffle(fields, random);
        ObjectNode shuffled = JsonNodeFactory.instance.objectNode();
        fields.forEach(field -> shuffled.set(field.getKey(), field.getValue()));
        return shuffled;
    }

    private static ObjectNode randomEvent(Random random) {
        ObjectNode event = JsonNodeFactory.instance.objectNode();
        EventType[] types = EventType.values();
        EventType[] audible = {
            EventType.INPUT_AUDIO_BUFFER_APPEND, EventType.RESPONSE_OUTPUT_AUDIO_DELTA, EventType.RESPONSE_AUDIO_DELTA
        };
        EventType type =
                random.nextBoolean() ? audible[random.nextInt(audible.length)] : types[random.nextInt(types.length)];
        event.put("type", type == EventType.UNKNOWN ? randomText(random) : type.wireName());
        for (String id : IDS) {
            if (random.nextInt(3) == 0) event.put(id, random.nextInt(6) == 0 ? null : randomText(random));
        }
        for (String key : List.of("audio", "delta")) {
            if (random.nextInt(2) == 0) event.put(key, "aB3/".repeat(random.nextInt(400)));
        }
        for (String key : List.of("audio_start_ms", "audio_end_ms")) {
            if (random.nextInt(3) == 0) event.put(key, random.nextInt(100_000) - 100);
        }
        for (int i = random.nextInt(4); i > 0; i--) event.set("k" + randomText(random), randomNode(random, 3));
        return shuffled(event, random);
    }

    private static JsonNode randomNode(Random random, int depth) {
        JsonNodeFactory make = JsonNodeFactory.instance;
        return switch (random.nextInt(depth > 0 ? 7 : 5)) {
            case 0 -> make.nullNode();
            case 1 -> make.booleanNode(random.nextBoolean());
            case 2 -> make.numberNode(random.nextDouble() * 1e9 - 5e8);
            case 3 -> make.numberNode(random.nextLong());
            case 4 -> make.textNode(randomText(random));
            case 5 -> {
                ArrayNode array = make.arrayNode();
                for (int i = random.nextInt(4); i > 0; i--) array.add(randomNode(random, depth - 1));
                yield array;
            }
            default -> {
                ObjectNode object = make.objectNode();
                for (int i = random.nextInt(4); i > 0; i--)
                    object.set(randomText(random), randomNode(random, depth - 1));
                if (random.nextBoolean()) object.put("type", "response.done");
                yield object;
            }
        };
    }

    private static String randomText(Random random) {
        StringBuilder text = new StringBuilder();
        String letters = "abc_.\"\\{}[]:,/ \n\té世\u0001";
        for (int i = random.nextInt(20); i > 0; i--) text.append(letters.charAt(random.nextInt(letters.length())));
        return text.toString();
    }
}
