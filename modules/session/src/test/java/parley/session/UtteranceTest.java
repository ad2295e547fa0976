package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.wire.Frame;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class UtteranceTest {
    private final Utterance utterance = new Utterance(200, 1000);

    private void passes(String... frames) {
        for (var text : frames) {
            var frame = Frame.text(text);
            utterance.passes(frame, 100);
            frame.release();
        }
    }

    private List<String> again() {
        return utterance.takeAgain().stream()
                .map(spoken -> {
                    var text = spoken.frame().utf8();
                    spoken.frame().release();
                    return text;
                })
                .toList();
    }

    @AfterEach
    void release() {
        utterance.release();
    }

    @Test
    void whileNobodySpeaksAMomentIsKept() {
        passes("a", "b", "c", "d");

        assertThat(utterance.isOpen()).isFalse();
        assertThat(again()).containsExactly("c", "d");
        assertThat(again()).as("handed over").isEmpty();
    }

    @Test
    void aTurnIsKeptWithTheMomentBeforeIt() {
        passes("a", "b", "c");
        utterance.speaks();
        passes("d", "e", "f");

        assertThat(utterance.isOpen()).isTrue();
        assertThat(again()).containsExactly("b", "c", "d", "e", "f");
    }

    @Test
    void ofALongTurnTheEndIsKept() {
        utterance.speaks();
        for (int i = 0; i < 15; i++) {
            passes(String.valueOf(i));
        }

        assertThat(again()).hasSize(10).startsWith("5").endsWith("14");
    }

    @Test
    void aCommittedTurnIsKeptUntilItIsAnItemThatSomebodyAnswers() {
        utterance.speaks();
        passes("a", "b", "c");
        utterance.committed();
        passes("d", "e", "f");

        assertThat(utterance.isOpen()).isTrue();
        assertThat(utterance.committedFrames()).isEqualTo(3);
        utterance.isItem("item_1");
        assertThat(utterance.isOpen()).isTrue();
        assertThat(utterance.wordlessItem()).isEqualTo("item_1");
        utterance.settled();
        assertThat(utterance.isOpen()).isFalse();
        assertThat(again()).containsExactly("e", "f");
    }

    @Test
    void aTurnWhoseWordsAreKnownNeedNotBeSaidAgain() {
        utterance.speaks();
        passes("a", "b", "c");
        utterance.committed();
        utterance.isItem("item_1");

        utterance.isWritten("item_0");
        assertThat(utterance.isOpen()).isTrue();
        utterance.isWritten("item_1");
        assertThat(utterance.isOpen()).isFalse();
        assertThat(utterance.wordlessItem()).isNull();
    }

    @Test
    void aTurnThatBeganBeforeTheLastWasAnItemIsKeptWithoutTheLast() {
        utterance.speaks();
        passes("a", "b", "c");
        utterance.committed();
        utterance.speaks();
        passes("d", "e");
        utterance.isItem("item_1");
        utterance.settled();

        assertThat(utterance.isOpen()).isTrue();
        assertThat(again()).containsExactly("d", "e");
    }

    @Test
    void whatWasClearedIsForgotten() {
        utterance.speaks();
        passes("a", "b");
        utterance.cleared();

        assertThat(utterance.isOpen()).isFalse();
        assertThat(again()).isEmpty();
    }

    @Test
    void aTurnThatIsToldAgainStaysOpenSoThatItCanBeToldOnceMore() {
        utterance.speaks();
        passes("a", "b", "c", "d");
        utterance.committed();
        assertThat(again()).hasSize(4);

        assertThat(utterance.isOpen()).isTrue();
        passes("a", "b", "c", "d");
        assertThat(again()).containsExactly("a", "b", "c", "d");
    }
}
