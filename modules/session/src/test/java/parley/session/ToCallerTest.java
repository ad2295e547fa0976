package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.protocol.Peek;
import parley.protocol.Wire;
import parley.session.ToCaller.Cut;
import parley.session.ToCaller.Resumption;
import parley.wire.Frame;
import parley.wire.Loops;

/** B2, B3, R7: what waits for the caller, and what is sent again. */
@Tag("unit")
@ExtendWith(NoLeaks.class)
class ToCallerTest {
    private static final Loops LOOPS = Loops.create(1);
    private static final long START = 77_000_000_000L;

    private final SessionMetrics metrics = new SessionMetrics();
    private final Witness witness = new Witness("usual", Rig.prices(), Clock.fixed(Rig.NOON, ZoneOffset.UTC));
    private final ToCaller guided = queue(Face.VOICE);
    private final ToCaller strict = queue(Face.REALTIME);
    private final Peek peek = new Peek();

    private ToCaller queue(Face face) {
        return queue(face, 0);
    }

    private ToCaller queue(Face face, long seq) {
        return new ToCaller(
                face,
                Rig.settings(Map.of(
                        "parley.session.agent-lead", "1s",
                        "parley.session.agent-buffer", "10s",
                        "parley.session.replay.events", 20,
                        "parley.session.replay.audio", "3s")),
                metrics,
                seq);
    }

    @AfterAll
    static void stop() {
        LOOPS.close();
    }

    @AfterEach
    void release() {
        guided.nobodyListens();
        strict.nobodyListens();
    }

    private static long at(long ms) {
        return START + ms * 1_000_000;
    }

    private void audio(ToCaller queue, String response, String item, int ms) {
        var frame = Frame.text(Events.audio(response, item, ms));
        peek.scan(frame.view(), frame.view().position(), frame.length());
        queue.audio(frame, peek, ms, witness);
    }

    private static List<String> drained(ToCaller queue, long now) {
        var texts = new ArrayList<String>();
        for (var frame = queue.next(now, LOOPS.next(), () -> {});
                frame != null;
                frame = queue.next(now, LOOPS.next(), () -> {})) {
            texts.add(frame.utf8());
            frame.release();
        }
        return texts;
    }

    private int audible(ToCaller queue, long now) {
        return (int) drained(queue, now).stream()
                .filter(text -> text.contains("audio.delta"))
                .count();
    }

    @Test
    void audioLeavesAtMostTheLeadAheadOfBeingHeard() {
        for (int i = 0; i < 40; i++) {
            audio(guided, "r1", "a", 100);
        }

        assertThat(audible(guided, at(0))).isEqualTo(11);
        assertThat(audible(guided, at(0))).isZero();
        assertThat(audible(guided, at(250))).isEqualTo(2);
        assertThat(audible(guided, at(1000))).isEqualTo(8);
    }

    @Test
    void theLeadIsTheSameForTheSecondItemOfAResponse() {
        for (int i = 0; i < 15; i++) {
            audio(guided, "r1", "a", 100);
        }
        for (int i = 0; i < 15; i++) {
            audio(guided, "r1", "b", 100);
        }

        int left = 0;
        for (int ms = 0; ms <= 1000; ms += 50) {
            left += audible(guided, at(ms));
        }

        assertThat(left).isEqualTo(21);
    }

    @Test
    void aBargeInCutsTheItemThatIsHeardAndEachThatWasToFollow() {
        for (int i = 0; i < 20; i++) {
            audio(guided, "r1", "a", 100);
        }
        audio(guided, "r1", "b", 100);
        drained(guided, at(0));

        var cuts = guided.interrupt(at(700));

        assertThat(cuts).containsExactly(new Cut("a", 700), new Cut("b", 0));
        assertThat(audible(guided, at(9000))).isZero();
        assertThat(metrics.staleAudioMs()).isEqualTo(1000);
    }

    @Test
    void anItemThatWasHeardInFullIsNotCut() {
        audio(guided, "r1", "a", 300);
        audio(guided, "r1", "b", 600);
        guided.responseDone("r1", Frame.text(Events.done("r1", "completed")));
        drained(guided, at(0));

        assertThat(guided.interrupt(at(500))).containsExactly(new Cut("b", 200));
    }

    @Test
    void whenAllWasHeardNothingIsCut() {
        audio(guided, "r1", "a", 300);
        guided.responseDone("r1", Frame.text(Events.done("r1", "completed")));
        drained(guided, at(0));

        assertThat(guided.interrupt(at(400))).isEmpty();
    }

