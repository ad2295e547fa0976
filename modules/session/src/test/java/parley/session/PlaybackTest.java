package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class PlaybackTest {
    private static final long START = -5_000_000_000L;

    private final Playback item = new Playback("item_a", "resp_1", null);

    private static long at(long ms) {
        return START + ms * 1_000_000;
    }

    @Test
    void whatWasSentIsHeardAsTimePasses() {
        item.generated(3000);
        item.sent(1000, at(0));

        assertThat(item.heardMs(at(400))).isEqualTo(400);
        assertThat(item.heardMs(at(5000))).isEqualTo(1000);
    }

    @Test
    void audioThatComesAfterSilenceIsHeardFromThenOn() {
        item.sent(200, at(0));
        item.sent(1000, at(1200));

        assertThat(item.heardMs(at(1300))).isEqualTo(300);
    }

    @Test
    void theNextItemIsHeardWhenAllOfTheFirstHasBeenPlayed() {
        var next = new Playback("item_b", "resp_1", item);
        item.sent(1000, at(0));
        item.sent(1000, at(10));

        assertThat(next.dueIn(500, at(100)) / 1_000_000).isEqualTo(1400);
        next.sent(100, at(1500));

        assertThat(next.heardMs(at(1990))).isZero();
        assertThat(next.heardMs(at(2050))).isEqualTo(50);
    }

    @Test
    void anItemOfWhichNothingWasSentDelaysNobody() {
        var next = new Playback("item_b", "resp_1", item);

        assertThat(next.dueIn(0, at(0))).isZero();
    }

    @Test
    void audioIsDueALeadBeforeItIsHeard() {
        item.sent(400, at(0));

        assertThat(item.dueIn(1000, at(0)) / 1_000_000).isEqualTo(-600);
        assertThat(item.dueIn(100, at(0)) / 1_000_000).isEqualTo(300);
    }

    @Test
    void aClientsWordCountsMoreThanTheClock() {
        item.sent(2000, at(0));
        item.acknowledged(300, at(1000));

        assertThat(item.heardMs(at(1100))).isEqualTo(400);
        assertThat(item.heardMs(at(1900))).as("carried on for 300 ms at most").isEqualTo(600);
    }

    @Test
    void aClientCannotHaveHeardMoreThanItGot() {
        item.sent(500, at(0));
        item.acknowledged(Long.MAX_VALUE, at(10));

        assertThat(item.heardMs(at(400))).isEqualTo(500);
    }

    @Test
    void itIsOverWhenItIsCompleteAndHeard() {
        item.generated(500);
        item.sent(500, at(0));

        assertThat(item.isOver(at(600))).isFalse();
        item.completed();
        assertThat(item.isOver(at(400))).isFalse();
        assertThat(item.isOver(at(600))).isTrue();
    }
}
