package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parley.session.Conversations.Manner;

/** L9: alert and cap of a session, and a budget that sessions share. A response of {@link Events} costs 0.007206 USD. */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class SpendingTest {
    private static final String ONE = "0.007206";
    private Rig rig;
    private Stage stage;

    @BeforeEach
    void start() {
        rig = new Rig();
        stage = new Stage(rig);
    }

    @AfterEach
    void stop() {
        stage.close();
        rig.close();
    }

    private void may(Map<String, ?> cost) {
        rig.cost = Rig.cost(cost);
    }

    /** Beside the conversation: whatever is being answered goes on. */
    private static String aside(String event) {
        return event.replace("\"conversation_id\":\"conv_1\"", "\"conversation_id\":null");
    }

    private static String[] answer(String response, String item) {
        return new String[] {
            Events.begun(response),
            Events.audio(response, item, 100),
            Events.outputItemDone(response, Events.agentItem(item, "completed", "hi")),
            Events.done(response, "completed")
        };
    }

    @Test
    void atTheAlertAGuidedCallerIsToldOnceAndGoesOn() {
        may(Map.of("alert-usd", "0.007"));
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(answer("r1", "a1"));

        assertThat(talk.caller().hears("session.budget"))
                .contains("\"state\":\"alert\"", "\"limit\":\"session\"", "\"spent_usd\":" + ONE, "\"cap_usd\":15.0");

        talk.provider().says(answer("r2", "a2"));
        talk.provider().says(Events.plain("vendor.special"));
        var heard = new ArrayList<String>();
        do {
            heard.add(talk.caller().hears());
        } while (!heard.getLast().contains("vendor.special"));
        assertThat(heard).noneMatch(text -> text.contains("session.budget"));
        assertThat(rig.metrics.costAlerts()).isEqualTo(1);
    }

    @Test
    void atTheCapTheAnswerIsHeardAndThenTheSessionEnds() {
        may(Map.of("alert-usd", 0, "cap-usd", "0.007"));
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(answer("r1", "a1"));

        var heard = new ArrayList<String>();
        do {
            heard.add(talk.caller().hears());
        } while (!heard.getLast().contains("voice-ended"));
        assertThat(heard).anyMatch(text -> text.contains("response.output_audio.delta"));
        assertThat(heard).anyMatch(text -> text.contains("\"type\":\"session.budget\",\"state\":\"used_up\""));
        assertThat(heard.getLast()).contains("\"reason\":\"budget\"");
        assertThat(talk.caller().ended().code()).isEqualTo(4500);
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        assertThat(stage.reported.next(Stage.Reported.Over.class))
                .isEqualTo(new Stage.Reported.Over(EndReason.BUDGET, "the session's cap of 0.007 USD"));
        assertThat(rig.metrics.costCaps()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Face.class)
    void atTheCapNoFurtherTurnBegins(Face face) {
        may(Map.of("alert-usd", 0, "cap-usd", "0.007"));
        var talk = stage.talk(face);
        talk.provider().says(Events.begun("r1"));
        talk.caller().hears("response.created");
        talk.provider().says(aside(Events.begun("beside")), aside(Events.done("beside", "completed")));
        talk.caller().hears("response.done");
        assertThat(rig.meters.prometheus())
                .as("what is said beside the conversation is no answer")
                .doesNotContain("voice_answers_total{arm=\"voice\",outcome=\"completed\"} 1");

        talk.caller().says(Events.append(20), "{\"type\":\"response.create\",\"event_id\":\"mine\"}");
        assertThat(talk.caller().hears("error")).contains("\"code\":\"budget_used_up\"", "\"event_id\":\"mine\"");
        talk.caller().says("{\"type\":\"input_audio_buffer.commit\"}");
        assertThat(talk.caller().hears("error")).contains("budget_used_up");
        assertThat(talk.provider().unheard()).isZero();

        talk.provider().says(Events.done("r1", "completed"));
        assertThat(talk.caller().ended().code()).isEqualTo(4500);
    }

    @Test
    void anAnswerThatDoesNotEndIsWaitedForSoLongOnly() {
        may(Map.of("alert-usd", 0, "cap-usd", "0.007", "finish-within", "300ms"));
        var talk = stage.talk(Face.REALTIME);
        talk.provider().says(Events.begun("r1"), aside(Events.begun("b")), aside(Events.done("b", "completed")));

        assertThat(talk.caller().ended().code()).isEqualTo(4500);
    }

    @Test
    void zeroIsNoBound() {
        may(Map.of("alert-usd", 0, "cap-usd", 0));
        var talk = stage.talk(Face.VOICE);
        for (int i = 0; i < 3; i++) {
            talk.provider().says(Events.begun("r" + i), Events.done("r" + i, "completed"));
            talk.caller().hears("response.done");
        }

        assertThat(rig.metrics.costAlerts() + rig.metrics.costCaps()).isZero();
    }

    /** Facts of a session of an earlier host that has cost this much. */
    private static List<SessionEvent> spent(long micros) {
        var facts = new ArrayList<>(Stage.fresh(Face.VOICE, "usual"));
        facts.add(Facts.UPSTREAM);
        facts.add(new SessionEvent.Spent("r0", Facts.SOME, "usual", "v1", micros, Rig.NOON));
        facts.add(Facts.HANDED_OVER);
        return facts;
    }

    @Test
    void whereTheSessionMovesTheAlertIsNotToldAgainAndTheCapStillHolds() {
        may(Map.of("alert-usd", "0.005", "cap-usd", "0.009"));
        stage.goesOn(spent(7206));
        var caller = stage.sits("seat-1", Manner.MOVED, 41, null);
        var provider = rig.provider.called().taken();
        provider.says(Events.created());
        provider.says(answer("r1", "a1"));

        assertThat(caller.hears("session.budget")).contains("\"state\":\"used_up\"", "\"spent_usd\":0.014412");
        assertThat(caller.ended().code()).isEqualTo(4500);
        assertThat(rig.metrics.costAlerts()).isZero();
    }

    @Test
    void aSessionThatMovesBetweenItsCapAndItsEndEndsWhereItArrives() {
        may(Map.of("alert-usd", 0, "cap-usd", "0.007"));
        stage.goesOn(spent(7206));
        var caller = stage.sits("seat-1", Manner.MOVED, 41, null);
        var provider = rig.provider.called().taken();
        provider.says(Events.created());

        assertThat(caller.ended().code()).isEqualTo(4500);
        assertThat(stage.reported.next(Stage.Reported.Over.class).reason()).isEqualTo(EndReason.BUDGET);
    }

    @Test
    void aBudgetThatIsSharedIsToldEachCostAndEndsItsSessionsWhenItIsUsedUp() {
        may(Map.of("ask-every", "100ms"));
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(answer("r1", "a1"));
        talk.caller().hears("response.done");
        Rig.eventually(() -> rig.budget.reported.containsValue(7206L));

        rig.budget.spent = true;

        assertThat(talk.caller().hears("session.budget")).contains("\"state\":\"used_up\"", "\"limit\":\"shared\"");
        assertThat(talk.caller().ended().code()).isEqualTo(4500);
        assertThat(stage.reported.next(Stage.Reported.Over.class))
                .isEqualTo(new Stage.Reported.Over(EndReason.BUDGET, "the budget it shares"));
        assertThat(rig.metrics.budgetStops()).isEqualTo(1);
        // Once, however often it asks.
        assertThat(rig.budget.reported).isEqualTo(Map.of(Facts.ANNA, 7206L));
    }

    @Test
    void aSharedBudgetIsAskedWhenATurnBegins() {
        may(Map.of("ask-every", "1h"));
        var talk = stage.talk(Face.REALTIME);
        rig.budget.spent = true;

        talk.caller().says(Events.plain("response.create"));

        assertThat(talk.caller().hears("error")).contains("budget_used_up");
        assertThat(talk.caller().ended().code()).isEqualTo(4500);
    }

    @Test
    void aModelWhosePriceNobodyKnowsIsRefusedBeforeItIsDialled() {
        rig.prices = new Prices("v1", Map.of(), Prices.Unknown.REFUSE, null);
        stage.starts(Face.VOICE, "usual");
        var caller = stage.sits("seat-1", null);

        assertThat(caller.hears("error"))
                .contains(
                        "\"code\":\"model_without_price\"",
                        "model: usual (expected: one whose price this deployment knows)");
        assertThat(caller.ended().code()).isEqualTo(4000);
        assertThat(rig.provider.calledWithin(50)).isNull();
        assertThat(stage.reported.next(Stage.Reported.Over.class).reason()).isEqualTo(EndReason.PROVIDER_REFUSED);
    }
}
