package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class TurnTest {
    @ParameterizedTest
    @CsvSource({
        "2000, one two three four",
        "1999, one two three",
        "1000, one two",
        "500, one",
        "300, ''",
        "0, ''",
    })
    void theTranscriptOfAnInterruptedAnswerEndsWithTheLastWordHeard(long heardMs, String heard) {
        var turn = Turn.agent(Facts.AGENT_SAID).cutAt(heardMs);

        assertThat(turn.heardText()).isEqualTo(heard);
    }

    @Test
    void whatTheCallerSaidIsNeverCut() {
        var turn = Turn.user(Facts.USER_SAID).transcribed("hello there");

        assertThat(turn.interrupted()).isFalse();
        assertThat(turn.heardText()).isEqualTo("hello there");
    }

    @Test
    void speechWithoutATranscriptHasNoText() {
        assertThat(Turn.user(Facts.USER_SAID).heardText()).isNull();
    }

    @Test
    void nobodyHearsMoreThanWasSaid() {
        assertThat(Turn.agent(Facts.AGENT_SAID).cutAt(9000).interrupted()).isFalse();
    }

    @Test
    void writingIsReadInFull() {
        var written = Turn.agent(new SessionEvent.AgentSaid("item_t", "some text", 0, Rig.NOON));

        assertThat(written.cutAt(0).heardText()).isEqualTo("some text");
    }
}
