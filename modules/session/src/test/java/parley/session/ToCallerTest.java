package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.protocol.EventType;
import parley.protocol.Peek;
import parley.protocol.Wire;
import parley.session.ToCaller.Cut;
import parley.wire.Frame;
import parley.wire.Loops;

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
        return new ToCaller(
                face,
                Rig.settings(Map.of("parley.session.agent-lead", "1s", "parley.session.agent-buffer", "10s")),
                metrics);
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
            queue.event(Frame.text(Events.speechStarted("u")), EventType.INPUT_AUDIO_BUFFER_SPEECH_STARTED);
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
}
