package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.EvidenceKeeper.Batch;
import parley.admission.OutcomeReporter.Acknowledged;

/** R4, R19: from the session to the keeper of the evidence. */
@Tag("entity")
class OutcomeReporterTest {
    private static final CallerId ANNA = new CallerId("anna", "acme");
    private static final Duration A_MINUTE = Duration.ofMinutes(1);
    private static final Duration A_SECOND = Duration.ofSeconds(1);

    private final ActorTestKit kit = ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));
    private final ManualTime time = ManualTime.get(kit.system());
    private final org.apache.pekko.actor.testkit.typed.javadsl.TestProbe<EvidenceKeeper.Command> keeper =
            kit.createTestProbe();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    @Test
    void reportsOnceASecondAlsoWhenThereIsNothingAndWaitsForTheAnswer() {
        var outcomes = new UnsentOutcomes(100, 0);
        var reporter = kit.spawn(OutcomeReporter.create(outcomes, "n1", keeper.getRef()));

        time.timePasses(A_SECOND);
        var empty = batch();
        outcomes.report(Signal.CONNECTION, ANNA, Arm.VOICE, false, 0);
        time.expectNoMessageFor(A_SECOND, keeper);
        reporter.tell(new Acknowledged(empty.life(), empty.number() + 1));
        reporter.tell(new Acknowledged("another", empty.number()));
        time.expectNoMessageFor(A_SECOND, keeper);
        reporter.tell(new Acknowledged(empty.life(), empty.number()));
        time.timePasses(A_SECOND);
        var next = batch();

        assertThat(empty.number()).isEqualTo(1);
        assertThat(empty.observations()).isEmpty();
        assertThat(next.number()).isEqualTo(2);
        assertThat(next.life()).isEqualTo(empty.life());
        assertThat(next.node()).isEqualTo("n1");
        assertThat(next.observations())
                .containsExactly(new Observation(
                        Signal.CONNECTION, Arm.VOICE, Observation.subBucket("anna"), "acme", 0, false, false, false));
    }

    @Test
    void theSameGoesAgainUntilItIsAcknowledged() {
        var outcomes = new UnsentOutcomes(100, 0);
        outcomes.report(Signal.ERROR, ANNA, Arm.CONTROL, true, 1);
        kit.spawn(OutcomeReporter.create(outcomes, "n1", keeper.getRef()));

        time.timePasses(A_SECOND);
        var first = batch();
        time.timePasses(OutcomeReporter.AGAIN_AFTER.plus(A_SECOND));
        var again = batch();

        assertThat(again).isEqualTo(first);
        assertThat(first.observations()).hasSize(1);
    }

    @Test
    void whatDoesNotFitIntoOneBatchFollowsAtOnce() {
        var outcomes = new UnsentOutcomes(10_000, 0);
        for (int session = 0; session < 2 * OutcomeReporter.BATCH + 1; session++) {
            outcomes.report(Signal.ERROR, ANNA, Arm.VOICE, false, 0);
        }
        var reporter = kit.spawn(OutcomeReporter.create(outcomes, "n1", keeper.getRef()));

        time.timePasses(A_SECOND);
        var first = batch();
        reporter.tell(new Acknowledged(first.life(), first.number()));
        var second = batch();
        reporter.tell(new Acknowledged(first.life(), second.number()));
        time.timePasses(A_SECOND);
        var third = batch();

        assertThat(List.of(first, second, third))
                .extracting(batch -> batch.observations().size())
                .containsExactly(OutcomeReporter.BATCH, OutcomeReporter.BATCH, 1);
    }

    @Test
    void theOldestGoesWhereThereIsNoRoomAndIsCounted() {
        var outcomes = new UnsentOutcomes(2, 0);
        for (double failed : new double[] {0.1, 0.2, 0.3, 0.4}) {
            outcomes.report(Signal.FIRST_AUDIO, ANNA, Arm.VOICE, false, failed);
        }

        assertThat(outcomes.lost()).isEqualTo(2);
        assertThat(outcomes.take(9))
                .extracting(each -> each.observation().failed())
                .containsExactly(0.3, 0.4);
        assertThat(outcomes.size()).isZero();
    }

    @Test
    void aNodeThatLeavesBringsAllItHasWithoutWaitingForTheNextSecond() {
        var outcomes = new UnsentOutcomes(10_000, 0);
        for (int session = 0; session < OutcomeReporter.BATCH + 1; session++) {
            outcomes.report(Signal.ERROR, ANNA, Arm.VOICE, false, 0);
        }
        var flushed = kit.<Done>createTestProbe();
        var reporter = kit.spawn(OutcomeReporter.create(outcomes, "n1", keeper.getRef()));

        reporter.tell(new OutcomeReporter.Flush(flushed.getRef()));
        var first = batch();
        reporter.tell(new Acknowledged(first.life(), first.number()));
        var second = batch();
        flushed.expectNoMessage(Duration.ofMillis(50));
        // Its keeper is on the move: it is told again each second.
        time.timePasses(A_SECOND);
        var again = batch();
        reporter.tell(new Acknowledged(first.life(), second.number()));

        assertThat(second.observations()).hasSize(1);
        assertThat(again).isEqualTo(second);
        flushed.expectMessage(A_MINUTE, Done.getInstance());
    }

    /** R8. */
    @Test
    void aUserArrivesWithTheFirstWordOfASessionUnlessAListPutItThere() {
        var outcomes = new UnsentOutcomes(100, 0);
        outcomes.report(Signal.CREATION, ANNA, Arm.CONTROL, false, 0);
        outcomes.report(Signal.CREATION, ANNA, Arm.CONTROL, true, 0);
        outcomes.report(Signal.ERROR, ANNA, Arm.CONTROL, false, 0);
        outcomes.probe(Signal.CREATION, 1);
        kit.spawn(OutcomeReporter.create(outcomes, "n1", keeper.getRef()));

        time.timePasses(A_SECOND);
        var batch = batch();

        assertThat(batch.arrivals()).containsExactly(Arrival.of(ANNA, Arm.CONTROL));
        assertThat(batch.observations()).hasSize(4);
        assertThat(batch.observations().getLast().probeSample()).isTrue();
        assertThat(Arrival.of(ANNA, Arm.VOICE).user())
                .isNotEqualTo(
                        Arrival.of(new CallerId("anna", "other"), Arm.VOICE).user());
    }

    /** R19. */
    @Test
    void theFirstSessionsOfANodeSayNothingOfItsLatency() {
        var outcomes = new UnsentOutcomes(100, 2);
        outcomes.report(Signal.CONNECTION, ANNA, Arm.VOICE, false, 0);
        for (int session = 0; session < 3; session++) {
            outcomes.report(Signal.FIRST_AUDIO, ANNA, Arm.VOICE, false, 0);
        }

        assertThat(outcomes.take(9))
                .extracting(each -> each.observation().warmUp())
                .containsExactly(false, true, true, false);
    }

    @Test
    void whatIsNoShareIsRefused() {
        assertThatThrownBy(() -> new UnsentOutcomes(1, 0).report(Signal.COST, ANNA, Arm.VOICE, false, 1.5))
                .hasMessage("failed: 1.5 (expected: 0..1)");
    }

    @Test
    void manyThreadsLoseNothingButWhatIsCounted() throws Exception {
        var outcomes = new UnsentOutcomes(1_000, 0);
        var go = new CountDownLatch(1);
        var threads = IntStream.range(0, 8)
                .mapToObj(number -> Thread.ofVirtual().start(() -> {
                    try {
                        go.await();
                    } catch (InterruptedException stopped) {
                        Thread.currentThread().interrupt();
                    }
                    for (int session = 0; session < 1_000; session++) {
                        outcomes.report(Signal.ERROR, ANNA, Arm.VOICE, false, 0);
                    }
                }))
                .toList();
        go.countDown();
        for (var thread : threads) {
            thread.join();
        }

        assertThat(outcomes.size()).isLessThanOrEqualTo(1_000);
        assertThat(outcomes.take(10_000).size() + outcomes.lost()).isEqualTo(8_000);
    }

    private Batch batch() {
        return keeper.expectMessageClass(Batch.class, A_MINUTE);
    }
}
