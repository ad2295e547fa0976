package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parley.wire.Frame;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class UtteranceTest {
    private long nowMs;
    private final Utterance utterance = new Utterance(200, 1000, () -> TimeUnit.MILLISECONDS.toNanos(nowMs));

    private void passes(String... frames) {
        for (var text : frames) {
            nowMs += 100;
            passesAtOnce(text);
        }
    }

    private void passesAtOnce(String... frames) {
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
        utterance.committed(true);
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
        utterance.committed(true);
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
        utterance.committed(true);
        utterance.speaks();
        passes("d", "e");
        utterance.isItem("item_1");
        utterance.settled();

        assertThat(utterance.isOpen()).isTrue();
        assertThat(again()).containsExactly("d", "e");
    }

    /** After a redial much is told at once, and the provider's word that somebody speaks is still on its way. */
    @Test
    void whatTheProviderHasHadNoTimeToCallSpeechIsKept() {
        passesAtOnce("a", "b", "c", "d", "e");
        assertThat(utterance.isOpen()).isFalse();
        nowMs += 199;
        passesAtOnce("f");
        utterance.speaks();

        assertThat(again()).containsExactly("a", "b", "c", "d", "e", "f");
    }

    @Test
    void whatTheProviderHasHadTheTimeToCallSpeechIsForgotten() {
        passesAtOnce("a", "b", "c", "d", "e");
        nowMs += 200;
        passesAtOnce("f");

        assertThat(again()).containsExactly("e", "f");
    }

    @Test
    void whatIsToldAtOnceIsKeptWithinTheSameBound() {
        for (int i = 0; i < 15; i++) {
            passesAtOnce(String.valueOf(i));
        }

        assertThat(again()).hasSize(10).startsWith("5").endsWith("14");
    }

    /** The word that a turn has ended comes late: what was told meanwhile is of the next one. */
    @Test
    void aTurnEndsWhereTheProviderSaysThatItDoes() {
        utterance.speaks();
        passes("a", "b", "c");
        passesAtOnce("d", "e", "f");
        utterance.ends(300);
        utterance.committed(true);
        assertThat(utterance.committedFrames()).isEqualTo(3);
        utterance.isItem("item_1");
        utterance.settled();
        utterance.speaks();

        assertThat(again()).containsExactly("d", "e", "f");
    }

    @Test
    void aFrameInWhichATurnEndsIsOfBoth() {
        utterance.speaks();
        passesAtOnce("a", "b", "c", "d");
        utterance.ends(250);
        utterance.committed(true);
        assertThat(utterance.committedFrames()).isEqualTo(3);
        utterance.isItem("item_1");
        utterance.settled();

        assertThat(again()).containsExactly("c", "d");
    }

    /** A provider's clock that counts anything but the audio it was told. */
    @ParameterizedTest
    @ValueSource(longs = {-5, 0, 401, 1_700_000_000_000L})
    void anEndThatCannotBeIsNotBelieved(long endsAtMs) {
        utterance.speaks();
        passes("a", "b", "c", "d");
        utterance.ends(endsAtMs);
        utterance.committed(true);

        assertThat(utterance.committedFrames()).isEqualTo(4);
    }

    /** The clock is a provider's own: the next one begins at nothing. */
    @Test
    void theNextProvidersClockBeginsAnew() {
        passes("a", "b", "c");
        again();
        utterance.speaks();
        passes("c", "d", "e");
        utterance.ends(200);
        utterance.committed(true);

        assertThat(utterance.committedFrames()).isEqualTo(2);
    }

    @Test
    void whoEndsItsTurnsItselfHasSaidWhere() {
        utterance.speaks();
        passes("a", "b");
        utterance.tellsEnd();
        assertThat(utterance.committedFrames()).isEqualTo(2);
        passes("c", "d");
        utterance.committed(false);

        assertThat(utterance.committedFrames()).isEqualTo(2);
        utterance.isItem("item_1");
        utterance.settled();
        assertThat(utterance.isOpen()).as("the next is being spoken").isTrue();
        assertThat(again()).containsExactly("c", "d");
    }

    @Test
    void whoSaysNothingAfterTheEndOfItsTurnDoesNotSpeak() {
        utterance.speaks();
        passes("a", "b");
        utterance.tellsEnd();
        utterance.committed(false);
        utterance.isItem("item_1");
        utterance.settled();

        assertThat(utterance.isOpen()).isFalse();
    }

    /** A provider that finds turns says when the next begins; its word of the one before may come after the commit. */
    @Test
    void theWordThatSomebodySpeaksIsOfTheTurnThatIsEnded() {
        passes("a", "b");
        utterance.tellsEnd();
        passes("c");
        utterance.speaks();
        utterance.committed(true);
        utterance.isItem("item_1");
        utterance.settled();

        assertThat(utterance.isOpen()).isFalse();
    }

    @Test
    void aCommitThatIsRefusedChangesNothing() {
        utterance.speaks();
        passes("a", "b");
        utterance.committed(true);
        utterance.isItem("item_1");
        passes("c");
        utterance.tellsEnd();
        utterance.refusesEnd();

        assertThat(utterance.wordlessItem()).isEqualTo("item_1");
        assertThat(utterance.committedFrames()).isEqualTo(2);
        utterance.settled();
        assertThat(utterance.isOpen()).isFalse();
        utterance.speaks();
        passes("d");
        utterance.committed(true);
        assertThat(utterance.committedFrames()).as("the next turn is its own").isEqualTo(2);
    }

    @Test
    void twoTurnsThatAreEndedAtOnceEndWhereEachDoes() {
        utterance.speaks();
        passesAtOnce("a");
        utterance.tellsEnd();
        passesAtOnce("b", "c");
        utterance.tellsEnd();
        utterance.committed(false);
        assertThat(utterance.committedFrames()).isEqualTo(3);
        utterance.isItem("item_1");
        utterance.settled();
        utterance.committed(false);

        assertThat(utterance.committedFrames()).isEqualTo(2);
        assertThat(again()).containsExactly("b", "c");
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
        utterance.committed(true);
        assertThat(again()).hasSize(4);

        assertThat(utterance.isOpen()).isTrue();
        passes("a", "b", "c", "d");
        assertThat(again()).containsExactly("a", "b", "c", "d");
    }
}
