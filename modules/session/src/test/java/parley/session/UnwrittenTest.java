package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class UnwrittenTest {
    private final Unwritten unwritten = new Unwritten();

    private static Unwritten.Batch batch(long number, SessionEvent... facts) {
        return new Unwritten.Batch(number, List.of(facts));
    }

    @Test
    void oneBatchIsUnderWayAndTheNextGathersWhatComesMeanwhile() {
        unwritten.add(List.of(Facts.USER_SAID));

        assertThat(unwritten.next(1)).isEqualTo(batch(1, Facts.USER_SAID));
        unwritten.add(List.of(Facts.AGENT_SAID));
        unwritten.add(List.of(Facts.CUT));
        assertThat(unwritten.next(2)).isNull();
        assertThat(unwritten.size()).isEqualTo(3);
        unwritten.written(1);
        assertThat(unwritten.next(3)).isEqualTo(batch(2, Facts.AGENT_SAID, Facts.CUT));
        unwritten.written(2);
        assertThat(unwritten.isEmpty()).isTrue();
        assertThat(unwritten.next(4)).isNull();
    }

    @Test
    void whatMayNotHaveBeenWrittenIsTheSameBatchWithTheSameNumber() {
        unwritten.add(List.of(Facts.USER_SAID));
        var first = unwritten.next(1);
        unwritten.add(List.of(Facts.CUT));

        assertThat(unwritten.again()).isEqualTo(first);
        unwritten.written(0);
        assertThat(unwritten.again()).as("an earlier number says nothing of it").isEqualTo(first);
        unwritten.written(1);
        assertThat(unwritten.again()).isNull();
    }

    @Test
    void theNumberOfAFactIsKnownBeforeItsBatchIsTold() {
        assertThat(unwritten.lastNumber(false)).isZero();
        assertThat(unwritten.lastNumber(true)).isEqualTo(1);
        unwritten.add(List.of(Facts.USER_SAID));
        assertThat(unwritten.lastNumber(false)).isEqualTo(1);
        unwritten.next(1);
        assertThat(unwritten.lastNumber(false)).isEqualTo(1);
        assertThat(unwritten.lastNumber(true)).isEqualTo(2);
        unwritten.add(List.of(Facts.CUT));
        assertThat(unwritten.lastNumber(true)).isEqualTo(2);
    }

    @Test
    void theWaitIsThatOfTheBatchUnderWay() {
        assertThat(unwritten.waitedNanos(100)).isZero();
        unwritten.add(List.of(Facts.USER_SAID));
        assertThat(unwritten.waitedNanos(100)).isZero();
        unwritten.next(100);
        unwritten.add(List.of(Facts.CUT));

        assertThat(unwritten.waitedNanos(130)).isEqualTo(30);
        unwritten.written(1);
        assertThat(unwritten.waitedNanos(130)).isZero();
    }
}