    @Test
    void anAnswerStillBeingGeneratedIsCutWhereItWasHeard() {
        audio(guided, "r1", "a", 300);
        drained(guided, at(0));

        assertThat(guided.interrupt(at(400))).containsExactly(new Cut("a", 300));
    }

    @Test
    void lateAudioOfAnInterruptedResponseIsThrownAwayUntilTheResponseIsDone() {
        guided.responseBegun("r1");
        audio(guided, "r1", "a", 100);
        drained(guided, at(0));
        guided.interrupt(at(50));

        audio(guided, "r1", "a", 100);
        assertThat(audible(guided, at(100))).isZero();
        guided.responseDone("r1", Frame.text(Events.done("r1", "cancelled")));
        audio(guided, "r2", "b", 100);

        assertThat(audible(guided, at(200))).isEqualTo(1);
    }

    @Test
    void aResponseInterruptedBeforeItsFirstAudioStaysSilent() {
        guided.responseBegun("r1");
        guided.interrupt(at(0));

        audio(guided, "r1", "a", 100);

        assertThat(audible(guided, at(10))).isZero();
    }

    @Test
    void theClientsWordOnItsPlaybackDecidesWhereItIsCut() {
        for (int i = 0; i < 10; i++) {
            audio(guided, "r1", "a", 100);
        }
        drained(guided, at(0));
        guided.playback("a", 250, at(700));

        assertThat(guided.interrupt(at(750))).containsExactly(new Cut("a", 300));
    }

    @Test
    void audioBesideTheConversationIsNeitherPacedNorCut() {
        witness.saw(Wire.server(Events.begun("r9").replace("\"conv_1\"", "null")));
        audio(guided, "r1", "a", 100);
        for (int i = 0; i < 30; i++) {
            audio(guided, "r9", "z", 100);
        }
        audio(guided, "r1", "a", 100);

        assertThat(audible(guided, at(0))).isEqualTo(32);
        assertThat(guided.interrupt(at(150))).containsExactly(new Cut("a", 150));
    }

    @Test
    void whatHasNoPlaceInTheAnswerOvertakesItForTheGuidedFaceOnly() {
        for (var queue : List.of(guided, strict)) {
            for (int i = 0; i < 12; i++) {
                audio(queue, "r1", "a", 100);
            }
            var started = Frame.text(Events.speechStarted("u"));
            var peek = new Peek();
            peek.scan(started.view(), started.view().position(), started.length());
            queue.event(started, peek);
        }

        assertThat(drained(guided, at(0)).getFirst()).contains("speech_started");
        assertThat(drained(strict, at(0)).getLast()).contains("speech_started");
    }

    @Test
    void eventsOfAGuidedFaceAreNumberedWithoutGaps() {
        guided.control(Frame.text("{\"type\":\"one\"}"));
        guided.control(Frame.text(" { \"type\":\"two\"}"));
        guided.urgent(Frame.text("{\"type\":\"three\"}"));

        assertThat(drained(guided, at(0)))
                .containsExactly(
                        "{\"seq\":1,\"type\":\"three\"}",
                        "{\"seq\":2,\"type\":\"one\"}",
                        "{\"seq\":3, \"type\":\"two\"}");
    }

    @Test
    void whatIsNoObjectWithAKeyGoesOutAsItIsAndIsNotCounted() {
        guided.control(Frame.text("{}"));
        guided.control(Frame.text("{ }"));
        guided.control(Frame.text("[1]"));
        guided.control(Frame.text(""));
        guided.control(Frame.text("{\"a\":1}"));

        assertThat(drained(guided, at(0))).containsExactly("{}", "{ }", "[1]", "", "{\"seq\":1,\"a\":1}");
    }

    @Test
    void theStrictFaceGetsEveryByteAsItWasInItsOrderAtOnce() {
        var said = new ArrayList<String>();
        for (int i = 0; i < 40; i++) {
            audio(strict, "r1", "a", 100);
            said.add(Events.audio("r1", "a", 100));
        }

        assertThat(drained(strict, at(0))).isEqualTo(said);
    }

    @Test
    void theProviderIsHeldBackAtTheBoundOfEachFace() {
        for (int i = 0; i < 31; i++) {
            audio(strict, "r1", "a", 1000);
        }
        assertThat(strict.isFull()).isFalse();
        strict.control(Frame.text("{}"));
        assertThat(strict.isFull()).isTrue();

        for (int i = 0; i < 9; i++) {
            audio(guided, "r1", "a", 1000);
        }
        assertThat(guided.isFull()).isFalse();
        audio(guided, "r1", "a", 1000);
        assertThat(guided.isFull()).isTrue();
    }

