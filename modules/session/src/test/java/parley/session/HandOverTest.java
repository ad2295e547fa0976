package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.protocol.Item;
import parley.session.Conversations.Manner;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentHeard;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.AnswerEnded;
import parley.session.SessionEvent.HandedOver;
import parley.session.SessionEvent.Spent;
import parley.session.Stage.Reported;

/**
 * A session leaves its host, in good order or not, and goes on elsewhere.
 *
 * <p>B12, R1: a session that moves.
 */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class HandOverTest {
    private static Rig rig;
    private Stage stage = new Stage(rig);
    private final Stage elsewhere = new Stage(rig);
    private Reported reported = stage.reported;

    @BeforeAll
    static void start() {
        rig = new Rig(handOverWithin("2s"));
    }

    private static Map<String, ?> handOverWithin(String time) {
        return Map.of("parley.session.hand-over", time, "parley.session.heard-every", "50ms");
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    @AfterEach
    void end() {
        stage.close();
        elsewhere.close();
    }

    private Stage.Talk inTheMiddleOfAnAnswer(Face face) {
        var talk = stage.talk(face);
        talk.provider()
                .says(
                        Events.itemDone(Events.userItem("u", "hello")),
                        Events.begun("r1"),
                        Events.words("r1", "a", "one two three four five six seven eight nine ten"));
        for (int i = 0; i < 200; i++) {
            talk.provider().says(Events.audio("r1", "a", 100));
        }
        talk.caller().hears("response.output_audio.delta");
        return talk;
    }

    /** Everything the journal has, first fact included. */
    private List<SessionEvent> journal(Face face) {
        var all = new ArrayList<>(Stage.fresh(face, "usual"));
        all.addAll(reported.journaled(SessionEvent.class));
        return all;
    }

    @Test
    void betweenTwoTurnsASessionIsLetGoAtOnce() {
        var talk = stage.talk(Face.VOICE);
        talk.conversation().handOver();

        assertThat(talk.caller().ended().code()).isEqualTo(1012);
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        reported.next(Reported.Parted.class);
        assertThat(reported.journaled(HandedOver.class))
                .extracting(HandedOver::seq)
                .containsExactly(1L);
    }

    @Test
    void aRunningAnswerIsFinishedFirst() {
        stage = new Stage(rig, Rig.settings(handOverWithin("60s")), rig.provider);
        reported = stage.reported;
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.begun("r1"), Events.audio("r1", "a", 100));
        talk.caller().hears("response.output_audio.delta");
        talk.conversation().handOver();
        stage.settle();
        assertThat(reported.journaled(HandedOver.class)).isEmpty();
        talk.provider()
                .says(
                        Events.outputItemDone("r1", Events.agentItem("a", "completed", "hi")),
                        Events.done("r1", "completed"));

        assertThat(talk.caller().hears("response.done")).contains("completed");
        assertThat(talk.caller().ended().code()).isEqualTo(1012);
        reported.next(Reported.Parted.class);
        assertThat(Stage.state(journal(Face.VOICE)).answer()).isNull();
    }

    @Test
    void theNextHostGoesOnWithoutAWordToACallerWhoNeverLeft() {
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.itemDone(Events.userItem("u", "hello")));
        talk.caller().hears("conversation.item.done");
        talk.conversation().handOver();
        reported.next(Reported.Parted.class);

        var next = elsewhere.goesOn(journal(Face.VOICE));
        var caller = elsewhere.sits("seat-2", Manner.MOVED, 2, null);
        var told = Stage.taken(rig.provider, 1);
        told.line().says(Events.plain("vendor.special"));

        var special = caller.hears();
        assertThat(special).startsWith("{\"seq\":3,").contains("vendor.special");
        caller.says(Events.append(20));
        assertThat(told.line().hears()).isEqualTo(Events.append(20));
        assertThat(next.hasCaller()).isTrue();
    }

    @Test
    void anAnswerThatLastsTooLongIsCutAndGoneOnWithElsewhere() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.conversation().handOver();

        assertThat(talk.caller().ended().code()).isEqualTo(1012);
        reported.next(Reported.Parted.class);
        assertThat(reported.journaled(AgentSaid.class))
                .extracting(AgentSaid::itemId)
                .containsExactly("a");
        assertThat(reported.journaled(AgentHeard.class)).isNotEmpty();
        long seq = reported.journaled(HandedOver.class).getFirst().seq();

        elsewhere.goesOn(journal(Face.VOICE));
        var caller = elsewhere.sits("seat-2", Manner.MOVED, seq, null);
        var told = Stage.taken(rig.provider, 2);

        var done = caller.hears("response.done");
        assertThat(done).contains("\"id\":\"r1\"", "failed", "upstream_lost");
        assertThat(caller.hears("session.restored"))
                .contains("\"item_id\":\"a\"")
                .doesNotContain("node_lost");
        assertThat(((Item.Message) told.items().get(1)).content().toString())
                .contains("one")
                .doesNotContain("ten");
        assertThat(told.line().hears()).contains("\"role\":\"system\"");
        assertThat(told.line().hears()).contains("response.create");
        caller.says(Events.append(20));
        assertThat(told.line().hears()).as("asked once").isEqualTo(Events.append(20));
    }

    @Test
    void anAnswerThatIsCompleteButNotHeardAtTheDeadlineHasNotEnded() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.provider()
                .says(
                        Events.outputItemDone(
                                "r1",
                                Events.agentItem("a", "completed", "one two three four five six seven eight nine ten")),
                        Events.done("r1", "completed"));
        stage.eventually(() -> !reported.journaled(Spent.class).isEmpty());
        talk.conversation().handOver();

        assertThat(talk.caller().ended().code()).isEqualTo(1012);
        assertThat(unheard(talk.caller())).noneMatch(text -> text.contains("\"response.done\""));
        reported.next(Reported.Parted.class);
        assertThat(reported.journaled(AnswerEnded.class)).isEmpty();
        long seq = reported.journaled(HandedOver.class).getFirst().seq();

        elsewhere.goesOn(journal(Face.VOICE));
        var caller = elsewhere.sits("seat-2", Manner.MOVED, seq, null);
        var told = Stage.taken(rig.provider, 2);
        assertThat(caller.hears("response.done")).contains("\"id\":\"r1\"", "failed");
        assertThat(told.line().hears("response.create")).isNotNull();
    }

    private static List<String> unheard(FakePort port) {
        var texts = new ArrayList<String>();
        while (port.unheard() > 0) {
            texts.add(port.hears());
        }
        return texts;
    }

    @Test
    void theCutAnswerIsClosedHoweverFastTheNextProviderIs() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.conversation().handOver();
        reported.next(Reported.Parted.class);
        long seq = reported.journaled(HandedOver.class).getFirst().seq();

        elsewhere.goesOn(journal(Face.VOICE));
        Stage.taken(rig.provider, 2);
        elsewhere.settle();
        var caller = elsewhere.sits("seat-2", Manner.MOVED, seq, null);

        assertThat(caller.hears("response.done")).contains("\"id\":\"r1\"", "failed");
    }

    @Test
    void aCallerWhoIsAwayIsNotWaitedForAndLearnsThatItMissedSomething() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        talk.caller().hangsUp(1006, "");
        reported.next(Reported.CallerEnded.class);
        talk.conversation().handOver();
        reported.next(Reported.Parted.class);
        long seq = reported.journaled(HandedOver.class).getFirst().seq();

        elsewhere.goesOn(journal(Face.VOICE));
        var caller = elsewhere.sits("seat-2", Manner.BACK, seq - 1, "{\"type\":\"voice-welcome\"}");
        Stage.taken(rig.provider, 1);

        assertThat(caller.hears()).contains("voice-welcome");
        assertThat(caller.hears()).contains("session.resumed", "\"recovered\":false", "node_lost");
        assertThat(caller.hears()).contains("session.created");
        assertThat(caller.hears()).contains("conversation.item.added", "\"u\"");
    }

    @Test
    void aSessionIsNotLetGoBeforeItsFactsAreWritten() {
        var talk = stage.talk(Face.VOICE);
        reported.goesAway();
        talk.provider().says(Events.itemDone(Events.userItem("u", "hello")));
        talk.caller().hears("conversation.item.done");
        talk.conversation().handOver();
        assertThat(talk.caller().ended().code()).isEqualTo(1012);
        stage.settle();
        assertThat(reported.all).noneMatch(Reported.Parted.class::isInstance);

        reported.comesBack();

        reported.next(Reported.Parted.class);
        assertThat(Stage.state(journal(Face.VOICE)).hosting().released()).isTrue();
        assertThat(Stage.state(journal(Face.VOICE)).turns()).hasSize(1);
    }

    @Test
    void whoIsAskedTwiceToLetGoDoesItOnce() {
        var talk = stage.talk(Face.VOICE);
        talk.conversation().handOver();
        talk.conversation().handOver();
        reported.next(Reported.Parted.class);
        stage.settle();

        assertThat(reported.journaled(HandedOver.class)).hasSize(1);
    }

    @Test
    void afterACrashTheAnswerIsCutWhereItWasHeardAndGoneOnWith() {
        inTheMiddleOfAnAnswer(Face.VOICE);
        stage.eventually(() -> reported.journaled(AgentHeard.class).stream().anyMatch(heard -> heard.heardMs() > 2000));
        var crashed = journal(Face.VOICE);
        var owed = Owed.facts(Stage.state(crashed), rig.tools, Rig.NOON);
        assertThat(owed).filteredOn(AgentCut.class::isInstance).hasSize(1);

        elsewhere.goesOn(crashed);
        var caller = elsewhere.sits("seat-2", Manner.MOVED, 12, null);
        var told = Stage.taken(rig.provider, 2);

        assertThat(caller.hears())
                .contains("session.resumed", "\"recovered\":false", "\"reason\":\"node_lost\"", "\"epoch\":2");
        assertThat(caller.hears("session.restored"))
                .contains("\"cause\":\"node_lost\"", "\"kind\":\"answer\"", "\"item_id\":\"a\"");
        assertThat(told.line().hears("response.create")).isNotNull();
        caller.says(Events.append(20));
        assertThat(told.line().hears()).as("asked once").isEqualTo(Events.append(20));
    }

    /** B12: node and connection lost within seconds. */
    @Test
    void whoLosesItsFirstConnectionToTheNextHostHearsThatOnesAnswerFromTheBeginning() {
        inTheMiddleOfAnAnswer(Face.VOICE);
        stage.eventually(() -> reported.journaled(AgentHeard.class).stream().anyMatch(heard -> heard.heardMs() > 2000));
        elsewhere.goesOn(journal(Face.VOICE));
        var lost = elsewhere.sits("seat-2", Manner.MOVED, 12, null);
        var next = Stage.taken(rig.provider, 2).line();
        assertThat(next.hears("response.create")).isNotNull();
        next.says(Events.begun("r2"), Events.audio("r2", "b", 300));
        assertThat(lost.hears("session.restored")).contains("\"kind\":\"answer\"");
        assertThat(lost.hears("response.output_audio.delta")).contains("\"b\"");
        lost.hangsUp(1006, "");

        var caller = elsewhere.sits("seat-3", Manner.BACK, 12, "{\"type\":\"voice-welcome\"}");

        assertThat(caller.hears("session.resumed"))
                .contains("\"recovered\":false", "\"reason\":\"node_lost\"", "\"missed\":null");
        assertThat(caller.hears("conversation.item.done")).contains("\"u\"");
        assertThat(caller.hears("session.restored")).contains("\"kind\":\"answer\"");
        assertThat(caller.hears("response.created")).contains("\"r2\"");
        assertThat(caller.hears("response.output_audio.delta")).contains("\"b\"");
    }

    /** B12, R7: provider and node lost within seconds. */
    @Test
    void anAnswerThatWaitedBehindACutOneWhenItsNodeCrashedWasNotHeard() {
        inTheMiddleOfAnAnswer(Face.VOICE).provider().hangsUp(1006, "");
        var next = Stage.taken(rig.provider, 2).line();
        next.says(Events.begun("r2"), Events.words("r2", "b", "eleven twelve"));
        next.says(Events.audio("r2", "b", 1000));
        next.says(Events.outputItemDone("r2", Events.agentItem("b", "completed", "eleven twelve")));
        next.says(Events.done("r2", "completed"));
        stage.eventually(() -> reported.journaled(AgentSaid.class).size() == 2
                && reported.journaled(AgentHeard.class).stream().anyMatch(heard -> heard.heardMs() > 2500)
                && Stage.state(journal(Face.VOICE)).answer().heard() != null);

        elsewhere.goesOn(journal(Face.VOICE));
        var caller = elsewhere.sits("seat-2", Manner.BACK, 12, "{\"type\":\"voice-welcome\"}");
        var told = Stage.taken(rig.provider, 2);

        assertThat(told.items()).extracting(Item::id).as("what was heard").containsExactly("u", "a");
        assertThat(caller.hears("conversation.item.done")).contains("\"id\":\"u\"");
        assertThat(caller.hears("conversation.item.done")).contains("\"id\":\"a\"", "incomplete");
        assertThat(caller.hears("conversation.item.done")).contains("\"id\":\"b\"", "incomplete");
        assertThat(caller.hears("session.restored")).contains("\"item_id\":\"b\"", "\"heard_ms\":0");
    }

    @Test
    void aHostThatLostTheSessionFallsSilent() {
        var talk = inTheMiddleOfAnAnswer(Face.VOICE);
        int facts = Rig.await(CompletableFuture.supplyAsync(
                () -> {
                    talk.conversation().fenced();
                    return reported.journaled(SessionEvent.class).size();
                },
                talk.conversation().loop()));

        assertThat(talk.caller().ended().code()).isEqualTo(1012);
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        stage.settle();
        assertThat(reported.journaled(HandedOver.class)).isEmpty();
        assertThat(reported.journaled(SessionEvent.class).size() - facts).isLessThanOrEqualTo(2);
        assertThat(reported.all).noneMatch(Reported.Over.class::isInstance);
        assertThat(rig.provider.calledWithin(200)).isNull();
    }
}
