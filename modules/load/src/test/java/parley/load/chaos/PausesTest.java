package parley.load.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class PausesTest {
    private final Pauses pauses = new Pauses();

    @Test
    void countsFromTheLastSignBeforeTheStrokeToTheFirstAfterIt() {
        pauses.owed(100);
        pauses.sign(150);
        pauses.stroke(200, true, true);
        pauses.sign(450);
        pauses.sign(460);
        pauses.settled(470);

        assertThat(pauses.talk()).containsExactly(300L);
    }

    @Test
    void countsFromTheEndOfTheTurnWhenNothingCameSince() {
        pauses.sign(10);
        pauses.stroke(50, true, true);
        pauses.owed(100);
        pauses.sign(450);
        pauses.settled(470);

        assertThat(pauses.talk()).containsExactly(350L);
    }

    @Test
    void aStrokeBetweenTurnsCountsForNobody() {
        pauses.stroke(50, true, false);
        pauses.owed(100);
        pauses.sign(450);
        pauses.settled(470);
        pauses.close(500);

        assertThat(pauses.talk()).isEmpty();
    }

    @Test
    void aStrokeThatTakesItsTimeCountsUntilTheNext() {
        pauses.stroke(50, false, false);
        pauses.owed(100);
        pauses.settled(150);
        pauses.owed(200);
        pauses.sign(290);
        pauses.settled(300);
        pauses.stroke(310, false, false);
        pauses.close(320);

        assertThat(pauses.talk()).containsExactly(90L);
    }

    @Test
    void anAnswerThatNeverCameIsAPauseToo() {
        pauses.owed(100);
        pauses.stroke(150, true, true);
        pauses.close(900);

        assertThat(pauses.talk()).containsExactly(800L);
    }

    @Test
    void theProbeTellsTheLongestTimeWithoutAnAnswer() {
        pauses.pong(100);
        pauses.stroke(150, true, false);
        pauses.pong(200);
        pauses.pong(1200);
        pauses.pong(1300);
        pauses.close(1350);

        assertThat(pauses.probe()).containsExactly(1000L);
    }
}
