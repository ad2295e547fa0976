package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.pekko.stream.ActorAttributes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.protocol.ClientEvent;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentSaid;
import parley.wire.BinaryFrame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class ConversationTest {
    private static Rig rig;
    private final Reported reported = new Reported();
    private @Nullable Conversation conversation;

    @BeforeAll
    static void start() {
        rig = new Rig(Map.of("parley.session.created-wait", "300ms", "parley.session.model-wait", "50ms"));
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    @AfterEach
    void end() {
        if (conversation != null) {
            conversation.end(new WebSocketClose(WebSocketClose.NORMAL, "", false), null);
        }
    }

    /** What the entity would be told. */
    private static final class Reported implements Conversation.Reports {
        final LinkedBlockingQueue<Object> all = new LinkedBlockingQueue<>();

        record Call(String callId, String name, String arguments) {}

        record ProviderEnded(EndReason reason, String detail) {}

        record Seated(String seat) {}

        record CallerEnded(String seat, int code) {}

        @Override
        public void facts(List<SessionEvent> facts) {
            all.addAll(facts);
        }

        @Override
        public void callTool(String callId, String name, String arguments) {
            all.add(new Call(callId, name, arguments));
        }

        @Override
        public void providerEnded(EndReason reason, String detail) {
            all.add(new ProviderEnded(reason, detail));
        }

        @Override
        public void callerSeated(String seat) {
            all.add(new Seated(seat));
        }

        @Override
        public void callerEnded(String seat, int code) {
            all.add(new CallerEnded(seat, code));
        }

        /** The next report of a kind; others before it are skipped. */
        <T> T next(Class<T> kind) {
            try {
                for (; ; ) {
                    var report = all.poll(5, TimeUnit.SECONDS);
                    assertThat(report)
                            .as("a %s within 5 s", kind.getSimpleName())
                            .isNotNull();
                    if (kind.isInstance(report)) {
                        return kind.cast(report);
                    }
                }
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
    }

    private Conversation starts(Face face, @Nullable String model, ClientEvent... script) {
        conversation = new Conversation(
                SessionId.mint(1),
                face,
                rig.loops.get(0),
                rig.room(),
                reported,
                new OpeningScript(List.of(script)),
                model,
                "parley-somebody");
        conversation.start();
        return conversation;
    }

    private FakePort sits(Conversation talk, String seat, @Nullable String welcome) {
        var caller = new FakePort(talk.loop());
        Port line = Rig.await(talk.seat(seat, welcome));
        caller.flow()
                .join(line.flow())
                .withAttributes(ActorAttributes.dispatcher(rig.loops.dispatcherOf(talk.loop())))
                .run(rig.materializer);
        return caller;
    }

    /** A conversation in which both ends have greeted. */
    private record Talk(Conversation conversation, FakePort caller, FakePort provider) {}

    private Talk talk(Face face) {
        var begun = starts(face, "usual");
        var caller = sits(begun, "seat-1", null);
        var provider = rig.provider.called().taken();
        provider.says(Events.created());
        caller.hears("session.created");
        return new Talk(begun, caller, provider);
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
        var begun = starts(Face.REALTIME, "usual");
        var caller = sits(begun, "seat-1", null);
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
        var begun = starts(Face.REALTIME, "usual");
        var caller = sits(begun, "seat-1", null);
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
        var begun = starts(Face.REALTIME, "usual");
        var caller = sits(begun, "seat-1", null);
        var provider = rig.provider.called().taken();
        caller.says(Events.plain("response.create"));

        assertThat(provider.hears()).contains("response.create");
    }

    @Test
    void theModelIsTheOneTheFirstEventNames() {
        var begun = starts(Face.REALTIME, null);
        var caller = sits(begun, "seat-1", null);
        caller.says("{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"model\":\"special\"}}");

        var call = rig.provider.called();

        assertThat(call.call().model()).isEqualTo("special");
        assertThat(call.call().safetyIdentifier()).isEqualTo("parley-somebody");
        call.taken();
    }

    @Test
    void theModelIsTheUsualOneWhenNobodyNamesAny() {
        starts(Face.REALTIME, null);

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
        assertThat(reported.next(Reported.CallerEnded.class)).isEqualTo(new Reported.CallerEnded("seat-1", 1003));
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
        var begun = starts(Face.REALTIME, "usual");
        var caller = sits(begun, "seat-1", null);
        rig.provider.called().refused("rate_limit", true);

        assertThat(caller.hears("error")).contains("\"code\":\"rate_limit\"", "server_error");
        assertThat(caller.ended().code()).isEqualTo(1013);
        assertThat(reported.next(Reported.ProviderEnded.class))
                .isEqualTo(new Reported.ProviderEnded(EndReason.PROVIDER_REFUSED, "rate_limit"));
    }

    @Test
    void aProviderThatDoesNotKnowTheModelEndsTheCallForGood() {
        var begun = starts(Face.REALTIME, "usual");
        var caller = sits(begun, "seat-1", null);
        rig.provider.called().refused("model_not_found", false);

        assertThat(caller.hears("error")).contains("\"code\":\"model_not_found\"");
        assertThat(caller.ended()).isEqualTo(new WebSocketClose(4000, "invalid_request_error.model_not_found", false));
    }

    @Test
    void whoSitsDownAfterARefusalStillHearsWhy() {
        var begun = starts(Face.VOICE, "usual");
        rig.provider.called().refused("rate_limit", true);
        reported.next(Reported.ProviderEnded.class);

        var caller = sits(begun, "seat-1", "{\"type\":\"voice-welcome\"}");

        assertThat(caller.hears()).contains("\"seq\":1", "voice-welcome");
        assertThat(caller.hears()).contains("rate_limit");
        assertThat(caller.ended().code()).isEqualTo(1013);
    }

    @Test
    void aLostProviderIsToldBehindWhatWasSaidBefore() {
        var talk = talk(Face.REALTIME);
        talk.provider().says(Events.plain("vendor.special"));
        talk.provider().hangsUp(WebSocketClose.LOST, "");

        assertThat(talk.caller().hears()).contains("vendor.special");
        assertThat(talk.caller().hears()).contains("upstream_lost");
        assertThat(talk.caller().ended().code()).isEqualTo(1011);
        assertThat(reported.next(Reported.ProviderEnded.class).reason()).isEqualTo(EndReason.PROVIDER_LOST);
    }

    @Test
    void aProvidersOwnGoodbyeIsPassedOn() {
        var talk = talk(Face.REALTIME);
        talk.provider().hangsUp(1001, "session too old");

        assertThat(talk.caller().ended()).isEqualTo(new WebSocketClose(1001, "session too old", false));
    }

    @Test
    void aWelcomeIsTheFirstWordHoweverFastTheProviderWas() {
        var begun = starts(Face.VOICE, "usual");
        var provider = rig.provider.called().taken();
        provider.says(Events.created());
        reported.next(SessionEvent.UpstreamOpened.class);

        var caller = sits(begun, "seat-1", "{\"type\":\"voice-welcome\"}");

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
        talk.provider().says(Events.begun("r1"));
        says(talk.provider(), 50, Events.audio("r1", "a", 100));
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
        assertThat(said.generatedMs()).isEqualTo(5100);
        assertThat(cut.heardMs()).isBetween(0L, 2000L);
        assertThat(truncate).contains("\"audio_end_ms\":" + cut.heardMs() + "}");
        assertThat(rig.metrics.staleAudioMs()).isPositive();
    }

    @Test
    void nothingIsCutWhereTheProviderDoesNotStop() {
        var begun = starts(Face.VOICE, "usual");
        var caller = sits(begun, "seat-1", null);
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
        says(talk.provider(), 16, Events.audio("r1", "a", 100));
        for (int i = 0; i < 11; i++) {
            talk.caller().hears("response.output_audio.delta");
        }

        var again = sits(talk.conversation(), "seat-2", "{\"type\":\"voice-welcome\"}");

        assertThat(talk.caller().ended().code()).isEqualTo(4001);
        assertThat(again.hears()).contains("voice-welcome");
        assertThat(again.hears()).as("on every connection").contains("session.created");
        for (int i = 0; i < 5; i++) {
            again.hears("response.output_audio.delta");
        }
        assertThat(reported.next(Reported.Seated.class).seat()).isEqualTo("seat-1");
        assertThat(reported.next(Reported.Seated.class).seat()).isEqualTo("seat-2");
    }

    @Test
    void theLineMayEndAndTheConversationGoOn() {
        var talk = talk(Face.REALTIME);
        talk.caller().hangsUp(1006, "");
        assertThat(reported.next(Reported.CallerEnded.class)).isEqualTo(new Reported.CallerEnded("seat-1", 1006));
        says(talk.provider(), 100, Events.audio("r1", "a", 100));
        talk.provider().says(Events.itemDone(Events.agentItem("a", "completed", "hi")));
        assertThat(reported.next(AgentSaid.class).text()).isEqualTo("hi");

        var again = sits(talk.conversation(), "seat-2", null);
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
        assertThat(reported.next(Reported.Call.class)).isEqualTo(new Reported.Call("call_1", "time", "{}"));
        assertThat(reported.next(Reported.Call.class).callId()).isEqualTo("call_2");
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
        assertThat(reported.next(Reported.CallerEnded.class)).isNotNull();
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
        var begun = starts(Face.REALTIME, "usual", item("item_1"), item("item_2"));
        var caller = sits(begun, "seat-1", null);
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
        var begun = starts(Face.REALTIME, "usual", item("item_1"));
        var caller = sits(begun, "seat-1", null);
        caller.says(Events.plain("response.create"));
        var provider = rig.provider.called().taken();
        provider.says(Events.created());

        assertThat(caller.hears()).contains("session.created");
        assertThat(provider.hears()).contains("item_1");
        assertThat(provider.hears()).contains("response.create");
    }

    @Test
    void historyIsToldToAProviderThatDoesNotGreet() {
        var begun = starts(Face.REALTIME, "usual", item("item_1"));
        var caller = sits(begun, "seat-1", null);
        caller.says(Events.plain("response.create"));
        var provider = rig.provider.called().taken();

        assertThat(provider.hears()).contains("item_1");
        assertThat(provider.hears()).contains("response.create");
    }

    @Test
    void anEndIsSaidBehindWhatWaits() {
        var talk = talk(Face.VOICE);
        talk.conversation().end(new WebSocketClose(1000, "bye", false), "{\"type\":\"voice-ended\"}");

        assertThat(talk.caller().hears()).contains("voice-ended");
        assertThat(talk.caller().ended().code()).isEqualTo(1000);
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
    }

    @Test
    void aRefusalInTheSameBreathAsTheDialIsARefusal() {
        var begun = starts(Face.REALTIME, null);
        var caller = sits(begun, "seat-1", null);
        caller.says("{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"model\":\"special\"}}");
        rig.provider.called().refused("busy", true);

        assertThat(caller.ended().code()).isEqualTo(1013);
    }

    private static ClientEvent item(String id) {
        return new ClientEvent.ConversationItemCreate(
                "parley_opening_" + id,
                null,
                new Item.Message(id, null, Item.Role.USER, List.of(new Content.InputText("hi"))));
    }
}