    @Test
    void aCallerThatDoesNotTakeItsAnswersIsHeldBack() {
        for (int i = 0; i < 32; i++) {
            guided.urgent(Frame.text("{\"type\":\"pong\"}"));
        }
        assertThat(guided.isFlooded()).isTrue();
        drained(guided, at(0));

        assertThat(guided.isFlooded()).isFalse();
    }

    @Test
    void eventsThatNobodyTakesAreBoundedToo() {
        for (int i = 0; i < 8192; i++) {
            guided.control(Frame.text("{}"));
        }

        assertThat(guided.isFull()).isTrue();
    }

    // ---- a caller that goes and comes back

    private static void say(ToCaller queue, String... types) {
        for (var type : types) {
            queue.control(Frame.text("{\"type\":\"" + type + "\"}"));
        }
    }

    private static String numbered(long seq, String type) {
        return "{\"seq\":" + seq + ",\"type\":\"" + type + "\"}";
    }

    private static Resumption missing(long events, long audioMs, boolean elsewhere) {
        return Resumption.missing(events, audioMs, elsewhere, Set.of());
    }

    private List<Integer> audibleSeqs(ToCaller queue, long now) {
        return drained(queue, now).stream()
                .filter(text -> text.contains("audio.delta"))
                .map(text -> Integer.valueOf(text.substring(7, text.indexOf(','))))
                .toList();
    }

    @Test
    void numbersGoOnAboveTheLastOneGiven() {
        var later = queue(Face.VOICE, 40);
        say(later, "a");

        assertThat(drained(later, at(0))).containsExactly(numbered(41, "a"));
        assertThat(later.seq()).isEqualTo(41);
        later.nobodyListens();
    }

    @Test
    void aCallerThatComesBackGetsWhatItMissedFirstWithTheOldNumbers() {
        say(guided, "a", "b", "c");
        drained(guided, at(0));
        guided.absent(at(0));
        say(guided, "d");

        assertThat(guided.present(1, at(500))).isEqualTo(Resumption.complete(2));
        assertThat(drained(guided, at(500))).containsExactly(numbered(2, "b"), numbered(3, "c"), numbered(4, "d"));
        assertThat(metrics.replayedEvents()).isEqualTo(2);
        assertThat(metrics.replayMisses()).isZero();
    }

    @Test
    void aCallerThatMissedNothingGetsNothingAgain() {
        say(guided, "a");
        drained(guided, at(0));
        guided.absent(at(0));

        assertThat(guided.present(1, at(10))).isEqualTo(Resumption.complete(0));
        assertThat(drained(guided, at(10))).isEmpty();
    }

    @Test
    void theFirstCallerHasMissedNothing() {
        say(guided, "welcome");

        assertThat(guided.present(-1, at(0))).isEqualTo(Resumption.complete(0));
        assertThat(drained(guided, at(0))).containsExactly(numbered(1, "welcome"));
    }

    @Test
    void aCallerThatComesBackASecondTimeGetsTheSameAgain() {
        say(guided, "a", "b", "c");
        drained(guided, at(0));
        guided.absent(at(0));
        guided.present(0, at(10));
        guided.next(at(10), LOOPS.next(), () -> {}).release();
        guided.absent(at(20));

        assertThat(guided.present(1, at(30))).isEqualTo(Resumption.complete(2));
        assertThat(drained(guided, at(30))).containsExactly(numbered(2, "b"), numbered(3, "c"));
    }

    @Test
    void aCallerThatTakesTheSeatOfOneWhoIsStillThereIsServedLikewise() {
        say(guided, "a", "b");
        drained(guided, at(0));

        assertThat(guided.present(1, at(10))).isEqualTo(Resumption.complete(1));
        assertThat(drained(guided, at(10))).containsExactly(numbered(2, "b"));
    }

    @Test
    void whatWasAcknowledgedIsNotSentAgain() {
        say(guided, "a", "b", "c");
        drained(guided, at(0));
        guided.acked(2);
        guided.absent(at(0));

        assertThat(guided.present(1, at(10))).isEqualTo(missing(2, -1, false));
        assertThat(drained(guided, at(10))).isEmpty();
    }

