package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class EventScanTest {
    private final EventScan scan = new EventScan(0);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"response.output_audio.delta\",\"response_id\":\"r1\",\"item_id\":\"i1\",\"delta\":\"QUJD\"}",
                "{\"delta\":\"QUJD\",\"item_id\":\"i1\",\"response_id\":\"r1\",\"type\":\"response.output_audio.delta\"}",
                " { \"delta\" : \"QUJD\" ,\n\"n\":-1.5e3, \"x\":null,\"type\":\"response.audio.delta\","
                        + "\"item_id\":\"i1\",\"response_id\" : \"r1\" } ",
                "{\"item\":{\"type\":\"error\",\"a\":[\"}\",{\"delta\":\"no\"}]},\"type\":\"response.output_audio.delta\","
                        + "\"q\":\"\\\"type\\\\\",\"item_id\":\"i1\",\"delta\":\"QUJD\",\"response_id\":\"r1\"}",
            })
    void findsTheAudioWhereverItsKeyStands(String event) {
        var text = text(event);

        assertThat(scan.scan(text)).isEqualTo(EventScan.Kind.AUDIO_DELTA);
        assertThat(text.toString(scan.deltaFrom(), scan.deltaChars(), StandardCharsets.US_ASCII))
                .isEqualTo("QUJD");
        assertThat(scan.responseId()).isEqualTo("r1");
        assertThat(scan.itemId()).isEqualTo("i1");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 4, 5})
    void theExpectedLengthIsOnlyAGuess(int expected) {
        var guessing = new EventScan(expected);

        guessing.scan(text("{\"type\":\"response.output_audio.delta\",\"delta\":\"QUJD\"}"));

        assertThat(guessing.deltaChars()).isEqualTo(4);
    }

    @Test
    void readsEachKindByItsName() {
        assertThat(scan.scan(text("{\"type\":\"session.created\",\"session\":{}}")))
                .isEqualTo(EventScan.Kind.SESSION_CREATED);
        assertThat(scan.scan(text("{\"session\":{\"type\":\"realtime\"},\"type\":\"session.created\"}")))
                .isEqualTo(EventScan.Kind.SESSION_CREATED);
        assertThat(scan.scan(text("{\"type\":\"response.output_audio.done\"}"))).isEqualTo(EventScan.Kind.AUDIO_DONE);
        assertThat(scan.scan(text("{\"type\":\"response.donee\"}"))).isEqualTo(EventScan.Kind.OTHER);
        assertThat(scan.scan(text("{\"type\":\"\"}"))).isEqualTo(EventScan.Kind.OTHER);
    }

    @Test
    void readsANumberAheadOfTheType() {
        scan.scan(text("{\"seq\":1723,\"type\":\"pong\"}"));
        assertThat(scan.seq()).isEqualTo(1723);
        scan.scan(text("{\"type\":\"pong\",\"seq\":1723}"));
        assertThat(scan.seq()).isEqualTo(-1);
        scan.scan(text("{\"seq\":-1.5e3,\"type\":\"pong\"}"));
        assertThat(scan.seq()).isEqualTo(-1);
    }

    @Test
    void tellsHowATypeBegins() {
        scan.scan(text("{\"seq\":3,\"type\":\"session.resumed\",\"recovered\":true}"));

        assertThat(scan.isNamed("session.")).isTrue();
        assertThat(scan.isNamed("session.resumed")).isTrue();
        assertThat(scan.isNamed("session.resumed.")).isFalse();
        assertThat(scan.isNamed("response.")).isFalse();
    }

    @Test
    void nothingOfTheLastEventIsLeft() {
        scan.scan(text("{\"type\":\"response.output_audio.delta\",\"response_id\":\"r1\",\"delta\":\"QUJD\"}"));
        scan.scan(text("{\"type\":\"response.output_audio.delta\"}"));

        assertThat(scan.deltaFrom()).isEqualTo(-1);
        assertThat(scan.responseId()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{}",
                "[]",
                "{\"type\"",
                "{\"type\":",
                "{\"type\":\"error",
                "{\"a\":1}",
                "{\"a\":{\"type\":\"error\"}}",
                "{\"a\":{\"b\":1,\"type\":\"error\"",
                "{\"a\" \"type\":\"error\"}",
                "{\"a\":,\"type\":\"error\"}",
            })
    void whatIsNotAnEventIsMalformed(String text) {
        assertThat(scan.scan(text(text))).isEqualTo(EventScan.Kind.MALFORMED);
    }

    private static ByteBuf text(String event) {
        return Unpooled.copiedBuffer(event, StandardCharsets.UTF_8);
    }
}
