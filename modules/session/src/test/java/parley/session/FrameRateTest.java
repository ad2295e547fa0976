package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.session.FrameRate.Verdict;

/** L7. */
@Tag("unit")
class FrameRateTest {
    private long now = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(10);
    private long looks;

    private FrameRate rate(int perSecond) {
        return new FrameRate(
                new SessionSettings.Limits(
                        Duration.ofMinutes(5),
                        Duration.ofMinutes(1),
                        perSecond,
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(10)),
                Duration.ofSeconds(5),
                () -> {
                    looks++;
                    return now;
                });
    }

    /** Frames at even distances. */
    private Map<Verdict, Integer> sends(FrameRate rate, int seconds, int perSecond) {
        var verdicts = new EnumMap<Verdict, Integer>(Verdict.class);
        for (int frame = 0; frame < seconds * perSecond; frame++) {
            now += 1_000_000_000L / perSecond;
            verdicts.merge(rate.take(), 1, Integer::sum);
        }
        return verdicts;
    }

    private Map<Verdict, Integer> sendsAtOnce(FrameRate rate, int frames) {
        var verdicts = new EnumMap<Verdict, Integer>(Verdict.class);
        for (int frame = 0; frame < frames; frame++) {
            verdicts.merge(rate.take(), 1, Integer::sum);
        }
        return verdicts;
    }

    @Test
    void whoKeepsToTheRatePassesForEver() {
        assertThat(sends(rate(50), 3600, 50)).containsOnly(Map.entry(Verdict.IN_TIME, 180_000));
    }

    @Test
    void theClockIsLookedAtFourTimesASecond() {
        sends(rate(50), 60, 50);

        assertThat(looks).isLessThan(60 * 5);
    }

    @Test
    void aCallerCatchesUpAfterFiveSecondsWithoutANetwork() {
        var rate = rate(50);
        sends(rate, 60, 50);
        now += TimeUnit.SECONDS.toNanos(5);

        assertThat(sendsAtOnce(rate, 250)).containsOnly(Map.entry(Verdict.IN_TIME, 250));
        assertThat(sends(rate, 60, 50)).containsOnly(Map.entry(Verdict.IN_TIME, 3000));
    }

    @Test
    void aBurstIsBounded() {
        var rate = rate(50);
        now += TimeUnit.HOURS.toNanos(1);

        var verdicts = sendsAtOnce(rate, 1000);

        // Seven seconds, and at most the quarter of one that was in hand.
        assertThat(verdicts.get(Verdict.IN_TIME)).isBetween(350, 362);
        assertThat(verdicts).containsEntry(Verdict.BEYOND, 1);
    }

    @Test
    void beyondTheRateAsMuchPassesAsIsAllowed() {
        var verdicts = sends(rate(50), 16, 100);

        assertThat(verdicts.get(Verdict.IN_TIME)).isBetween(350 + 16 * 50 - 13, 350 + 16 * 50 + 1);
        assertThat(verdicts).containsEntry(Verdict.BEYOND, 1).doesNotContainKey(Verdict.ABUSE);
    }

    @Test
    void whatGoesOnForTenSecondsIsAbuse() {
        var rate = rate(50);
        var first = sends(rate, 16, 100);
        var later = sends(rate, 4, 100);

        assertThat(first).doesNotContainKey(Verdict.ABUSE);
        assertThat(later).containsKey(Verdict.ABUSE).doesNotContainKey(Verdict.BEYOND);
    }

    @Test
    void afterACalmTheNextExcessIsNews() {
        var rate = rate(50);
        sendsAtOnce(rate, 400);
        sends(rate, 3, 20);

        assertThat(sendsAtOnce(rate, 400)).containsEntry(Verdict.BEYOND, 1).doesNotContainKey(Verdict.ABUSE);
    }

    @Test
    void whoIsHeldBackSendsAtTheRate() {
        var rate = rate(50);
        long from = now;
        int sent = 0;
        while (now - from < TimeUnit.SECONDS.toNanos(60)) {
            now += rate.pass();
            sent++;
        }

        assertThat(sent).isBetween(350 + 59 * 50, 350 + 61 * 50);
    }

    @Test
    void zeroIsAnyNumber() {
        var rate = rate(0);

        assertThat(sendsAtOnce(rate, 100_000)).containsOnly(Map.entry(Verdict.IN_TIME, 100_000));
        assertThat(rate.pass()).isZero();
    }
}