    @Test
    void whoMakesTheNewLineBeforeTheOldOneBreaksMayHaveAcknowledgedMoreThanItSays() {
        say(guided, "a", "b", "c");
        drained(guided, at(0));
        guided.acked(2);

        assertThat(guided.present(1, at(10))).isEqualTo(Resumption.complete(1));
        assertThat(drained(guided, at(10))).containsExactly(numbered(3, "c"));
        guided.acked(3);
        guided.absent(at(20));
        assertThat(guided.present(2, at(30)).recovered())
                .as("the old line had ended")
                .isFalse();
    }

    @Test
    void nobodyCanAcknowledgeWhatItHasNotGot() {
        say(guided, "a", "b", "c");
        drained(guided, at(0));
        guided.absent(at(0));
        guided.present(1, at(10));
        guided.acked(3);
        guided.absent(at(20));

        assertThat(guided.present(1, at(30)).replayed()).isEqualTo(2);
    }

    @Test
    void whenThereIsAGapNothingIsSentAgainAndItIsSaidHowMuchIsMissing() {
        for (int i = 0; i < 25; i++) {
            say(guided, "e");
        }
        drained(guided, at(0));
        guided.absent(at(0));
        say(guided, "later");

        assertThat(guided.present(4, at(10))).isEqualTo(missing(21, 0, false));
        assertThat(drained(guided, at(10))).containsExactly(numbered(27, "later"));
        assertThat(metrics.replayMisses()).isEqualTo(1);
        assertThat(metrics.replayedEvents()).isZero();
    }

    @Test
    void theAudioThatIsMissingIsTold() {
        for (int i = 0; i < 8; i++) {
            audio(guided, "r1", "a", 500);
        }
        for (int ms = 0; ms <= 3000; ms += 500) {
            drained(guided, at(ms));
        }
        guided.absent(at(3000));

        assertThat(guided.present(0, at(4000))).isEqualTo(missing(8, 4000, false));
        assertThat(metrics.replayForgottenMs()).isEqualTo(1000);
    }

    @Test
    void aCallerThatDoesNotSayWhatItHasMissesAnUnknownNumber() {
        say(guided, "a");
        drained(guided, at(0));
        guided.absent(at(0));
        say(guided, "b");

        assertThat(guided.present(-1, at(10))).isEqualTo(missing(-1, -1, false));
        assertThat(drained(guided, at(10))).containsExactly(numbered(3, "b"));
    }

    @Test
    void whoDidNotHearThatSomethingIsMissingIsToldOnceMore() {
        say(guided, "a");
        drained(guided, at(0));
        guided.absent(at(0));
        assertThat(guided.present(1, false, false, at(10)).recovered())
                .as("its host was lost")
                .isFalse();
        guided.absent(at(20));

        assertThat(guided.present(1, true, true, at(30)).recovered()).isFalse();
        guided.absent(at(40));
        assertThat(guided.present(guided.seq(), true, true, at(50)).recovered())
                .as("the number that it was told that with")
                .isTrue();
    }

    /** B12: its host was lost, and so is the first connection to the next one. */
    @Test
    void whoHeardNothingSinceSomethingWasLostHearsTheAnswerFromItsBeginning() {
        say(guided, "a");
        drained(guided, at(0));
        guided.absent(at(0));
        guided.present(1, false, false, at(10));
        guided.inHistory(Frame.text("{\"type\":\"history\"}"));
        guided.urgent(Frame.text("{\"type\":\"session.restored\"}"));
        guided.control(Frame.text("{\"type\":\"response.output_item.added\",\"item\":{\"id\":\"i\"}}"));
        audio(guided, "r1", "i", 400);
        audio(guided, "r1", "i", 800);
        assertThat(drained(guided, at(10))).hasSize(5);
        guided.absent(at(900));
        audio(guided, "r1", "i", 500);

        assertThat(guided.present(1, at(2000))).isEqualTo(Resumption.missing(-1, -1, true, Set.of("i")));
        guided.inHistory(Frame.text("{\"type\":\"history\"}"));
        var again = drained(guided, at(2000));
        assertThat(again).hasSize(5).startsWith(numbered(9, "history"), numbered(10, "session.restored"));
        assertThat(again.get(2)).startsWith("{\"seq\":11,\"type\":\"response.output_item.added\"");
        assertThat(guided.heard(at(2500))).containsExactly(new ToCaller.Cut("i", 500));
        assertThat(audibleSeqs(guided, at(2500))).as("in its time").containsExactly(14);
        assertThat(guided.heard(at(9000))).containsExactly(new ToCaller.Cut("i", 1700));
    }

