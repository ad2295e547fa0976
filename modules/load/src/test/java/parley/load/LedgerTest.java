package parley.load;

import static org.assertj.core.api.Assertions.assertThat;
import static parley.load.Ledger.Verdict.DOUBLED;
import static parley.load.Ledger.Verdict.IN_ORDER;
import static parley.load.Ledger.Verdict.REORDERED;
import static parley.load.Ledger.Verdict.UNKNOWN;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class LedgerTest {
    private final Ledger ledger = new Ledger();

    @Test
    void framesInOrderLeaveNothingToSay() {
        assertThat(hear(0, 1, 2, 3)).containsOnly(IN_ORDER);
        assertThat(ledger.missing()).isZero();
    }

    @Test
    void aGapIsMissing() {
        assertThat(hear(0, 3)).containsExactly(IN_ORDER, IN_ORDER);
        assertThat(ledger.missing()).isEqualTo(2);
    }

    @Test
    void theLastFramesAreMissedToo() {
        hear(0);

        assertThat(ledger.missing()).isEqualTo(3);
    }

    @Test
    void aLateFrameIsReorderedAndNotMissing() {
        assertThat(hear(0, 2, 1, 3)).containsExactly(IN_ORDER, IN_ORDER, REORDERED, IN_ORDER);
        assertThat(ledger.missing()).isZero();
    }

    @Test
    void aSecondHearingIsDoubledAndHidesNoMissingFrame() {
        assertThat(hear(0, 1, 1, 0)).containsExactly(IN_ORDER, IN_ORDER, DOUBLED, DOUBLED);
        assertThat(ledger.missing()).isEqualTo(2);
    }

    @Test
    void aFrameNeverSentIsUnknown() {
        assertThat(hear(4, -1)).containsOnly(UNKNOWN);
        assertThat(ledger.missing()).isEqualTo(4);
    }

    /** After four frames were sent. */
    private List<Ledger.Verdict> hear(int... sequence) {
        for (int expected = 0; expected < 4; expected++) {
            assertThat(ledger.send()).isEqualTo(expected);
        }
        return IntStream.of(sequence).mapToObj(ledger::hear).toList();
    }
}
