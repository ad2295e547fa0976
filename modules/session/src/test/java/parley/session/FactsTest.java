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
import parley.session.SessionEvent.UserSaid;
import parley.session.Stage.Reported;

/** The journal is slow, away or back: facts wait, in order, and each is written once. */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class FactsTest {
    private static Rig rig;
    private Stage stage = new Stage(rig);

    @BeforeAll
    static void start() {
        rig = new Rig();
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    @AfterEach
    void end() {
        stage.close();
    }

    private Stage.Talk talk(Map<String, ?> overrides) {
        stage.close();
        stage = new Stage(rig, Rig.settings(overrides), rig.provider);
        return stage.talk(Face.VOICE);
    }

    private static void saysTurns(Stage.Talk talk, int from, int to) {
        for (int i = from; i < to; i++) {
            talk.provider().says(Events.itemDone(Events.userItem("u" + i, "hello")));
            talk.caller().hears("conversation.item.done");
        }
    }

    @Test
    void oneBatchIsUnderWayAndTheConversationGoesOn() {
        var talk = talk(Map.of());
        stage.reported.goesAway();
        saysTurns(talk, 0, 5);
        talk.provider().says(Events.plain("vendor.special"));
        talk.caller().hears("vendor.special");

        assertThat(stage.reported.all.stream().filter(Unwritten.Batch.class::isInstance))
                .last()
                .satisfies(
                        batch -> assertThat(((Unwritten.Batch) batch).facts()).hasSize(1));
        stage.reported.comesBack();
        stage.eventually(() -> stage.reported.journaled(UserSaid.class).size() == 5);
        assertThat(stage.reported.journaled(UserSaid.class))
                .extracting(UserSaid::itemId)
                .containsExactly("u0", "u1", "u2", "u3", "u4");
    }

    @Test
    void whatIsToldAgainIsTheSameBatch() {
        var talk = talk(Map.of());
        stage.reported.goesAway();
        saysTurns(talk, 0, 2);
        stage.reported.comesBack();
        stage.eventually(() -> stage.reported.journaled(UserSaid.class).size() == 2);

        var batches = stage.reported.all.stream()
                .filter(Unwritten.Batch.class::isInstance)
                .map(Unwritten.Batch.class::cast)
                .filter(batch -> batch.facts().stream().anyMatch(UserSaid.class::isInstance))
                .toList();
        assertThat(batches).hasSize(3);
        assertThat(batches.get(1)).isEqualTo(batches.get(0));
        assertThat(batches.get(2).number()).isEqualTo(batches.get(0).number() + 1);
    }

    @Test
    void aJournalThatStaysAwayEndsTheSessionPolitely() {
        var talk = talk(Map.of("parley.session.journal-outage", "300ms"));
        stage.reported.goesAway();
        saysTurns(talk, 0, 1);

        assertThat(talk.caller().hears("voice-ended")).contains("journal_lost");
        assertThat(talk.caller().ended().code()).isEqualTo(1013);
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        assertThat(stage.reported.next(Reported.Over.class).reason()).isEqualTo(EndReason.JOURNAL_LOST);
        stage.reported.comesBack();
        stage.eventually(() -> stage.reported.journaled(UserSaid.class).size() == 1);
        assertThat(stage.reported.next(Reported.Over.class).reason())
                .as("told again")
                .isEqualTo(EndReason.JOURNAL_LOST);
    }

    @Test
    void aJournalThatComesBackInTimeEndsNothing() {
        var talk = talk(Map.of("parley.session.journal-outage", "2s"));
        for (int i = 0; i < 3; i++) {
            stage.reported.goesAway();
            saysTurns(talk, 2 * i, 2 * i + 2);
            assertThat(rig.provider.calledWithin(900)).isNull();
            stage.reported.comesBack();
            int written = 2 * i + 2;
            stage.eventually(() -> stage.reported.journaled(UserSaid.class).size() == written);
        }

        talk.provider().says(Events.plain("vendor.special"));
        assertThat(talk.caller().hears()).contains("vendor.special");
    }

    @Test
    void tooManyFactsEndTheSession() {
        var talk = talk(Map.of("parley.session.unwritten-facts", 10));
        stage.reported.goesAway();
        for (int i = 0; i < 11; i++) {
            talk.provider().says(Events.itemDone(Events.userItem("u" + i, "hello")));
        }

        assertThat(talk.caller().ended().code()).isEqualTo(1013);
        assertThat(stage.reported.next(Reported.Over.class).reason()).isEqualTo(EndReason.JOURNAL_LOST);
    }

    @Test
    void aToolIsExecutedWhenItsCallIsWrittenAndNotBefore() {
        var talk = talk(Map.of());
        stage.reported.goesAway();
        saysTurns(talk, 0, 1);
        talk.provider().says(Events.begun("r1"), Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")));
        talk.caller().hears("response.output_item.done");
        stage.settle();
        assertThat(stage.reported.all).noneMatch(Reported.Call.class::isInstance);

        stage.reported.comesBack();

        assertThat(stage.reported.next(Reported.Call.class)).isEqualTo(new Reported.Call("call_1", "time", "{}"));
        assertThat(stage.reported.journaled(SessionEvent.ToolCalled.class)).hasSize(1);
    }

    @Test
    void anEntityThatBeginsAnewLearnsWhoIsThere() {
        var talk = talk(Map.of());
        stage.reported.next(Reported.Seated.class);
        stage.reported.comesBack();
        assertThat(stage.reported.next(Reported.Seated.class)).isEqualTo(new Reported.Seated("seat-1"));

        talk.caller().hangsUp(1000, "");
        assertThat(stage.reported.next(Reported.CallerEnded.class)).isEqualTo(new Reported.CallerEnded("seat-1", 1000));
        stage.reported.comesBack();
        assertThat(stage.reported.next(Reported.CallerEnded.class))
                .as("it may not have heard it")
                .isEqualTo(new Reported.CallerEnded("seat-1", 1000));
    }

    @Test
    void inTheStateWhatIsToldTwiceIsWrittenOnce() {
        var told = new SessionEvent.Told(1, List.of(Facts.USER_SAID, Facts.SPENT), Rig.NOON);

        var once = (SessionState.Live)
                Stage.state(Stage.fresh(Face.VOICE, "usual")).after(told);

        assertThat(once.costMicros()).isEqualTo(Facts.SPENT.costMicros());
        assertThat(once.after(told)).isEqualTo(once);
        assertThat(once.hosting().told()).isEqualTo(1);
        var next = (SessionState.Live) once.after(new SessionEvent.Hosted("next", Rig.NOON));
        assertThat(next.hosting().told()).as("each host counts for itself").isZero();
    }
}