    @Test
    void whoHeardALittleSinceSomethingWasLostIsSentTheRestWithItsNumbers() {
        guided.present(0, false, false, at(0));
        say(guided, "a", "b");
        drained(guided, at(0));
        guided.absent(at(10));

        assertThat(guided.present(2, true, true, at(20))).isEqualTo(Resumption.complete(1));
        assertThat(drained(guided, at(20))).containsExactly(numbered(3, "b"));
    }

    @Test
    void whatTheCallerHasSpokenOverIsNotSentAnew() {
        guided.present(0, false, false, at(0));
        audio(guided, "r1", "i", 400);
        drained(guided, at(0));
        guided.interrupt(at(100));
        say(guided, "after");
        drained(guided, at(100));
        guided.absent(at(200));

        guided.present(0, true, true, at(300));
        assertThat(drained(guided, at(300))).containsExactly(numbered(5, "after"));
        assertThat(guided.heard(at(300))).isEmpty();
    }

    @Test
    void aLineThatIsThereAndSilentKeepsNothingBack() {
        guided.present(0, false, false, at(0));
        say(guided, "a");
        drained(guided, at(0));

        assertThat(guided.present(0, true, true, at(10)).recovered()).isFalse();
        assertThat(drained(guided, at(10))).containsExactly(numbered(4, "a"));
    }

    @Test
    void whoTellsThatItPlaysItHasHeardIt() {
        guided.present(0, false, false, at(0));
        audio(guided, "r1", "i", 400);
        drained(guided, at(0));
        guided.playback("i", 100, at(100));

        guided.present(0, at(200));
        assertThat(drained(guided, at(200))).isEmpty();
    }

    @Test
    void whatIsKeptNoMoreIsNotTakenUpInItsMiddle() {
        guided.present(0, false, false, at(0));
        for (int i = 0; i < 25; i++) {
            say(guided, "e");
        }
        drained(guided, at(0));
        guided.absent(at(10));

        assertThat(guided.present(0, at(20))).isEqualTo(missing(26, -1, true));
        assertThat(drained(guided, at(20))).isEmpty();
    }

    @Test
    void whoHasAcknowledgedSomethingSinceHasHeardIt() {
        guided.present(0, false, false, at(0));
        say(guided, "a", "b");
        drained(guided, at(0));
        guided.acked(2);

        assertThat(guided.present(0, true, true, at(10))).isEqualTo(Resumption.complete(1));
        assertThat(drained(guided, at(10))).containsExactly(numbered(3, "b"));
    }

    @Test
    void aCallerThatHasMoreThanWasEverSentIsNotSentALowerNumber() {
        say(guided, "a");
        drained(guided, at(0));
        guided.absent(at(0));
        say(guided, "b");

        assertThat(guided.present(50, at(10))).isEqualTo(missing(-1, -1, false));
        assertThat(guided.seq()).isEqualTo(51);
        assertThat(drained(guided, at(10))).containsExactly(numbered(52, "b"));
        guided.absent(at(20));
        assertThat(guided.present(51, at(30))).isEqualTo(Resumption.complete(1));
    }

    @Test
    void aNumberThatNoClientCanReadIsNotBelieved() {
        say(guided, "a");
        drained(guided, at(0));

        assertThat(guided.present(Long.MAX_VALUE, at(10)).recovered()).isFalse();
        assertThat(guided.seq()).isEqualTo(2);
    }

    @Test
    void aMissedGapIsNotMissedAgain() {
        for (int i = 0; i < 25; i++) {
            say(guided, "e");
        }
        drained(guided, at(0));
        guided.present(-1, at(10));
        say(guided, "f");
        drained(guided, at(10));

        assertThat(guided.present(26, at(20))).isEqualTo(Resumption.complete(1));
        assertThat(drained(guided, at(20))).containsExactly(numbered(27, "f"));
    }

    @Test
    void nothingLeavesWhileNobodyIsThere() {
        guided.absent(at(0));
        say(guided, "a");

        assertThat(drained(guided, at(10))).isEmpty();
        guided.present(0, at(20));
        assertThat(drained(guided, at(20))).containsExactly(numbered(1, "a"));
    }

    @Test
    void whatWaitsIsCountedUntilItIsSent() {
        say(guided, "a", "b");
        guided.urgent(Frame.text("{\"type\":\"c\"}"));
        assertThat(guided.waiting()).isEqualTo(3);
        drained(guided, at(0));

        assertThat(guided.waiting()).isZero();
        guided.absent(at(0));
        guided.present(0, at(10));
        assertThat(guided.waiting()).as("sent before").isZero();
    }

