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

    @Test
    void nothingIsHeardWhileTheCallerIsAway() {
        item.generated(3000);
        item.sent(1000, at(0));
        item.halted(at(400));

        assertThat(item.heardMs(at(900))).isEqualTo(400);
        assertThat(item.isPlaying(at(5000))).isTrue();
        item.resumed(null, at(5000));
        assertThat(item.heardMs(at(5100))).isEqualTo(500);
        assertThat(item.heardMs(at(9000))).isEqualTo(1000);
    }

    @Test
    void toBeAwayTwiceIsToBeAwaySinceTheFirstTime() {
        item.sent(1000, at(0));
        item.halted(at(400));
        item.halted(at(700));

        assertThat(item.heardMs(at(900))).isEqualTo(400);
    }

    @Test
    void whatTheCallerDidNotGetWasNotHeardAndIsHeardWhenItIsSentAgain() {
        item.generated(900);
        item.completed();
        item.sent(300, at(0));
        item.sent(300, at(1));
        item.sent(300, at(2));
        item.halted(at(15_000));
        item.unsent(300);
        item.resumed(null, at(20_000));

        assertThat(item.heardMs(at(20_500))).isEqualTo(300);
        assertThat(item.isOver(at(20_500))).isFalse();
        item.sent(300, at(21_000));
        item.sent(300, at(21_000));
        assertThat(item.heardMs(at(21_200))).isEqualTo(500);
        assertThat(item.isOver(at(21_600))).isTrue();
    }

    @Test
    void whatTheCallerHadNoTimeToHearIsHeardBeforeWhatIsSentAgain() {
        item.sent(800, at(0));
        item.sent(400, at(0));
        item.halted(at(500));
        item.unsent(800);
        item.resumed(null, at(3000));
        item.sent(400, at(3000));

        assertThat(item.heardMs(at(3000))).isEqualTo(500);
        assertThat(item.heardMs(at(3200))).isEqualTo(700);
        assertThat(item.heardMs(at(3700))).isEqualTo(1200);
    }

    @Test
    void anItemThatWaitedForTheOneBeforeGoesOnWaitingForIt() {
        var next = new Playback("item_b", "resp_1", item);
        item.sent(1000, at(0));
        next.sent(300, at(200));
        item.halted(at(400));
        next.halted(at(400));
        item.resumed(null, at(2000));
        next.resumed(item, at(2000));

        assertThat(next.heardMs(at(2500))).isZero();
        assertThat(next.heardMs(at(2700))).isEqualTo(100);
    }

    @Test
    void anItemOfWhichAllIsSentAgainFollowsTheOneBefore() {
        var next = new Playback("item_b", "resp_1", item);
        item.sent(1000, at(0));
        next.sent(300, at(200));
        item.halted(at(400));
        next.halted(at(400));
        item.unsent(700);
        next.unsent(0);
        item.resumed(null, at(2000));
        next.resumed(item, at(2000));
        item.sent(300, at(2000));
        next.sent(300, at(2000));

        assertThat(next.heardMs(at(2600))).isZero();
        assertThat(next.heardMs(at(2700))).isEqualTo(100);
    }

    @Test
    void aClientsWordHoldsOverAnAbsence() {
        item.sent(2000, at(0));
        item.acknowledged(300, at(1000));
        item.halted(at(1100));
        item.resumed(null, at(5000));

        assertThat(item.heardMs(at(5000))).isEqualTo(400);
        assertThat(item.heardMs(at(9000))).as("until it speaks again").isEqualTo(700);
    }

    @Test
    void whatIsLostIsNeverHeardAndDelaysNobody() {
        var next = new Playback("item_b", "resp_1", item);
        item.generated(1000);
        item.completed();
        item.sent(1000, at(0));
        item.halted(at(400));
        item.lost(1000, at(3000));
        item.resumed(null, at(4000));

        assertThat(item.heardMs(at(9000))).isEqualTo(400);
        assertThat(item.isPlaying(at(3000))).isFalse();
        assertThat(item.isOver(at(9000))).isFalse();
        assertThat(next.dueIn(0, at(3000))).isZero();
    }

    @Test
    void ofWhatTheCallerNeverGotNothingWasHeard() {
        item.sent(1000, at(0));
        item.halted(at(15_000));
        item.lost(600, at(20_000));

        assertThat(item.heardMs(at(20_000))).isEqualTo(600);
    }

    @Test
    void aClientThatHadItAfterAllIsBelieved() {
        item.sent(1000, at(0));
        item.halted(at(400));
        item.lost(1000, at(3000));
        item.acknowledged(900, at(3100));

        assertThat(item.heardMs(at(9000))).isEqualTo(900);
    }

    @Test
    void afterALossTheRestIsHeardFromWhereItIsSent() {
        item.sent(1000, at(0));
        item.halted(at(400));
        item.lost(1000, at(3000));
        assertThat(item.dueIn(0, at(3000))).isZero();
        item.sent(500, at(3000));

        assertThat(item.heardMs(at(3100))).isEqualTo(1100);
        assertThat(item.isPlaying(at(3100))).isTrue();
        assertThat(item.isPlaying(at(3500))).isFalse();
    }

    @Test
    void aClientThatNoLongerTellsItsPlaybackDoesNotPlayForEver() {
        item.sent(1000, at(0));
        item.acknowledged(200, at(300));

        assertThat(item.isPlaying(at(1300))).isTrue();
        assertThat(item.isPlaying(at(1400))).isFalse();
    }
}
