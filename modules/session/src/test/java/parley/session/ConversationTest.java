package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.session.Conversations.Manner;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentSaid;
import parley.wire.BinaryFrame;
import parley.wire.WebSocketClose;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class ConversationTest {
    private static Rig rig;
    private Stage stage = new Stage(rig);
    private Stage.Reported reported = stage.reported;

    @BeforeAll
    static void start() {
        rig = new Rig(Map.of(
                "parley.session.created-wait", "60s",
                "parley.session.model-wait", "60s",
                "parley.session.stall-after", "60s"));
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    @AfterEach
    void end() {
        stage.close();
    }

    private Stage.Talk talk(Face face) {
        return stage.talk(face);
    }

    /** Waits neither for the caller to name a model nor for the provider to greet. */
    private static Stage impatient() {
        return new Stage(
                rig,
                Rig.settings(Map.of("parley.session.created-wait", "300ms", "parley.session.model-wait", "50ms")),
                rig.provider);
    }

    private static void says(FakePort port, int times, String text) {
        for (int i = 0; i < times; i++) {
            port.says(text);
        }
    }

    @Test
    void theStrictFacePassesEveryByteBothWays() {
        var talk = talk(Face.REALTIME);
        var odd = "{ \"type\" : \"response.output_text.delta\", \"delta\":\"\\u00e4 ä €\",\n\"x\":[1, 2.50] }";
        var unknown = "{\"type\":\"vendor.special\",\"a\":{\"b\":null}}";
        var audio = Events.audio("r1", "a", 20);
        talk.provider().says(odd, unknown, audio);

        assertThat(List.of(
                        talk.caller().hears(),
                        talk.caller().hears(),
                        talk.caller().hears()))
                .containsExactly(odd, unknown, audio);

        var update = "{ \"type\":\"session.update\",\"session\":{\"type\":\"realtime\", \"instructions\":\"ü\"} }";
        talk.caller().says(update, Events.append(20), unknown);

        assertThat(List.of(
                        talk.provider().hears(),
                        talk.provider().hears(),
                        talk.provider().hears()))
                .containsExactly(update, Events.append(20), unknown);
    }

    @Test
    void whatTheCallerSaysEarlyWaitsForTheProvidersFirstWord() {
        stage.starts(Face.REALTIME, "usual");
        var caller = stage.sits("seat-1", null);
        caller.says(Events.plain("response.create"), Events.append(20));
        var provider = rig.provider.called().taken();
        provider.says(Events.plain("vendor.special"));
        caller.hears("vendor.special");
        assertThat(provider.unheard()).isZero();

        provider.says(Events.created());

        assertThat(provider.hears()).contains("response.create");
        assertThat(provider.hears()).contains("input_audio_buffer.append");
    }

    @Test
    void towardsTheCallerASessionHasOurName() {
        stage.starts(Face.REALTIME, "usual");
        var caller = stage.sits("seat-1", null);
        var provider = rig.provider.called().taken();
        provider.says(Events.created(), Events.updated());

        assertThat(caller.hears("session.created"))
                .contains("\"id\":\"sess_001")
                .doesNotContain("sess_upstream");
        assertThat(caller.hears("session.updated"))
                .contains("\"id\":\"sess_001")
                .doesNotContain("sess_upstream");
        assertThat(reported.next(SessionEvent.UpstreamOpened.class))
                .isEqualTo(new SessionEvent.UpstreamOpened("fake", "usual", "sess_upstream", Rig.NOON));
    }

    @Test
    void aProviderThatNeverGreetsDoesNotKeepTheCallerWaiting() {
        stage = impatient();
        stage.starts(Face.REALTIME, "usual");
        var caller = stage.sits("seat-1", null);
        var provider = rig.provider.called().taken();
        caller.says(Events.plain("response.create"));

        assertThat(provider.hears()).contains("response.create");
    }

    @Test
    void theModelIsTheOneTheFirstEventNames() {
        stage.starts(Face.REALTIME, null);
        var caller = stage.sits("seat-1", null);
        caller.says("{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"model\":\"special\"}}");

        var call = rig.provider.called();

        assertThat(call.call().model()).isEqualTo("special");
        assertThat(call.call().safetyIdentifier()).startsWith("parley-").doesNotContain(Facts.ANNA.user());
        call.taken();
    }

    @Test
    void theModelIsTheUsualOneWhenNobodyNamesAny() {
        stage = impatient();
        stage.starts(Face.REALTIME, null);

        var call = rig.provider.called();

        assertThat(call.call().model()).isEqualTo("usual");
        call.taken();
    }

    @Test
    void whatIsNoEventIsAnsweredAndNotForwarded() {
        var talk = talk(Face.REALTIME);
        talk.caller().says("{\"type\":", "[]", "{\"event_id\":\"mine\"}", "\u0000\u0000\u0000{", Events.append(20));

        for (int i = 0; i < 4; i++) {
            assertThat(talk.caller().hears("error")).contains("invalid_request_error");
        }
        assertThat(talk.provider().hears()).contains("input_audio_buffer.append");
    }

    @Test
    void aBinaryFrameEndsTheCallersLineAndTheEntityKnows() {
        var talk = talk(Face.REALTIME);
        talk.caller().says(BinaryFrame.of(new byte[] {1, 2}));

        assertThat(talk.caller().ended().code()).isEqualTo(1003);
        assertThat(reported.next(Stage.Reported.CallerEnded.class))
                .isEqualTo(new Stage.Reported.CallerEnded("seat-1", 1003));
    }

    @Test
    void aProvidersBinaryFrameIsNoBusinessOfTheCaller() {
        var talk = talk(Face.VOICE);
        talk.provider().says(BinaryFrame.of("{}".getBytes(StandardCharsets.UTF_8)));
        talk.provider().says(Events.plain("vendor.special"));

        assertThat(talk.caller().hears()).contains("vendor.special");
    }

    @Test
    void aProviderThatIsBusyIsToldAndTheCallerMayTryAgain() {
        stage.starts(Face.REALTIME, "usual");
        var caller = stage.sits("seat-1", null);
        rig.provider.called().refused("rate_limit", true);

        assertThat(caller.hears("error")).contains("\"code\":\"rate_limit\"", "server_error");
        assertThat(caller.ended().code()).isEqualTo(1013);
        assertThat(reported.next(Stage.Reported.Over.class))
                .isEqualTo(new Stage.Reported.Over(EndReason.PROVIDER_REFUSED, "rate_limit"));
    }

    @Test
    void aProviderThatDoesNotKnowTheModelEndsTheCallForGood() {
        stage.starts(Face.REALTIME, "usual");
        var caller = stage.sits("seat-1", null);
        rig.provider.called().refused("model_not_found", false);

        assertThat(caller.hears("error")).contains("\"code\":\"model_not_found\"");
        assertThat(caller.ended()).isEqualTo(new WebSocketClose(4000, "invalid_request_error.model_not_found", false));
    }

    @Test
    void whoSitsDownAfterARefusalStillHearsWhy() {
        stage.starts(Face.VOICE, "usual");
        rig.provider.called().refused("rate_limit", true);
        reported.next(Stage.Reported.Over.class);

        var caller = stage.sits("seat-1", "{\"type\":\"voice-welcome\"}");

        assertThat(caller.hears()).contains("\"seq\":1", "voice-welcome");
        assertThat(caller.hears()).contains("rate_limit");
        assertThat(caller.ended().code()).isEqualTo(1013);
    }

    @Test
    void aWelcomeIsTheFirstWordHoweverFastTheProviderWas() {
        stage.starts(Face.VOICE, "usual");
        var provider = rig.provider.called().taken();
        provider.says(Events.created());
        reported.next(SessionEvent.UpstreamOpened.class);

        var caller = stage.sits("seat-1", "{\"type\":\"voice-welcome\"}");

        assertThat(caller.hears()).isEqualTo("{\"seq\":1,\"type\":\"voice-welcome\"}");
        assertThat(caller.hears()).contains("\"seq\":2", "session.created");
    }

    @Test
    void everyEventOfTheVoiceFaceIsNumberedWithoutAGap() {
        var talk = talk(Face.VOICE);
        says(talk.provider(), 50, Events.plain("vendor.special"));
        talk.caller().says("{\"type\":\"ping\"}", "nonsense");
        var numbers = new ArrayList<Integer>();
        var seq = Pattern.compile("^\\{\"seq\":(\\d+),");
        for (int i = 0; i < 52; i++) {
            var matcher = seq.matcher(talk.caller().hears());
            assertThat(matcher.find()).isTrue();
            numbers.add(Integer.valueOf(matcher.group(1)));
        }

        assertThat(numbers)
                .isEqualTo(java.util.stream.IntStream.rangeClosed(2, 53).boxed().toList());
    }

    @Test
    void agentAudioIsPacedAndABargeInLeavesNothingStale() {
        var talk = talk(Face.VOICE);
        long began = System.nanoTime();
        talk.provider().says(Events.begun("r1"));
        says(talk.provider(), 300, Events.audio("r1", "a", 100));
        talk.caller().hears("response.created");
        for (int i = 0; i < 11; i++) {
            talk.caller().hears("response.output_audio.delta");
        }
        talk.provider()
                .says(
                        Events.speechStarted("u"),
                        Events.audio("r1", "a", 100),
                        Events.outputItemDone("r1", Events.agentItem("a", "incomplete", "one two three four five")),
                        Events.done("r1", "cancelled"));

        assertThat(talk.caller().hears("response.done")).contains("cancelled");
        var truncate = talk.provider().hears();
        assertThat(truncate).contains("conversation.item.truncate", "\"item_id\":\"a\"", "\"content_index\":0");
        var said = reported.next(AgentSaid.class);
        var cut = reported.next(AgentCut.class);
        assertThat(said.generatedMs()).isEqualTo(30_100);
        assertThat(cut.heardMs()).isBetween(0L, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
        assertThat(truncate).contains("\"audio_end_ms\":" + cut.heardMs() + "}");
        assertThat(rig.metrics.staleAudioMs()).isPositive();
    }

    @Test
    void nothingIsCutWhereTheProviderDoesNotStop() {
        stage.starts(Face.VOICE, "usual");
        var caller = stage.sits("seat-1", null);
        var provider = rig.provider.called().taken();
        provider.says(Events.created(false), Events.begun("r1"));
        says(provider, 8, Events.audio("r1", "a", 100));
        provider.says(Events.speechStarted("u"), Events.audio("r1", "a", 100), Events.plain("vendor.special"));

        for (int i = 0; i < 9; i++) {
            caller.hears("response.output_audio.delta");
        }
        assertThat(provider.unheard()).isZero();
    }

    @Test
    void aClientThatStopsTheAgentFreesAHeldProvider() {
        var talk = talk(Face.VOICE);
        talk.provider().says(Events.begun("r1"));
        // 130 s of audio: beyond the buffer of 120 s the provider is held back.
        says(talk.provider(), 65, Events.audio("r1", "a", 2000));
        talk.caller().hears("response.output_audio.delta");
        talk.caller().says("{\"type\":\"response.cancel\"}");
        talk.provider().hears("response.cancel");
        assertThat(talk.provider().hears()).contains("conversation.item.truncate");
        talk.provider().says(Events.done("r1", "cancelled"));

        assertThat(talk.caller().hears("response.done")).contains("cancelled");
        assertThat(talk.provider().untaken()).isZero();
    }

    @Test
    void aClientThatStopsTheAgentWhileAProviderIsSoughtHearsNoMoreOfIt() {
        var talk = talk(Face.VOICE);
        talk.provider().says(Events.itemDone(Events.userItem("u", "hello")), Events.begun("r1"));
        says(talk.provider(), 20, Events.audio("r1", "a", 100));
        talk.caller().hears("response.output_audio.delta");
        talk.provider().hangsUp(WebSocketClose.LOST, "");
        var call = rig.provider.called();
        talk.caller().says("{\"type\":\"response.cancel\"}", "{\"type\":\"ping\"}");
        talk.caller().hears("pong");
        var next = call.taken();
        next.says(Events.created());
        Stage.taken(next, 1);
        talk.caller().says(Events.append(20));

        var heard = new ArrayList<String>();
        do {
            heard.add(next.hears());
        } while (!heard.getLast().equals(Events.append(20)));
        assertThat(heard).noneMatch(text -> text.contains("response.create"));
    }

    @Test
    void whoCommitsItsTurnItselfIsOwedNoAnswer() {
        stage = new Stage(rig, Rig.settings(Map.of("parley.session.stall-after", "300ms")), rig.provider);
        var talk = talk(Face.REALTIME);
        talk.caller().says(Events.append(100), Events.plain("input_audio_buffer.commit"));
        talk.provider().hears("input_audio_buffer.commit");
        talk.provider().says(Events.committed("u"), Events.itemDone(Events.spokenItem("u")));
        talk.caller().hears("conversation.item.done");

        assertThat(rig.provider.calledWithin(1500)).as("nobody is mute").isNull();
        talk.caller().says(Events.append(20));
        assertThat(talk.provider().hears()).isEqualTo(Events.append(20));
    }

    @Test
    void aSlowProviderCostsTheOldestSecondsOfTheMicrophone() {
        var talk = talk(Face.VOICE);
        talk.provider().stopsReading();
        long before = rig.metrics.microphoneDroppedMs();
        says(talk.caller(), 80, Events.append(100));
        talk.caller().says("{\"type\":\"ping\"}");
        talk.caller().hears("pong");

        assertThat(rig.metrics.microphoneDroppedMs() - before).isBetween(2800L, 3100L);
        talk.provider().readsOn();
        talk.caller().says(Events.plain("response.create"));
        talk.provider().hears("response.create");
    }

    @Test
    void theStrictCallerIsHeldBackByASlowProviderAndLosesNothing() {
        var talk = talk(Face.REALTIME);
        talk.provider().stopsReading();
        says(talk.caller(), 200, Events.append(20));
        talk.provider().says(Events.plain("vendor.special"));
        talk.caller().hears("vendor.special");
        assertThat(talk.caller().untaken()).as("left in the socket").isGreaterThan(170);

        talk.provider().readsOn();

        for (int i = 0; i < 200; i++) {
            assertThat(talk.provider().hears()).isEqualTo(Events.append(20));
        }
    }

    @Test
    void theProviderIsHeldBackByASlowStrictCallerAndNothingIsLost() {
        var talk = talk(Face.REALTIME);
        talk.caller().stopsReading();
        says(talk.provider(), 300, Events.audio("r1", "a", 20));
        talk.caller().says(Events.append(20));
        talk.provider().hears("input_audio_buffer.append");
        assertThat(talk.provider().untaken()).as("left in the socket").isGreaterThan(260);

        talk.caller().readsOn();

        for (int i = 0; i < 300; i++) {
            assertThat(talk.caller().hears()).isEqualTo(Events.audio("r1", "a", 20));
        }
    }

    @Test
    void aCallerThatTakesNoAnswersIsNotHeardEndlessly() {
        var talk = talk(Face.VOICE);
        talk.caller().stopsReading();
        says(talk.caller(), 5000, "{\"type\":\"ping\"}");
        talk.provider().says(Events.plain("vendor.special"));
        talk.caller().readsOn();

        for (int i = 0; i < 5000; i++) {
            talk.caller().hears("pong");
        }
    }

    @Test
    void aSecondLineSupersedesTheFirstAndAudioGoesOnThere() {
        var talk = talk(Face.VOICE);
        talk.provider().says(Events.begun("r1"));
        says(talk.provider(), 300, Events.audio("r1", "a", 100));
        for (int i = 0; i < 11; i++) {
            talk.caller().hears("response.output_audio.delta");
        }

        var again = stage.sits("seat-2", Manner.BACK, -1, "{\"type\":\"voice-welcome\"}");

        assertThat(talk.caller().ended().code()).isEqualTo(4001);
        assertThat(again.hears()).contains("voice-welcome");
        assertThat(again.hears()).contains("session.resumed", "\"recovered\":false");
        assertThat(again.hears()).as("on every connection").contains("session.created");
        for (int i = 0; i < 5; i++) {
            again.hears("response.output_audio.delta");
        }
        assertThat(reported.next(Stage.Reported.Seated.class).seat()).isEqualTo("seat-1");
        assertThat(reported.next(Stage.Reported.Seated.class).seat()).isEqualTo("seat-2");
    }

    @Test
    void theLineMayEndAndTheConversationGoOn() {
        var talk = talk(Face.REALTIME);
        talk.caller().hangsUp(1006, "");
        assertThat(reported.next(Stage.Reported.CallerEnded.class))
                .isEqualTo(new Stage.Reported.CallerEnded("seat-1", 1006));
        says(talk.provider(), 100, Events.audio("r1", "a", 100));
        talk.provider().says(Events.itemDone(Events.agentItem("a", "completed", "hi")));
        assertThat(reported.next(AgentSaid.class).text()).isEqualTo("hi");

        var again = stage.sits("seat-2", Manner.BACK, -1, null);
        assertThat(again.hears()).contains("session.created");
        again.says(Events.plain("response.create"));

        assertThat(talk.provider().hears()).contains("response.create");
    }

    @Test
    void aCallIsAnsweredAndTheModelGoesOnWhenTheResponseIsDone() {
        var talk = talk(Face.VOICE);
        talk.provider()
                .says(
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")),
                        Events.outputItemDone("r1", Events.call("c2", "call_2", "completed")));
        assertThat(reported.next(Stage.Reported.Call.class)).isEqualTo(new Stage.Reported.Call("call_1", "time", "{}"));
        assertThat(reported.next(Stage.Reported.Call.class).callId()).isEqualTo("call_2");
        talk.conversation().answerTool("call_1", "noon");
        assertThat(talk.provider().hears()).contains("function_call_output", "call_1", "noon");
        talk.provider().says(Events.done("r1", "completed"));
        talk.caller().hears("response.done");
        assertThat(talk.provider().unheard()).as("one call is open").isZero();

        talk.conversation().answerTool("call_2", "late");

        assertThat(talk.provider().hears()).contains("function_call_output", "call_2");
        assertThat(talk.provider().hears()).contains("\"type\":\"response.create\"");
        talk.conversation().answerTool("call_2", "twice");
        talk.caller().says(Events.plain("input_audio_buffer.clear"));
        assertThat(talk.provider().hears()).contains("input_audio_buffer.clear");
    }

    @Test
    void theModelIsNotAskedToGoOnAfterACancelledResponse() {
        var talk = talk(Face.VOICE);
        talk.provider()
                .says(
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")),
                        Events.done("r1", "cancelled"));
        talk.caller().hears("response.done");

        talk.conversation().answerTool("call_1", "noon");
        talk.caller().says(Events.plain("input_audio_buffer.clear"));

        assertThat(talk.provider().hears()).contains("function_call_output");
        assertThat(talk.provider().hears()).contains("input_audio_buffer.clear");
    }

    @Test
    void theStrictFaceExecutesItsCallsItself() {
        var talk = talk(Face.REALTIME);
        talk.provider().says(Events.begun("r1"), Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")));
        talk.caller().hears("response.output_item.done");
        talk.caller().hangsUp(1006, "");

        reported.next(SessionEvent.ToolCalled.class);
        assertThat(reported.next(Stage.Reported.CallerEnded.class)).isNotNull();
    }

    @Test
    void complaintsAboutWhatParleySaidAreNotTheCallers() {
        var talk = talk(Face.VOICE);
        talk.provider()
                .says(
                        "{\"type\":\"error\",\"event_id\":\"e\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"x\","
                                + "\"event_id\":\"parley_event_1\"}}",
                        Events.plain("vendor.special"));

        assertThat(talk.caller().hears()).contains("vendor.special");
    }

    @Test
    void historyIsToldToTheProviderBeforeTheCallerMaySpeak() {
        stage.goesOn(saying("item_1", "item_2"));
        var caller = stage.sits("seat-1", null);
        caller.says(Events.plain("response.create"));
        var provider = rig.provider.called().taken();
        provider.says(Events.created());
        assertThat(provider.hears()).contains("item_1");
        assertThat(provider.hears()).contains("item_2");
        provider.says(Events.itemDone(Events.userItem("item_1", "hi")));
        provider.says(Events.itemDone(Events.userItem("item_2", "hi")));

        assertThat(caller.hears()).contains("session.created");
        assertThat(provider.hears()).contains("response.create");
        assertThat(caller.unheard()).isZero();
    }

    @Test
    void aProviderThatNeverAnswersAnItemDoesNotKeepTheCallerWaiting() {
        stage = impatient();
        stage.goesOn(saying("item_1"));
        var caller = stage.sits("seat-1", null);
        caller.says(Events.plain("response.create"));
        var provider = rig.provider.called().taken();
        provider.says(Events.created());

        assertThat(caller.hears()).contains("session.created");
        assertThat(provider.hears()).contains("item_1");
        assertThat(provider.hears()).contains("response.create");
    }

    @Test
    void historyIsToldToAProviderThatDoesNotGreet() {
        stage = impatient();
        stage.goesOn(saying("item_1"));
        var caller = stage.sits("seat-1", null);
        caller.says(Events.plain("response.create"));
        var provider = rig.provider.called().taken();

        assertThat(provider.hears()).contains("item_1");
        assertThat(provider.hears()).contains("response.create");
    }

    @Test
    void anEndIsSaidBehindWhatWaits() {
        var talk = talk(Face.VOICE);
        talk.conversation().end(EndReason.MAX_LENGTH);

        assertThat(talk.caller().hears()).contains("voice-ended");
        assertThat(talk.caller().ended().code()).isEqualTo(1000);
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
    }

    @Test
    void aRefusalInTheSameBreathAsTheDialIsARefusal() {
        stage.starts(Face.REALTIME, null);
        var caller = stage.sits("seat-1", null);
        caller.says("{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"model\":\"special\"}}");
        rig.provider.called().refused("busy", true);

        assertThat(caller.ended().code()).isEqualTo(1013);
    }

    /** A strict session that was handed over after its caller had written these. */
    private static List<SessionEvent> saying(String... items) {
        var facts = new ArrayList<>(Stage.fresh(Face.REALTIME, "usual"));
        for (var item : items) {
            facts.add(new SessionEvent.UserSaid(item, "hi", 0, Rig.NOON));
        }
        facts.add(new SessionEvent.HandedOver(0, Rig.NOON));
        return facts;
    }
}