    @Test
    void whatWaitsForACallerWhoIsAwayHoldsTheProviderBack() {
        guided.absent(at(0));
        for (int i = 0; i < 9; i++) {
            audio(guided, "r1", "a", 1000);
        }
        assertThat(guided.isFull()).isFalse();
        audio(guided, "r1", "a", 1000);

        assertThat(guided.isFull()).isTrue();
    }

    @Test
    void theStrictFaceKeepsNothingForACallerWhoIsAway() {
        say(strict, "a");
        drained(strict, at(0));
        say(strict, "b", "c");
        strict.absent(at(10));

        assertThat(strict.present(-1, at(20)).recovered()).isFalse();
        assertThat(drained(strict, at(20))).isEmpty();
        assertThat(metrics.framesToNobody()).isEqualTo(2);
    }

    @Test
    void whatNobodyWillHearIsFreedWithWhatWasKept() {
        var frame = Frame.text("{\"type\":\"a\"}");
        guided.control(frame);
        var sent = guided.next(at(0), LOOPS.next(), () -> {});
        sent.release();
        assertThat(sent.buffer().refCnt()).isEqualTo(1);
        guided.nobodyListens();

        assertThat(sent.buffer().refCnt()).isZero();
    }

    @Test
    void anEventAboutTheConnectionGoesFirstAndCarriesTheNumberThatTheCallerHas() {
        say(guided, "a", "b", "c");
        drained(guided, at(0));
        guided.absent(at(0));
        say(guided, "d");
        guided.present(1, at(10));
        guided.aboutConnection("{\"type\":\"welcome\"}");
        guided.aboutConnection("{\"type\":\"resumed\"}");
        guided.first(Frame.text("{\"type\":\"first\"}"));

        assertThat(drained(guided, at(10)))
                .containsExactly(
                        numbered(1, "welcome"),
                        numbered(1, "resumed"),
                        numbered(2, "b"),
                        numbered(3, "c"),
                        numbered(4, "first"),
                        numbered(5, "d"));
        guided.aboutConnection("{\"type\":\"draining\"}");
        assertThat(drained(guided, at(10))).containsExactly(numbered(5, "draining"));
    }

    @Test
    void afterAGapAnEventAboutTheConnectionCarriesTheNumberFromWhichItGoesOn() {
        say(guided, "a", "b");
        drained(guided, at(0));
        guided.present(-1, at(10));
        guided.aboutConnection("{\"type\":\"resumed\"}");
        say(guided, "c");

        assertThat(drained(guided, at(10))).containsExactly(numbered(3, "resumed"), numbered(4, "c"));
    }

    @Test
    void anEventAboutAConnectionThatEndedIsForNobody() {
        say(guided, "a");
        drained(guided, at(0));
        guided.aboutConnection("{\"type\":\"draining\"}");
        guided.absent(at(0));
        guided.aboutConnection("{\"type\":\"reconnecting\"}");
        guided.present(0, at(10));

        assertThat(drained(guided, at(10))).containsExactly(numbered(1, "a"));
    }

