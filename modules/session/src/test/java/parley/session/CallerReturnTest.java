package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.session.Conversations.Manner;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.AnswerEnded;
import parley.session.Stage.Reported;

/**
 * The caller's line is lost, and the caller comes back.
 *
 * <p>B3, R7: who comes back goes on, and is told the truth.
 */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class CallerReturnTest {
    private static final String WELCOME = "{\"type\":\"voice-welcome\"}";

    private static Rig rig;
    private final Stage stage = new Stage(rig);
    private final Reported reported = stage.reported;

    @BeforeAll
    static void start() {
        rig = new Rig(Map.of("parley.session.replay.events", 20));
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    @AfterEach
    void end() {
        stage.close();
    }

    private static long seqOf(String event) {
        return Long.parseLong(event.replaceFirst("^\\{\"seq\":(\\d+),.*", "$1"));
    }

    private Stage.Talk inTheMiddleOfAnAnswer(Face face) {
        var talk = stage.talk(face);
        talk.provider()
                .says(
                        Events.itemDone(Events.userItem("u", "hello")),
                        Events.begun("r1"),
                        Events.words("r1", "a", "one two three four five six"),
                        Events.audio("r1", "a", 200),
                        Events.audio("r1", "a", 200),
                        Events.audio("r1", "a", 200));
        for (int i = 0; i < 3; i++) {
            talk.caller().hears("response.output_audio.delta");
        }
        return talk;
    }

    private void leaves(FakePort caller) {
        caller.hangsUp(1006, "");
        reported.next(Reported.CallerEnded.class);
    }

    private void isCompleteWhenItsCallerLeaves(Stage.Talk talk) {
        talk.caller().stopsReading();
        talk.provider()
                .says(
                        Events.outputItemDone("r1", Events.agentItem("a", "completed", "one two three four five six")),
                        Events.done("r1", "completed"));
        stage.eventually(() -> !reported.journaled(SessionEvent.Spent.class).isEmpty());
        leaves(talk.caller());
    }

    private static void cancelled(FakePort provider) {
        var item = Events.agentItem("a", "incomplete", "one two three four five six");
        provider.says(Events.outputItemDone("r1", item), Events.itemDone(item), Events.done("r1", "cancelled"));
    }

    /** F5: on a line with acks each message that was taken is named, ahead of what waits. */
    @Test
    void eachMessageThatIsTakenIsAcknowledgedToWhoeverWantsIt() {
        var talk = stage.talk(Face.VOICE);
        talk.caller().hangsUp(1006, "");
        var caller =
                stage.takes("seat-2", new Conversations.Seat(talk.conversation(), Manner.BACK, 9, 1, WELCOME, true));
        caller.hears("session.created");

        caller.says(
                Events.append(20),
                "{\"type\":\"response.create\",\"event_id\":\"mine\"}",
                "{\"type\":\"ping\"}",
                "{\"type\":\"playback\",\"item_id\":\"a\",\"played_ms\":1}",
                "{\"type\":\"ack\",\"seq\":1}",
                "{no",
                "{\"type\":\"no.such\\\"event\"}");

        var heard = new java.util.ArrayList<String>();
        for (int i = 0; i < 6; i++) {
            heard.add(caller.hears().replaceFirst("\\{\"seq\":\\d+,", "{"));
        }
        assertThat(heard)
                .filteredOn(event -> event.contains("\"ack\""))
                .containsExactly(
                        "{\"type\":\"ack\",\"acked\":\"input_audio_buffer.append\"}",
                        "{\"type\":\"ack\",\"acked\":\"response.create\",\"event_id\":\"mine\"}",
                        "{\"type\":\"ack\",\"acked\":\"playback\"}",
                        "{\"type\":\"ack\",\"acked\":\"no.such\\\"event\"}");
        assertThat(heard).contains("{\"type\":\"pong\"}").anyMatch(event -> event.contains("invalid_event"));
        assertThat(talk.provider().hears("response.create")).contains("mine");
    }

    @Test
    void whoDoesNotTakeItsAcksMaySayNoMore() {
        var talk = stage.talk(Face.VOICE);
        talk.caller().hangsUp(1006, "");
        var caller =
                stage.takes("seat-2", new Conversations.Seat(talk.conversation(), Manner.BACK, 9, 1, WELCOME, true));
        caller.hears("session.created");
        caller.stopsReading();
        for (int i = 0; i < 100; i++) {
            caller.says("{\"type\":\"playback\",\"item_id\":\"a\",\"played_ms\":1}");
        }
        caller.says("{\"type\":\"ping\"}");
        Rig.eventually(() -> caller.untaken() > 0 && caller.untaken() < 101);

        caller.readsOn();

        for (int i = 0; i < 100; i++) {
            assertThat(caller.hears()).contains("\"acked\":\"playback\"");
        }
        assertThat(caller.hears()).contains("pong");
    }

    @Test
    void theStrictCallersAnswerIsStoppedAndGoneOnWithWhenItIsBack() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);
        leaves(talk.caller());
        assertThat(talk.provider().hears()).contains("response.cancel");
        cancelled(talk.provider());
        stage.eventually(() -> !reported.journaled(AgentCut.class).isEmpty());

        var again = stage.sits("seat-2", Manner.BACK, -1, null);

        assertThat(again.hears()).contains("session.created");
        assertThat(again.hears()).contains("conversation.item.added", "\"u\"");
        assertThat(again.hears()).contains("conversation.item.done", "\"u\"");
        assertThat(again.hears()).contains("conversation.item.added", "\"a\"");
        assertThat(again.hears()).contains("conversation.item.done", "\"a\"", "incomplete");
        var asked = talk.provider().hears();
        if (asked.contains("\"role\":\"system\"")) {
            asked = talk.provider().hears();
        }
        assertThat(asked).contains("response.create");
        talk.provider().says(Events.begun("r2"));
        assertThat(again.hears()).contains("response.created", "r2");
        again.says(Events.append(20));
        assertThat(talk.provider().hears()).as("asked once").isEqualTo(Events.append(20));
    }

    @Test
    void theStrictCallerWhoIsBackBeforeTheAnswerHasStoppedHearsOnlyTheNext() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);
        leaves(talk.caller());
        assertThat(talk.provider().hears()).contains("response.cancel");
        var again = stage.sits("seat-2", Manner.BACK, -1, null);
        again.hears("session.created");
        reported.next(Reported.Seated.class);
        again.hears("conversation.item.done");
        talk.provider().says(Events.words("r1", "a", "seven"));
        cancelled(talk.provider());

        talk.provider().hears("response.create");
        talk.provider().says(Events.begun("r2"), Events.words("r2", "b", "one"), Events.done("r2", "completed"));
        assertThat(again.hears()).as("its item, as in the history").contains("conversation.item.added", "\"a\"");
        assertThat(again.hears()).contains("conversation.item.done", "\"a\"", "incomplete");
        assertThat(again.hears()).as("nothing of what it has not heard begin").contains("response.created", "r2");
        assertThat(again.hears()).contains("transcript.delta", "r2");
        assertThat(again.hears()).contains("response.done", "r2");
    }

    /** What was lost on the way between two nodes is no client's to ask for: who saw an answer begin sees it end. */
    @Test
    void theStrictCallerWhoseLineIsLostOnTheWayHearsTheEndOfWhatItHeardBegin() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);
        leaves(talk.caller());
        assertThat(talk.provider().hears()).contains("response.cancel");
        cancelled(talk.provider());
        stage.eventually(() -> !reported.journaled(SessionEvent.Spent.class).isEmpty());

        var again = stage.sits("seat-1", Manner.MOVED, -1, null);

        assertThat(again.hears()).contains("response.done", "\"r1\"", "failed", "upstream_lost");
        talk.provider().hears("response.create");
        talk.provider().says(Events.begun("r2"));
        assertThat(again.hears()).contains("response.created", "r2");
    }

    @Test
    void theStrictCallerWhoseLineIsBackInTimeHearsTheEndOnce() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);
        leaves(talk.caller());
        assertThat(talk.provider().hears()).contains("response.cancel");

        var again = stage.sits("seat-1", Manner.MOVED, -1, null);
        reported.next(Reported.Seated.class);
        cancelled(talk.provider());

        assertThat(again.hears()).contains("response.output_item.done", "\"a\"");
        assertThat(again.hears()).contains("conversation.item.done", "\"a\"");
        assertThat(again.hears()).contains("response.done", "\"r1\"", "cancelled");
        talk.provider().hears("response.create");
        talk.provider().says(Events.begun("r2"));
        assertThat(again.hears()).contains("response.created", "r2");
    }

    @Test
    void theStrictCallerWhoseLineIsLostBehindAWholeAnswerHearsThatItHasEnded() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);
        isCompleteWhenItsCallerLeaves(talk);

        var again = stage.sits("seat-1", Manner.MOVED, -1, null);

        assertThat(again.hears()).contains("response.done", "\"r1\"", "cancelled");
    }

    @Test
    void anAnswerThatBeganWhileTheStrictCallersLineWasLostIsNotHeardToEnd() {
        var talk = stage.talk(Face.REALTIME);
        talk.provider().says(Events.itemDone(Events.userItem("u", "hello")));
        talk.caller().hears("conversation.item.done");
        talk.caller().says(Events.plain("response.create"));
        talk.provider().hears("response.create");
        leaves(talk.caller());
        talk.provider().says(Events.begun("r1"));
        assertThat(talk.provider().hears()).contains("response.cancel");

        var again = stage.sits("seat-1", Manner.MOVED, -1, null);
        reported.next(Reported.Seated.class);
        talk.provider().says(Events.done("r1", "cancelled"));

        talk.provider().hears("response.create");
        talk.provider().says(Events.begun("r2"));
        assertThat(again.hears()).contains("response.created", "r2");
    }

    @Test
    void anAnswerThatBeginsWhileTheStrictCallerIsAwayWaitsForIt() {
        var talk = stage.talk(Face.REALTIME);
        talk.provider().says(Events.itemDone(Events.userItem("u", "hello")), Events.plain("vendor.special"));
        talk.caller().hears("vendor.special");
        talk.caller().says(Events.plain("response.create"));
        talk.provider().hears("response.create");
        leaves(talk.caller());
        talk.provider().says(Events.begun("r1"));

        assertThat(talk.provider().hears()).contains("response.cancel");
        talk.provider().says(Events.done("r1", "cancelled"));
        stage.settle();
        var again = stage.sits("seat-2", Manner.BACK, -1, null);
        again.hears("session.created");
        assertThat(talk.provider().hears("response.create")).isNotNull();
    }

    @Test
    void anAnswerThatWasCompleteWhenTheStrictCallerLeftIsNotGivenAgain() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);
        isCompleteWhenItsCallerLeaves(talk);
        stage.eventually(() -> !reported.journaled(AnswerEnded.class).isEmpty());
        var again = stage.sits("seat-2", Manner.BACK, -1, null);
        again.hears("session.created");
        reported.next(Reported.Seated.class);

        again.says(Events.append(20));
        assertThat(talk.provider().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void aStrictCallerWhoTakesItsOwnPlaceGetsTheAnswerAnew() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);

        var again = stage.sits("seat-2", Manner.BACK, -1, null);

        assertThat(talk.caller().ended().code()).isEqualTo(4001);
        assertThat(talk.provider().hears()).contains("response.cancel");
        talk.provider().says(Events.audio("r1", "a", 200));
        cancelled(talk.provider());
        again.hears("session.created");
        talk.provider().hears("response.create");
        talk.provider().says(Events.begun("r2"), Events.audio("r2", "b", 100));
        assertThat(again.hears("response.output_audio.delta")).contains("\"r2\"");
    }

    @Test
    void theGuidedCallerGetsWhatItMissedAndNothingTwice() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        leaves(talk.caller());
        talk.provider().says(Events.audio("r1", "a", 200), Events.plain("vendor.special"));
        stage.settle();
        assertThat(talk.provider().unheard()).as("the answer goes on").isZero();

        // It has everything up to the words, and nothing of the audio.
        var again = stage.sits("seat-2", Manner.BACK, 4, WELCOME);

        var welcome = again.hears();
        assertThat(welcome).contains("voice-welcome");
        var resumed = again.hears();
        assertThat(resumed).contains("session.resumed", "\"recovered\":true", "\"epoch\":1", "\"replayed\":3");
        assertThat(again.hears()).contains("session.created");
        assertThat(List.of(seqOf(welcome), seqOf(resumed))).containsExactly(4L, 4L);
        for (long seq = 5; seq <= 7; seq++) {
            var audio = again.hears();
            assertThat(audio).contains("response.output_audio.delta");
            assertThat(seqOf(audio)).isEqualTo(seq);
        }
        var last = again.hears();
        assertThat(last).contains("response.output_audio.delta");
        var special = again.hears();
        assertThat(special).contains("vendor.special");
        assertThat(List.of(seqOf(last), seqOf(special))).containsExactly(8L, 9L);
        assertThat(reported.journaled(AgentSaid.class)).isEmpty();
    }

    @Test
    void theGuidedCallerWhoMissedTooMuchGetsTheHistory() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        for (int i = 0; i < 30; i++) {
            talk.provider().says(Events.plain("vendor.special"));
            talk.caller().hears("vendor.special");
        }
        leaves(talk.caller());

        var again = stage.sits("seat-2", Manner.BACK, 3, WELCOME);

        assertThat(again.hears()).contains("voice-welcome");
        var resumed = again.hears();
        assertThat(resumed)
                .contains("session.resumed", "\"recovered\":false", "\"reason\":\"window_exceeded\"", "\"events\":34");
        assertThat(again.hears()).contains("session.created");
        var added = again.hears();
        assertThat(added).contains("conversation.item.added", "\"u\"");
        assertThat(seqOf(added)).as("goes on above what the caller has").isEqualTo(seqOf(resumed) + 1);
        assertThat(again.hears()).contains("conversation.item.done", "\"u\"");
    }

    @Test
    void aSeatThatWasGivenEarlierDoesNotTakeTheNewerOnesPlace() {
        var talk = stage.talk(Face.VOICE);
        var late = new Conversations.Seat(talk.conversation(), Manner.BACK, 2, 1, WELCOME, false);
        var newer = new Conversations.Seat(talk.conversation(), Manner.BACK, 3, 1, WELCOME, false);
        var present = Rig.await(talk.conversation().seat("seat-3", newer));
        var line = Rig.await(talk.conversation().seat("seat-2", late));

        assertThat(Rig.await(line.closed()).code()).isEqualTo(4001);
        present.close(1006, "");
    }

    @Test
    void aTurnThatIsSpokenWhileTheGuidedCallersLineIsLostGoesOn() {
        var talk = stage.talk(Face.VOICE);
        talk.caller().says(Events.append(100));
        talk.provider().hears();
        leaves(talk.caller());
        var again = stage.sits("seat-2", Manner.BACK, 1, WELCOME);
        again.says(Events.append(100));

        assertThat(talk.provider().hears()).isEqualTo(Events.append(100));
    }
}
