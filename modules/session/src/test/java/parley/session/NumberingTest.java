package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.wire.Frame;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class NumberingTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"seq\":17,\"type\":\"pong\"} | 17",
                "{\"seq\":9007199254740993,\"type\":\"pong\"} | 9007199254740993",
                "{\"seq\":0} | 0",
                "{\"type\":\"pong\",\"seq\":17} | -1",
                "{\"seq\": | -1",
                "{} | -1",
                "{ \"seq\":17,\"type\":\"pong\"} | -1",
                "{\"sequence\":17} | -1",
            })
    void theNumberIsTheFirstKeysOrThereIsNone(String event, long expected) {
        var frame = Frame.text(event);

        assertThat(Numbering.of(frame)).isEqualTo(expected);
        frame.release();
    }
}