    @Test
    void whatIsSentAgainIsNotPacedAndDoesNotCountTwice() {
        for (int i = 0; i < 30; i++) {
            audio(guided, "r1", "a", 100);
        }
        assertThat(audibleSeqs(guided, at(0))).hasSize(11);
        guided.absent(at(300));
        guided.present(3, at(5000));

        assertThat(audibleSeqs(guided, at(5000)))
                .as("8 again, and of the rest what the lead allows beyond 300 ms heard")
                .containsExactly(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
        assertThat(guided.heard(at(5100))).containsExactly(new Cut("a", 400));
    }

    @Test
    void whatWasLostOnADeadLineWasNotHeardAndIsCutWhereItIsHeardAgain() {
        for (int i = 0; i < 20; i++) {
            audio(guided, "r1", "a", 100);
        }
        for (int ms = 0; ms <= 1000; ms += 100) {
            drained(guided, at(ms));
        }
        guided.absent(at(15_000));
        guided.present(5, at(20_000));
        drained(guided, at(20_000));

        assertThat(guided.interrupt(at(20_300))).containsExactly(new Cut("a", 800));
    }

    @Test
    void anItemThatWasThoughtToBeHeardIsHeardAgainBeforeTheNext() {
        audio(guided, "r1", "a", 300);
        audio(guided, "r1", "b", 300);
        audio(guided, "r1", "c", 300);
        guided.responseDone("r1", Frame.text(Events.done("r1", "completed")));
        drained(guided, at(0));
        assertThat(guided.heard(at(700))).hasSize(3);
        audio(guided, "r2", "d", 300);
        drained(guided, at(700));
        assertThat(guided.heard(at(700))).containsExactly(new Cut("c", 100), new Cut("d", 0));
        guided.absent(at(15_000));
        guided.present(1, at(20_000));
        drained(guided, at(20_000));

        assertThat(guided.interrupt(at(20_400))).containsExactly(new Cut("c", 100), new Cut("d", 0));
    }

    @Test
    void whatTheCallerSpokeOverIsNotToBeHeardWhenItIsSentAgain() {
        for (int i = 0; i < 5; i++) {
            audio(guided, "r1", "a", 100);
        }
        drained(guided, at(0));
        guided.interrupt(at(200));
        guided.absent(at(300));
        guided.present(2, at(1000));

        assertThat(audibleSeqs(guided, at(1000))).containsExactly(3, 4, 5);
        assertThat(guided.heard(at(1100))).isEmpty();
        assertThat(guided.isQuiet(at(1000))).isTrue();
    }

    @Test
    void aBargeInDuringTheReplayEndsTheHearingButNotTheReplay() {
        for (int i = 0; i < 5; i++) {
            audio(guided, "r1", "a", 100);
        }
        drained(guided, at(0));
        guided.absent(at(100));
        guided.present(1, at(1000));
        guided.next(at(1000), LOOPS.next(), () -> {}).release();

        assertThat(guided.interrupt(at(1050))).containsExactly(new Cut("a", 150));
        assertThat(audibleSeqs(guided, at(1050))).containsExactly(3, 4, 5);
        assertThat(guided.heard(at(1100))).isEmpty();
    }

    @Test
    void aBargeInWhileTheCallerIsAwayCutsWhereItWasHeardBefore() {
        for (int i = 0; i < 5; i++) {
            audio(guided, "r1", "a", 100);
        }
        drained(guided, at(0));
        guided.absent(at(200));

        assertThat(guided.interrupt(at(5000))).containsExactly(new Cut("a", 200));
    }

    @Test
    void afterAGapTheRestOfTheAnswerIsHeardFromWhereItIsSent() {
        for (int i = 0; i < 30; i++) {
            audio(guided, "r1", "a", 100);
        }
        drained(guided, at(0));
        guided.absent(at(300));
        guided.present(-1, at(5000));

        assertThat(guided.heard(at(5000))).containsExactly(new Cut("a", 300));
        assertThat(audible(guided, at(5000))).isEqualTo(11);
        assertThat(guided.interrupt(at(5200))).containsExactly(new Cut("a", 1300));
    }

    @Test
    void itIsQuietWhenTheAnswerIsDoneAndHeard() {
        assertThat(guided.isQuiet(at(0))).isTrue();
        guided.responseBegun("r1");
        assertThat(guided.isQuiet(at(0))).isFalse();
        audio(guided, "r1", "a", 300);
        drained(guided, at(0));
        assertThat(guided.isQuiet(at(400))).as("more may come").isFalse();
        audio(guided, "r1", "a", 1500);
        guided.responseDone("r1", Frame.text(Events.done("r1", "completed")));
        assertThat(guided.isQuiet(at(400))).as("audio waits").isFalse();
        drained(guided, at(400));

        assertThat(guided.isQuiet(at(1899))).isFalse();
        assertThat(guided.isQuiet(at(1900))).isTrue();
    }

    @Test
    void itIsNotQuietWhileACallerWhoIsAwayHasSomethingToHear() {
        audio(guided, "r1", "a", 300);
        drained(guided, at(0));
        guided.absent(at(100));
        assertThat(guided.isQuiet(at(5000))).isFalse();
        guided.present(0, at(6000));
        assertThat(guided.isQuiet(at(6000))).as("to be sent again").isFalse();
        drained(guided, at(6000));

        assertThat(guided.isQuiet(at(6100))).isFalse();
        assertThat(guided.isQuiet(at(6300))).isTrue();
    }

    @Test
    void itIsQuietWhenWhatWasToBeHeardIsLost() {
        audio(guided, "r1", "a", 300);
        drained(guided, at(0));
        guided.absent(at(100));
        guided.present(-1, at(1000));

        assertThat(guided.isQuiet(at(1000))).isTrue();
    }

    @Test
    void theStrictFaceIsQuietWhenTheAnswerIsDoneAndSent() {
        strict.responseBegun("r1");
        audio(strict, "r1", "a", 5000);
        strict.responseDone("r1", Frame.text(Events.done("r1", "completed")));
        assertThat(strict.isQuiet(at(0))).isFalse();
        drained(strict, at(0));

        assertThat(strict.isQuiet(at(0))).isTrue();
    }

    private void created(ToCaller queue, String response) {
        queue.responseBegun(response);
        queue.responseCreated(response, Frame.text(Events.begun(response)));
    }

    @Test
    void theStrictFaceKnowsWhichAnswerTheClientHasHeardBegin() {
        created(strict, "r1");
        strict.responseDone("r1", Frame.text(Events.done("r1", "completed")));
        created(strict, "r2");
        drained(strict, at(0));
        assertThat(strict.takeLeftOpen()).as("its end is to come").isNull();

        strict.absent(at(0));
        strict.responseDone("r2", Frame.text(Events.done("r2", "cancelled")));
        strict.absent(at(0));

        assertThat(strict.takeLeftOpen()).isEqualTo("r2");
        assertThat(strict.takeLeftOpen()).as("told once").isNull();
    }

    @Test
    void anAnswerWhoseBeginningDidNotLeaveIsUnknownToTheClient() {
        created(strict, "r1");
        strict.absent(at(0));
        assertThat(strict.isUnknown("r1")).isTrue();

        strict.responseDone("r1", Frame.text(Events.done("r1", "cancelled")));
        assertThat(drained(strict, at(0))).isEmpty();
        assertThat(strict.takeLeftOpen()).isNull();
        created(strict, "r2");
        assertThat(drained(strict, at(0))).singleElement().asString().contains("response.created");
    }

    @Test
    void anotherClientKnowsNothingOfTheOpenAnswer() {
        created(strict, "r1");
        drained(strict, at(0));
        strict.anotherClient();

        assertThat(strict.isUnknown("r1")).isTrue();
        assertThat(strict.takeLeftOpen()).isNull();
    }

    @Test
    void aResponseIsFullySentWhenItsLastFrameIs() {
        for (var queue : List.of(guided, strict)) {
            queue.responseBegun("r1");
            assertThat(queue.openResponse()).isEqualTo("r1");
            audio(queue, "r1", "a", 1500);
            audio(queue, "r1", "a", 100);
            queue.responseDone("r1", Frame.text(Events.done("r1", "completed")));
            assertThat(queue.openResponse()).isNull();
            assertThat(queue.takeFullySent()).isEmpty();
            drained(queue, at(0));
        }

        assertThat(strict.takeFullySent()).containsExactly("r1");
        assertThat(guided.takeFullySent()).as("paced").isEmpty();
        drained(guided, at(600));
        assertThat(guided.takeFullySent()).containsExactly("r1");
        assertThat(guided.takeFullySent()).isEmpty();
    }

    @Test
    void aResponseBesideTheConversationIsNotTold() {
        guided.responseBegun("r1");
        guided.responseDone("r9", Frame.text(Events.done("r9", "completed")));
        drained(guided, at(0));

        assertThat(guided.takeFullySent()).isEmpty();
        assertThat(guided.openResponse()).isEqualTo("r1");
    }

    @Test
    void whatALostProviderSaidIsHeardToItsEnd() {
        guided.responseBegun("r1");
        for (int i = 0; i < 15; i++) {
            audio(guided, "r1", "a", 100);
        }
        guided.upstreamLost();
        assertThat(guided.openResponse()).isEqualTo("r1");
        guided.responseDone("r1", Frame.text(Events.done("r1", "failed")));

        assertThat(audible(guided, at(0))).isEqualTo(11);
        assertThat(audible(guided, at(500))).isEqualTo(4);
        assertThat(guided.takeFullySent()).containsExactly("r1");
        assertThat(guided.isQuiet(at(1500))).isTrue();
        assertThat(guided.interrupt(at(1500))).isEmpty();
    }

    @Test
    void anInterruptionEndsWithTheProviderThatWasInterrupted() {
        guided.responseBegun("r1");
        guided.interrupt(at(0));
        guided.upstreamLost();
        guided.responseDone("r1", Frame.text(Events.done("r1", "failed")));
        audio(guided, "r1", "a", 100);

        assertThat(audible(guided, at(0))).isEqualTo(1);
    }
}
