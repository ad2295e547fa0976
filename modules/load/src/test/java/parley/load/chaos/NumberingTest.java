package parley.load.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class NumberingTest {
    private final Numbering numbering = new Numbering(71);

    @Test
    void whatFollowsWithoutAHoleIsWhole() {
        numbering.position(71);
        numbering.take(72);
        numbering.position(72);
        numbering.take(73);

        assertThat(numbering.missing()).isZero();
        assertThat(numbering.doubled()).isZero();
    }

    @Test
    void aNumberThatWasLeftOutIsMissing() {
        numbering.take(72);
        numbering.take(75);
        numbering.take(76);

        assertThat(numbering.missing()).isEqualTo(2);
        assertThat(numbering.doubled()).isZero();
    }

    @Test
    void aNumberThatWasThereIsDoubled() {
        numbering.take(72);
        numbering.take(71);
        numbering.take(73);

        assertThat(numbering.missing()).isZero();
        assertThat(numbering.doubled()).isEqualTo(1);
    }

    @Test
    void anyNumberMayFollowWhereTheServerBeginsAnew() {
        numbering.begin();
        numbering.take(200);
        numbering.take(201);
        numbering.take(203);

        assertThat(numbering.missing()).isEqualTo(1);
        assertThat(numbering.doubled()).isZero();
    }

    @Test
    void anEventAboutTheConnectionMayCountAsItDoesForANewSession() {
        var first = new Numbering(0);
        first.position(1);
        first.position(2);
        first.take(3);

        assertThat(first.missing()).isZero();
        assertThat(first.doubled()).isZero();
    }
}
