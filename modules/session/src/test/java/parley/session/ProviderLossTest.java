package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.protocol.Item;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.AnswerEnded;
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.UserSaid;
import parley.session.Stage.Reported;
import parley.wire.WebSocketClose;

/**
 * The provider is lost, refuses, falls silent or grows old, and the conversation goes on.
 *
 * <p>B11, B12: a provider that is lost, mute or too old.
 */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class ProviderLossTest {
    private static final int LOST = WebSocketClose.LOST;

    private static Rig rig;
    private Stage stage = new Stage(rig);
    private final Reported reported = stage.reported;

    @BeforeAll
    static void start() {
        rig = new Rig(stallAfter("60s"));
    }

    private static Map<String, ?> stallAfter(String time) {
        return Map.of(
                "parley.session.created-wait", "60s",
                "parley.session.stall-after", time,
                "parley.session.redial.first-backoff", "10ms",
                "parley.session.redial.max-backoff", "40ms",
                "parley.session.redial.attempts", 4);
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    @AfterEach
    void end() {
        stage.close();
        rig.second.forget();
    }

    /** The next provider has taken the call. Nothing was said before. */
    private static FakePort next() {
        var line = rig.provider.called().taken();
        line.says(Events.created());
        return line;
    }

    /** A question that was heard, and the beginning of its answer: 300 ms, three words. */
    private Stage.Talk inTheMiddleOfAnAnswer(Face face) {
        var talk = stage.talk(face);
        talk.provider()
                .says(
                        Events.itemDone(Events.userItem("u", "hello")),
                        Events.begun("r1"),
                        Events.words("r1", "a", "one two three"),
                        Events.audio("r1", "a", 100),
                        Events.audio("r1", "a", 100),
                        Events.audio("r1", "a", 100));
        for (int i = 0; i < 3; i++) {
            talk.caller().hears("response.output_audio.delta");
        }
        return talk;
    }

    private static String roleOf(Item item) {
        return ((Item.Message) item).role().name();
    }

    @Test
    void anAnswerThatIsCutIsGoneOnWithByTheNextProvider() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.provider().hangsUp(LOST, "");

        assertThat(talk.caller().hears("response.done"))
                .contains("\"id\":\"r1\"", "\"status\":\"failed\"", "upstream_lost");
        var told = Stage.taken(rig.provider, 2);
        assertThat(told.items()).extracting(ProviderLossTest::roleOf).containsExactly("USER", "ASSISTANT");
        assertThat(told.items()).extracting(Item::id).containsExactly("u", "a");
        assertThat(told.line().hears()).contains("\"role\":\"system\"", "one two three");
        assertThat(told.line().hears()).contains("\"type\":\"response.create\"");
        assertThat(talk.caller().hears())
                .contains(
                        "session.restored", "\"cause\":\"provider_lost\"", "\"kind\":\"answer\"", "\"item_id\":\"a\"");

        told.line()
                .says(
                        Events.begun("r2"),
                        Events.outputItemDone("r2", Events.agentItem("b", "completed", "four")),
                        Events.done("r2", "completed"));
        assertThat(talk.caller().hears("response.done")).contains("\"id\":\"r2\"", "completed");
        stage.eventually(() -> reported.journaled(AnswerEnded.class).size() == 1);
        assertThat(reported.journaled(AnswerEnded.class))
                .extracting(AnswerEnded::responseId)
                .containsExactly("r2");
        assertThat(reported.journaled(AgentSaid.class))
                .extracting(AgentSaid::itemId, AgentSaid::text)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("a", "one two three"),
                        org.assertj.core.groups.Tuple.tuple("b", "four"));
    }

    @Test
    void theNoteAboutTheFaultIsNoBusinessOfTheCaller() {
        var talk = inTheMiddleOfAnAnswer(Face.REALTIME);
        talk.provider().hangsUp(LOST, "");
        talk.caller().hears("response.done");
        var told = Stage.taken(rig.provider, 2);
        var note = told.line().hears();
        assertThat(note).contains("\"role\":\"system\"");
        told.line().says(Events.itemDone(Stage.itemOf(note)), Events.plain("vendor.special"));

        assertThat(talk.caller().hears()).contains("vendor.special");
    }

    @Test
    void whatWasGeneratedBeforeTheCutIsStillHeard() {
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.begun("r1"));
        for (int i = 0; i < 20; i++) {
            talk.provider().says(Events.audio("r1", "a", 100));
        }
        talk.caller().hears("response.output_audio.delta");
        talk.provider().hangsUp(LOST, "");

        for (int i = 0; i < 19; i++) {
            talk.caller().hears("response.output_audio.delta");
        }
        assertThat(talk.caller().hears("response.done")).contains("failed");
        assertThat(reported.journaled(AgentSaid.class))
                .extracting(AgentSaid::generatedMs)
                .containsExactly(2000L);
        next();
    }

    @Test
    void aTurnThatIsBeingSpokenIsToldAgainAndNoAnswerAskedFor() {
        var talk = stage.talk(Face.VOICE);
        talk.caller().says(Events.append('a', 100), Events.append('b', 100));
        talk.provider().hears();
        talk.provider().hears();
        talk.provider().says(Events.speechStarted("u1"));
        talk.caller().hears("input_audio_buffer.speech_started");
        talk.caller().says(Events.append('c', 100));
        talk.provider().hears();
        talk.provider().hangsUp(LOST, "");
        var next = next();
        talk.caller().says(Events.append('d', 100));

        for (char sound : "abcd".toCharArray()) {
            assertThat(next.hears()).isEqualTo(Events.append(sound, 100));
        }
        next.says(
                Events.speechStarted("u2"),
                Events.speechStopped("u2"),
                Events.committed("u2"),
                Events.itemDone(Events.spokenItem("u2")),
                Events.begun("r1"));
        talk.caller().hears("response.created");
        assertThat(next.unheard()).isZero();
        assertThat(reported.journaled(UserSaid.class))
                .extracting(UserSaid::itemId)
                .containsExactly("u2");
    }

    @Test
    void aTurnThatWasCommittedAndIsNoItemYetIsToldAgainAndItsAnswerNotAskedForTwice() {
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.speechStarted("u1"));
        talk.caller().hears("input_audio_buffer.speech_started");
        talk.caller().says(Events.append('a', 100), Events.append('b', 100));
        talk.provider().hears();
        talk.provider().hears();
        talk.provider().says(Events.speechStopped("u1"), Events.committed("u1"));
        talk.caller().hears("input_audio_buffer.committed");
        talk.provider().hangsUp(LOST, "");
        var next = next();

        assertThat(next.hears()).isEqualTo(Events.append('a', 100));
        assertThat(next.hears()).isEqualTo(Events.append('b', 100));
        talk.caller().says(Events.append('c', 100));
        assertThat(next.hears()).as("nothing is asked for").isEqualTo(Events.append('c', 100));
    }

    @Test
    void aTurnThatIsAnItemIsToldAsHistoryAndItsAnswerAskedFor() {
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.speechStarted("u1"));
        talk.caller().hears("input_audio_buffer.speech_started");
        talk.caller().says(Events.append('a', 100));
        talk.provider().hears();
        talk.provider()
                .says(
                        Events.speechStopped("u1"),
                        Events.committed("u1"),
                        Events.itemDone(Events.spokenItem("u1")),
                        Events.transcribed("u1", "what time is it"));
        talk.caller().hears("conversation.item.input_audio_transcription.completed");
        talk.provider().hangsUp(LOST, "");

        var told = Stage.taken(rig.provider, 1);
        assertThat(told.items()).extracting(Item::id).containsExactly("u1");
        assertThat(told.line().hears()).contains("response.create");
        talk.caller().says(Events.append('b', 100));
        assertThat(told.line().hears()).as("not spoken again").isEqualTo(Events.append('b', 100));
    }

    @Test
    void aTurnThatIsAnItemWithoutWordsIsSpokenAgainAndTheItemTakenBack() {
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.speechStarted("u1"));
        talk.caller().hears("input_audio_buffer.speech_started");
        talk.caller().says(Events.append('a', 100));
        talk.provider().hears();
        talk.provider()
                .says(Events.speechStopped("u1"), Events.committed("u1"), Events.itemDone(Events.spokenItem("u1")));
        talk.caller().hears("conversation.item.done");
        talk.provider().hangsUp(LOST, "");
        var next = next();

        assertThat(talk.caller().hears("conversation.item.deleted")).contains("\"item_id\":\"u1\"");
        assertThat(next.hears()).isEqualTo(Events.append('a', 100));
        talk.caller().says(Events.append('b', 100));
        assertThat(next.hears()).as("nothing is asked for").isEqualTo(Events.append('b', 100));
        stage.eventually(() -> !reported.journaled(ItemDeleted.class).isEmpty());
        assertThat(reported.journaled(ItemDeleted.class))
                .extracting(ItemDeleted::itemId)
                .containsExactly("u1");
    }

    @Test
    void pushedToTalkACommittedTurnIsCommittedAgain() {
        stage.starts(Face.REALTIME, "usual");
        var caller = stage.sits("seat-1", null);
        var provider = rig.provider.called().taken();
        var pushed = Events.created().replaceFirst("\\{\"type\":\"server_vad\"[^}]*\\}", "null");
        provider.says(pushed);
        caller.hears("session.created");
        caller.says(
                Events.append('a', 100), Events.plain("input_audio_buffer.commit"), Events.plain("response.create"));
        provider.hears("response.create");
        provider.says(Events.committed("u1"));
        caller.hears("input_audio_buffer.committed");
        provider.hangsUp(LOST, "");
        var next = rig.provider.called().taken();
        next.says(pushed);

        assertThat(next.hears()).isEqualTo(Events.append('a', 100));
        assertThat(next.hears()).contains("input_audio_buffer.commit");
        assertThat(next.hears()).contains("response.create");
    }

    @Test
    void pushedToTalkACommitThatNobodyConfirmedIsSaidAgain() {
        stage.starts(Face.REALTIME, "usual");
        var caller = stage.sits("seat-1", null);
        var provider = rig.provider.called().taken();
        var pushed = Events.created().replaceFirst("\\{\"type\":\"server_vad\"[^}]*\\}", "null");
        provider.says(pushed);
        caller.hears("session.created");
        caller.says(
                Events.append('a', 100), Events.plain("input_audio_buffer.commit"), Events.plain("response.create"));
        provider.hears("response.create");
        provider.hangsUp(LOST, "");
        var next = rig.provider.called().taken();
        next.says(pushed);

        assertThat(next.hears()).isEqualTo(Events.append('a', 100));
        assertThat(next.hears()).contains("input_audio_buffer.commit");
        assertThat(next.hears()).contains("response.create");
    }

    @Test
    void whatWasWrittenAndNobodyTookIsToldAgain() {
        var talk = stage.talk(Face.REALTIME);
        var written = "{\"type\":\"conversation.item.create\",\"item\":" + Events.userItem("u1", "hello") + "}";
        talk.caller().says(written, Events.plain("response.create"));
        talk.provider().hears("response.create");
        talk.provider().hangsUp(LOST, "");
        var next = next();

        assertThat(next.hears()).isEqualTo(written);
        assertThat(next.hears()).contains("response.create");
        next.says(Events.itemDone(Events.userItem("u1", "hello")));
        talk.caller().hears("conversation.item.done");
        next.hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 1);
        assertThat(told.items()).extracting(Item::id).containsExactly("u1");
        assertThat(told.line().hears()).contains("response.create");
    }

    @Test
    void whatWaitsForASlowProviderIsToldTheNextOneOnce() {
        var talk = stage.talk(Face.REALTIME);
        talk.provider().stopsReading();
        var written = "{\"type\":\"conversation.item.create\",\"item\":" + Events.userItem("u1", "hello") + "}";
        talk.caller().says(written, Events.plain("response.create"), "{\"type\":\"vendor.mark\"}");
        talk.provider().says(Events.plain("vendor.special"));
        talk.caller().hears("vendor.special");
        talk.provider().hangsUp(LOST, "");
        var next = next();

        assertThat(next.hears()).isEqualTo(written);
        assertThat(next.hears()).isEqualTo(Events.plain("response.create"));
        assertThat(next.hears()).contains("vendor.mark");
        talk.caller().says(Events.append(20));
        assertThat(next.hears()).isEqualTo(Events.append(20));
    }

    private static final String UPDATE =
            "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"instructions\":\"kind\"}}";

    @Test
    void aConfigurationThatNobodyTookIsToldAgain() {
        var talk = stage.talk(Face.REALTIME);
        talk.caller().says(UPDATE);
        assertThat(talk.provider().hears()).isEqualTo(UPDATE);
        talk.provider().hangsUp(LOST, "");
        var next = next();

        assertThat(next.hears()).isEqualTo(UPDATE);
        talk.caller().says(Events.append(20));
        assertThat(next.hears()).as("told once").isEqualTo(Events.append(20));
    }

    @Test
    void aConfigurationThatWasTakenIsPartOfTheOpeningAndNotToldAgain() {
        var talk = stage.talk(Face.REALTIME);
        var kind = Events.updated().replace("\"model\"", "\"instructions\":\"kind\",\"model\"");
        talk.caller().says(UPDATE);
        talk.provider().hears("session.update");
        talk.provider().says(kind);
        talk.caller().hears("session.updated");
        talk.provider().hangsUp(LOST, "");
        var next = next();

        assertThat(next.hears()).contains("session.update", "parley_opening", "kind");
        next.says(kind);
        talk.caller().says(Events.append(20));
        assertThat(next.hears()).as("told once").isEqualTo(Events.append(20));
    }

    @Test
    void betweenTwoTurnsTheCallerNoticesNothing() {
        var talk = stage.talk(Face.VOICE);
        talk.provider()
                .says(
                        Events.itemDone(Events.userItem("u", "hello")),
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.agentItem("a", "completed", "hi")),
                        Events.done("r1", "completed"));
        talk.caller().hears("response.done");
        stage.eventually(() -> !reported.journaled(AnswerEnded.class).isEmpty());
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 2);
        told.line().says(Events.plain("vendor.special"));

        assertThat(talk.caller().hears()).contains("vendor.special");
        talk.caller().says(Events.append(20));
        assertThat(told.line().hears()).isEqualTo(Events.append(20));
    }

    /** R1: what the provider had said to its end is heard, and not said twice. */
    @Test
    void anAnswerOfWhichOnlyTheLastWordIsMissingIsNotBegunAgain() {
        var talk = stage.talk(Face.REALTIME);
        talk.provider()
                .says(
                        Events.itemDone(Events.userItem("u", "hello")),
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.agentItem("a", "completed", "hi")));
        talk.caller().hears("response.output_item.done");
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 2);

        assertThat(talk.caller().hears("response.done")).contains("completed");
        talk.caller().says(Events.append(20));
        assertThat(told.line().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void anAnswerThatTheCallerHasSpokenOverIsNotBegunAgain() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.provider().says(Events.speechStarted("u2"));
        talk.caller().hears("input_audio_buffer.speech_started");
        talk.provider().hears("conversation.item.truncate");
        talk.caller().says(Events.append('x', 100));
        talk.provider().hears();
        talk.provider().hangsUp(LOST, "");
        assertThat(talk.caller().hears("response.done")).contains("cancelled");
        var told = Stage.taken(rig.provider, 1);

        var first = told.line().hears();
        if (first.contains("conversation.item.create")) {
            assertThat(first).contains("\"a\"");
            told.line().says(Events.itemDone(Stage.itemOf(first)));
            first = told.line().hears();
        }
        assertThat(first).isEqualTo(Events.append('x', 100));
        talk.caller().says(Events.append('y', 100));
        assertThat(told.line().hears()).isEqualTo(Events.append('y', 100));
        assertThat(reported.journaled(AgentCut.class)).isNotEmpty();
    }

    @Test
    void aToolThatRunsWhenTheProviderIsLostAnswersTheNextOne() {
        var talk = stage.talk(Face.VOICE);
        talk.provider()
                .says(
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")),
                        Events.done("r1", "completed"));
        reported.next(Reported.Call.class);
        talk.caller().hears("response.done");
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 1);
        assertThat(told.items().getFirst()).isInstanceOf(Item.FunctionCall.class);
        talk.conversation().answerTool("call_1", "noon");

        assertThat(told.line().hears()).contains("function_call_output", "noon");
        assertThat(told.line().hears()).contains("response.create");
        talk.caller().says(Events.append(20));
        assertThat(told.line().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void aResultThatNobodyTookIsToldAgain() {
        var talk = stage.talk(Face.VOICE);
        talk.provider()
                .says(
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")),
                        Events.done("r1", "completed"));
        reported.next(Reported.Call.class);
        talk.caller().hears("response.done");
        talk.conversation().answerTool("call_1", "noon");
        talk.provider().hears("response.create");
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 1);

        assertThat(told.line().hears()).contains("function_call_output", "noon");
        assertThat(told.line().hears()).contains("response.create");
        talk.caller().says(Events.append(20));
        assertThat(told.line().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void aResultThatWaitsForASlowProviderIsToldTheNextOneOnce() {
        var talk = stage.talk(Face.VOICE);
        talk.provider()
                .says(
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")),
                        Events.done("r1", "completed"));
        reported.next(Reported.Call.class);
        talk.caller().hears("response.done");
        talk.provider().stopsReading();
        talk.conversation().answerTool("call_1", "noon");
        stage.settle();
        assertThat(talk.provider().unheard()).as("the result waits").isZero();
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 1);

        assertThat(told.line().hears()).contains("function_call_output", "noon");
        assertThat(told.line().hears()).contains("response.create");
        talk.caller().says(Events.append(20));
        assertThat(told.line().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void aResultThatCameWhileTheCallsResponseWasCutDoesNotMakeTheModelSpeakTwice() {
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.begun("r1"), Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")));
        reported.next(Reported.Call.class);
        talk.conversation().answerTool("call_1", "noon");
        talk.provider().hears("function_call_output");
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 1);
        told.line().hears("response.create");
        told.line().says(Events.begun("r2"), Events.done("r2", "completed"));
        talk.caller().hears("response.done");
        assertThat(talk.caller().hears("response.done")).contains("r2");
        talk.caller().says(Events.append(20));

        assertThat(told.line().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void theNextProviderIsAskedWhenTheFirstRefuses() {
        try (var two = new Stage(rig, rig.settings, rig.provider, rig.second)) {
            var talk = two.talk(Face.VOICE);
            talk.provider().hangsUp(LOST, "");
            rig.provider.called().refused("rate_limit", true);
            var other = rig.second.called().taken();
            other.says(Events.created(), Events.plain("vendor.special"));

            assertThat(talk.caller().hears()).contains("vendor.special");
            assertThat(two.reported.journaled(SessionEvent.UpstreamOpened.class))
                    .extracting(SessionEvent.UpstreamOpened::provider)
                    .containsExactly("fake", "second");
        }
    }

    @Test
    void whenNobodyTakesTheCallEverybodyIsAskedAgainAndInTheEndTheCallerIsTold() {
        try (var two = new Stage(rig, rig.settings, rig.provider, rig.second)) {
            var talk = two.talk(Face.VOICE);
            talk.provider().hangsUp(LOST, "");
            int rounds = 0;
            for (var call = calledUnlessOver(two); call != null; call = calledUnlessOver(two)) {
                call.refused("rate_limit", true);
                rig.second.called().refused("rate_limit", true);
                rounds++;
            }

            assertThat(rounds).isBetween(2, 5);
            assertThat(talk.caller().hears("error")).contains("rate_limit");
            assertThat(talk.caller().ended().code()).isEqualTo(1013);
            assertThat(two.reported.next(Reported.Over.class).reason()).isEqualTo(EndReason.PROVIDER_LOST);
        }
    }

    /** The next call; null when there is none any more. */
    private static FakeProvider.@Nullable Dialled calledUnlessOver(Stage stage) {
        var call = new AtomicReference<FakeProvider.@Nullable Dialled>();
        Rig.eventually(() -> {
            boolean over = stage.reported.all.stream().anyMatch(Reported.Over.class::isInstance);
            call.set(rig.provider.calledWithin(0));
            return over || call.get() != null;
        });
        return call.get();
    }

    @Test
    void aFirstCallThatNobodyTakesEndsTheSessionAtOnce() {
        try (var two = new Stage(rig, rig.settings, rig.provider, rig.second)) {
            two.starts(Face.VOICE, "usual");
            var caller = two.sits("seat-1", null);
            rig.provider.called().refused("upstream_unavailable", true);
            rig.second.called().refused("rate_limit", true);

            assertThat(caller.hears("error")).contains("rate_limit");
            assertThat(caller.ended().code()).isEqualTo(1013);
            assertThat(two.reported.next(Reported.Over.class))
                    .isEqualTo(new Reported.Over(EndReason.PROVIDER_REFUSED, "rate_limit"));
        }
    }

    @Test
    void aProviderThatTakesEveryCallAndKeepsNoneIsGivenUp() {
        var talk = stage.talk(Face.VOICE);
        var line = talk.provider();
        int lines = 0;
        for (; lines < 20; lines++) {
            line.hangsUp(LOST, "");
            var call = calledUnlessOver(stage);
            if (call == null) {
                break;
            }
            line = call.taken();
            line.says(Events.created(), Events.plain("vendor.special"));
            talk.caller().hears("vendor.special");
        }

        assertThat(lines).isBetween(3, 6);
        assertThat(talk.caller().ended().code()).isEqualTo(1013);
    }

    @Test
    void aProviderThatOwesAnAnswerAndSaysNothingIsReplacedByAnother() {
        try (var two = new Stage(rig, Rig.settings(stallAfter("400ms")), rig.provider, rig.second)) {
            var talk = two.talk(Face.VOICE);
            talk.caller().says(Events.plain("response.create"));
            talk.provider().hears("response.create");

            var next = rig.second.called().taken();
            assertThat(talk.provider().ended().code()).isEqualTo(1000);
            next.says(Events.created());
            assertThat(next.hears()).contains("response.create");
            assertThat(rig.metrics.upstreamsMute()).isPositive();
        }
    }

    @Test
    void aProviderThatOwesNothingMayBeSilent() {
        stage = new Stage(rig, Rig.settings(stallAfter("2s")), rig.provider);
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.begun("r1"), Events.done("r1", "completed"));
        talk.caller().hears("response.done");

        assertThat(rig.provider.calledWithin(5000)).isNull();
        talk.caller().says(Events.append(20));
        assertThat(talk.provider().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void anOwnRequestThatWasRefusedIsNotWaitedFor() {
        stage = new Stage(rig, Rig.settings(stallAfter("2s")), rig.provider);
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 2);
        var asked = told.line().hears("response.create");
        told.line().says(Events.error(asked.replaceFirst(".*\"event_id\":\"([^\"]+)\".*", "$1")));

        assertThat(rig.provider.calledWithin(5000)).as("nobody is mute").isNull();
    }

    @Test
    void aJudgementOfTheProviderEndsTheSessionWithItsCode() {
        var talk = stage.talk(Face.REALTIME);
        talk.provider().hangsUp(4008, "policy");

        assertThat(talk.caller().ended()).isEqualTo(new WebSocketClose(4008, "policy", false));
        assertThat(reported.next(Reported.Over.class).reason()).isEqualTo(EndReason.PROVIDER_LOST);
        assertThat(rig.provider.calledWithin(300)).isNull();
    }

    @Test
    void aProviderThatSaysThatItIsTooOldIsReplaced() {
        var talk = stage.talk(Face.REALTIME);
        talk.provider().hangsUp(1001, "session too old");
        var next = next();
        next.says(Events.plain("vendor.special"));

        assertThat(talk.caller().hears()).contains("vendor.special");
    }

    @Test
    void beforeAProviderIsTooOldTheNextTakesItsPlaceBetweenTwoTurns() {
        rig.provider.agesAt(Duration.ofSeconds(6));
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.itemDone(Events.userItem("u1", "hello")), Events.begun("r1"));
        talk.caller().hears("response.created");

        var prepared = rig.provider.called().taken();
        rig.provider.agesAt(Duration.ZERO);
        prepared.says(Events.created());
        var first = Stage.taken(prepared, 1);
        assertThat(first.items()).extracting(Item::id).containsExactly("u1");
        talk.caller().says(Events.append('a', 100));
        assertThat(talk.provider().hears()).isEqualTo(Events.append('a', 100));
        talk.provider()
                .says(
                        Events.outputItemDone("r1", Events.agentItem("a1", "completed", "hi")),
                        Events.itemDone(Events.userItem("u2", "more")));
        talk.caller().hears("conversation.item.done");
        assertThat(prepared.unheard()).as("an answer is being given").isZero();
        talk.provider().says(Events.done("r1", "completed"));

        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        var rest = Stage.taken(prepared, 2);
        assertThat(rest.items()).extracting(Item::id).containsExactly("a1", "u2");
        talk.caller().says(Events.append('b', 100));
        assertThat(prepared.hears())
                .as("the last moment: a turn may have begun in it")
                .isEqualTo(Events.append('a', 100));
        assertThat(prepared.hears()).isEqualTo(Events.append('b', 100));
        prepared.says(Events.plain("vendor.special"));
        assertThat(talk.caller().hears("vendor.special")).isNotNull();
        assertThat(talk.provider().unheard()).isZero();
        assertThat(rig.metrics.rollovers()).isPositive();
    }

    @Test
    void whatAnOldProviderHasNotTakenIsToldToTheOneThatTakesItsPlace() {
        rig.provider.agesAt(Duration.ofMillis(300));
        var talk = stage.talk(Face.REALTIME);
        rig.provider.agesAt(Duration.ZERO);
        var written = "{\"type\":\"conversation.item.create\",\"item\":" + Events.userItem("u1", "hello") + "}";
        talk.caller().says(written);
        assertThat(talk.provider().hears()).isEqualTo(written);
        var prepared = next();

        assertThat(prepared.hears()).isEqualTo(written);
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        talk.caller().says(Events.append(20));
        assertThat(prepared.hears()).as("told once").isEqualTo(Events.append(20));
    }

    @Test
    void whileASessionIsSuspendedNobodyHearsItsCallerAndThenItGoesOn() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        stage.conversations.suspend();
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        talk.caller().says(Events.append('a', 100));
        assertThat(talk.caller().hears("session.reconnecting")).contains("\"what\":\"provider\"");
        assertThat(rig.provider.calledWithin(100)).isNull();
        stage.conversations.resume();

        var told = Stage.taken(rig.provider, 2);
        assertThat(talk.caller().hears("session.restored")).contains("\"cause\":\"partition\"");
        var heard = new ArrayList<String>();
        for (int i = 0; i < 3; i++) {
            heard.add(told.line().hears());
        }
        assertThat(heard).filteredOn(text -> text.contains("response.create")).hasSize(1);
        assertThat(heard).filteredOn(text -> text.contains("append")).hasSize(1);
    }

    @Test
    void whoeverIsSuspendedWhileItSeeksAProviderOwesTheSame() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.provider().hangsUp(LOST, "");
        rig.provider.called();
        stage.conversations.suspend();
        stage.conversations.resume();

        var told = Stage.taken(rig.provider, 2);
        assertThat(told.line().hears("response.create")).isNotNull();
        assertThat(talk.caller().hears("session.restored")).contains("\"kind\":\"answer\"");
    }

    @Test
    void aConversationThatIsMadeWhileItsNodeIsSuspendedWaits() {
        stage.conversations.suspend();
        stage.starts(Face.VOICE, "usual");
        stage.sits("seat-1", null);
        assertThat(rig.provider.calledWithin(300)).isNull();
        stage.conversations.resume();

        assertThat(rig.provider.calledWithin(60_000)).isNotNull();
    }

    @Test
    void aCostIsCountedOnceHoweverOftenTheProviderIsLost() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.provider().hangsUp(LOST, "");
        var told = Stage.taken(rig.provider, 2);
        told.line().hears("response.create");
        told.line().says(Events.begun("r2"), Events.done("r2", "completed"));
        assertThat(talk.caller().hears("response.done")).contains("r1");
        assertThat(talk.caller().hears("response.done")).contains("r2");

        stage.eventually(() -> !reported.journaled(SessionEvent.Spent.class).isEmpty());
        assertThat(reported.journaled(SessionEvent.Spent.class))
                .extracting(SessionEvent.Spent::source)
                .isEqualTo(List.of("r2"));
    }
}
