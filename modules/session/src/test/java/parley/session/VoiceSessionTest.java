package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityContext;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.protocol.Item;
import parley.session.Sessions.Join;
import parley.session.Sessions.Opening;
import parley.session.VoiceSession.Command;
import parley.session.VoiceSession.Seating;

@Tag("entity")
class VoiceSessionTest {
    private static final CallerId MALLORY = new CallerId("mallory", "acme");
    private static final Opening OPENING = new Opening(Facts.ANNA, Face.VOICE, Arm.VOICE, "usual", null, null);
    private static final Join JOIN = new Join(OPENING, false, null, Join.NOT_TOLD);

    private static Rig rig;
    private static SessionLink link;
    private SessionId id;
    private TestProbe<ClusterSharding.ShardCommand> shard;
    private EventSourcedBehaviorTestKit<Command, SessionEvent, SessionState> session;

    @BeforeAll
    static void start() {
        rig = new Rig();
        link = rig.link();
    }

    @AfterAll
    static void stop() {
        link.close();
        rig.close();
    }

    @BeforeEach
    void vacant() {
        rig.provider.forget();
        vacant(rig.settings);
    }

    private void vacant(SessionSettings settings) {
        id = SessionId.mint(3);
        shard = TestProbe.create(rig.system);
        session = EventSourcedBehaviorTestKit.create(
                rig.system,
                VoiceSession.create(
                        new EntityContext<>(VoiceSession.KEY, id.value(), shard.getRef()), rig.room(settings), link),
                // Half of the commands never leave the entity; SerializationTest has the others.
                EventSourcedBehaviorTestKit.enabledSerializationSettings().withVerifyCommands(false));
    }

    // ---- every command in every phase

    private static final Map<String, Function<ActorRef<Object>, Command>> COMMANDS = commands();

    private static Map<String, Function<ActorRef<Object>, Command>> commands() {
        var all = new LinkedHashMap<String, Function<ActorRef<Object>, Command>>();
        all.put("Open", to -> new VoiceSession.Open(OPENING, to.narrow()));
        all.put("TakeSeat", to -> new VoiceSession.TakeSeat(JOIN, "seat-1", false, "pekko://here", 0, to.narrow()));
        all.put("Describe", to -> new VoiceSession.Describe(Facts.ANNA, to.narrow()));
        all.put("End", to -> new VoiceSession.End(Facts.ANNA, to.narrow()));
        all.put("Inspect", to -> new VoiceSession.Inspect(to.narrow()));
        all.put("Stop", to -> new VoiceSession.Stop(to.narrow()));
        all.put("Forget", to -> new VoiceSession.Forget(Facts.ANNA, to.narrow()));
        all.put("Note", to -> note(1, Facts.USER_SAID, Facts.SPENT));
        all.put("CallTool", to -> new VoiceSession.CallTool("call_1", "time", "{}"));
        all.put("ToolAnswered", to -> new VoiceSession.ToolAnswered("call_1", "noon"));
        all.put("ConversationEnded", to -> new VoiceSession.ConversationEnded(EndReason.PROVIDER_LOST, "1006"));
        all.put("CallerSeated", to -> new VoiceSession.CallerSeated("seat"));
        all.put("CallerEnded", to -> new VoiceSession.CallerEnded("seat", 1006));
        all.put("Wake", to -> new VoiceSession.Wake());
        all.put("HAND_OVER", to -> VoiceSession.Move.HAND_OVER);
        all.put("PARTED", to -> VoiceSession.Move.PARTED);
        all.put("MAX_LENGTH", to -> VoiceSession.Timeout.MAX_LENGTH);
        all.put("NOBODY_CAME", to -> VoiceSession.Timeout.NOBODY_CAME);
        all.put("PASSIVATE", to -> VoiceSession.Timeout.PASSIVATE);
        return all;
    }

    private static VoiceSession.Note note(long number, SessionEvent... facts) {
        return new VoiceSession.Note(new Unwritten.Batch(number, List.of(facts)));
    }

    private void bring(String phase) {
        switch (phase) {
            case "vacant" -> {}
            case "opening" -> session.initialize((Object[]) new SessionEvent[] {Facts.OPENED});
            case "live" ->
                session.initialize((Object[]) new SessionEvent[] {Facts.OPENED, Facts.UPSTREAM, Facts.ATTACHED});
            default -> session.initialize((Object[]) new SessionEvent[] {Facts.OPENED, Facts.UPSTREAM, Facts.ENDED});
        }
    }

    private EventSourcedBehaviorTestKit.CommandResultWithReply<Command, SessionEvent, SessionState, Object> run(
            Function<ActorRef<Object>, Command> command) {
        return session.<Object>runCommand(command);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "vacant | Open | Opened | Opened",
                "vacant | TakeSeat | Opened Hosted CallerAttached | Taken",
                "vacant | Describe | | Refused UNKNOWN",
                "vacant | End | | Refused UNKNOWN",
                "vacant | Inspect | | Refused UNKNOWN",
                "vacant | Stop | | Refused UNKNOWN",
                "vacant | Forget | | Refused UNKNOWN",
                "vacant | Note | |",
                "vacant | CallTool | |",
                "vacant | ToolAnswered | |",
                "vacant | ConversationEnded | |",
                "vacant | CallerSeated | |",
                "vacant | CallerEnded | |",
                "vacant | Wake | |",
                "vacant | MAX_LENGTH | |",
                "vacant | NOBODY_CAME | |",
                "vacant | PASSIVATE | |",
                "opening | Open | | Opened",
                "opening | TakeSeat | Hosted CallerAttached | Taken",
                "opening | Describe | | Described opening",
                "opening | End | Ended | Described over",
                "opening | Inspect | | Described opening",
                "opening | Stop | Ended | Described over",
                "opening | Forget | Ended | Described over",
                "opening | Note | Told |",
                "opening | CallTool | |",
                "opening | ToolAnswered | |",
                "opening | ConversationEnded | Ended |",
                "opening | CallerSeated | |",
                "opening | CallerEnded | |",
                "opening | Wake | |",
                "opening | MAX_LENGTH | Ended |",
                "opening | NOBODY_CAME | Ended |",
                "opening | PASSIVATE | |",
                "live | Open | | Opened",
                "live | TakeSeat | | Denied FORBIDDEN",
                "live | Describe | | Described live",
                "live | End | Ended | Described over",
                "live | Inspect | | Described live",
                "live | Stop | Ended | Described over",
                "live | Forget | Ended | Described over",
                "live | Note | Told |",
                "live | CallTool | |",
                "live | ToolAnswered | |",
                "live | ConversationEnded | Ended |",
                "live | CallerSeated | |",
                "live | CallerEnded | CallerDetached |",
                "live | Wake | |",
                "live | MAX_LENGTH | Ended |",
                "live | NOBODY_CAME | Ended |",
                "live | PASSIVATE | |",
                "over | Open | | Refused OVER",
                "over | TakeSeat | | Denied OVER",
                "over | Describe | | Described over",
                "over | End | | Described over",
                "over | Inspect | | Described over",
                "over | Stop | | Described over",
                "over | Forget | | Described over",
                "over | Note | Told |",
                "over | CallTool | |",
                "over | ToolAnswered | |",
                "over | ConversationEnded | |",
                "over | CallerSeated | |",
                "over | CallerEnded | |",
                "over | Wake | |",
                "over | MAX_LENGTH | |",
                "over | NOBODY_CAME | |",
                "over | PASSIVATE | |",
            })
    void everyCommandHasItsAnswerInEveryPhase(String phase, String command, String events, String reply) {
        bring(phase);

        var make = COMMANDS.get(command);
        var result = reply == null ? session.runCommand(make.apply(rig.system.deadLetters())) : run(make);

        assertThat(result.events().stream().map(event -> event.getClass().getSimpleName()))
                .containsExactly(events == null ? new String[0] : events.split(" "));
        if (result instanceof EventSourcedBehaviorTestKit.CommandResultWithReply<?, ?, ?, ?> replied) {
            assertThat(told(replied.reply())).isEqualTo(reply);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "vacant, HAND_OVER", "opening, HAND_OVER", "live, HAND_OVER", "over, HAND_OVER",
        "vacant, PARTED", "opening, PARTED", "live, PARTED", "over, PARTED"
    })
    void whoHasNoConversationStopsWhenItsShardMoves(String phase, VoiceSession.Move move) {
        bring(phase);
        var other = SessionId.mint(4);
        session.persistenceTestKit()
                .persistForRecovery(
                        VoiceSession.KEY.name() + "|" + other.value(),
                        session.persistenceTestKit().persistedInStorage(VoiceSession.KEY.name() + "|" + id.value()));
        var entity = rig.system.systemActorOf(
                VoiceSession.create(
                        new EntityContext<>(VoiceSession.KEY, other.value(), shard.getRef()), rig.room(), link),
                "moves-" + other.value(),
                org.apache.pekko.actor.typed.Props.empty());
        entity.tell(move);

        shard.expectTerminated(entity, Duration.ofSeconds(5));
    }

    private static String told(Object reply) {
        return switch (reply) {
            case Answer.Opened opened -> "Opened";
            case Answer.Described described ->
                "Described " + described.session().phase();
            case Answer.Refused refused -> "Refused " + refused.why();
            case Seating.Taken taken -> "Taken";
            case Seating.Denied denied -> "Denied " + denied.why().why();
            default -> reply.toString();
        };
    }

    @Test
    void everyCommandIsInTheTable() {
        var inTable = COMMANDS.values().stream()
                .map(command ->
                        command.apply(rig.system.deadLetters()).getClass().getSimpleName())
                .distinct();

        assertThat(inTable)
                .containsExactlyInAnyOrderElementsOf(Stream.of(Command.class.getPermittedSubclasses())
                        .map(Class::getSimpleName)
                        .toList());
    }

    static List<String> ownersCommands() {
        return List.of("TakeSeat", "Describe", "End", "Forget", "Open");
    }

    @ParameterizedTest
    @MethodSource("ownersCommands")
    void toAnyoneElseASessionDoesNotExist(String command) {
        for (var phase : List.of("opening", "live", "over")) {
            bring(phase);
            var stranger = new Opening(MALLORY, Face.VOICE, Arm.VOICE, null, null, null);

            var reply = run(to -> switch (command) {
                        case "TakeSeat" ->
                            new VoiceSession.TakeSeat(
                                    new Join(stranger, true, null, 0), "seat-1", false, "pekko://here", 0, to.narrow());
                        case "Describe" -> new VoiceSession.Describe(MALLORY, to.narrow());
                        case "End" -> new VoiceSession.End(MALLORY, to.narrow());
                        case "Forget" -> new VoiceSession.Forget(MALLORY, to.narrow());
                        default -> new VoiceSession.Open(stranger, to.narrow());
                    })
                    .reply();

            var refusal = told(reply);
            assertThat(refusal).endsWith(phase.equals("over") && command.equals("Open") ? "OVER" : "UNKNOWN");
        }
    }

    // ---- stories

    /** What the conversation still tells would be a session again, of somebody who asked to be forgotten. */
    @Test
    void aSessionThatIsToBeDeletedWritesNothingMoreAndLeavesMemory() {
        bring("live");
        run(to -> new VoiceSession.Forget(Facts.ANNA, to.narrow()));

        assertThat(session.runCommand(note(1, Facts.USER_SAID)).hasNoEvents()).isTrue();
        shard.expectMessageClass(ClusterSharding.Passivate.class);
        assertThat(told(run(to -> new VoiceSession.Forget(Facts.ANNA, to.narrow()))
                        .reply()))
                .isEqualTo("Described over");
    }

    private Object asks(Join join) {
        return run(to -> new VoiceSession.TakeSeat(join, Secret.random(), false, "pekko://here", 0, to.narrow()))
                .reply();
    }

    private Seating.Taken joins(Join join) {
        return (Seating.Taken) asks(join);
    }

    private Object tries(String token) {
        return asks(new Join(OPENING, true, token, 0));
    }

    private FakePort sits(Seating.Taken taken) {
        var seat = rig.conversations.take(taken.seat());
        assertThat(seat).isNotNull();
        var loop = seat.conversation().loop();
        var caller = new FakePort(loop);
        var line = Rig.await(seat.take(taken.seat()));
        caller.joins(line);
        return caller;
    }

    private static String token(FakePort caller) {
        return caller.hears("voice-welcome").replaceFirst(".*\"resume_token\":\"([^\"]+)\".*", "$1");
    }

    @Test
    void aCallerTalksLeavesAndTheSessionIsOver() {
        var caller = sits(joins(JOIN));
        var provider = rig.provider.called().taken();
        provider.says(Events.created(), Events.itemDone(Events.userItem("u", "hello")));
        caller.hears("conversation.item.done");
        caller.hangsUp(1000, "");

        assertThat(provider.ended().code()).isEqualTo(1000);
        var over = awaitOver();
        assertThat(over.reason()).isEqualTo(EndReason.CALLER_LEFT);
        assertThat(over.last().turns()).extracting(Turn::text).containsExactly("hello");
        assertThat(over.last().upstream()).isNotNull();
    }

    private SessionState.Over awaitOver() {
        // The entity answers in order; its facts arrive from another thread.
        Rig.eventually(() -> session.getState() instanceof SessionState.Over);
        return (SessionState.Over) session.getState();
    }

    @Test
    void theNewestTokenIsGoodAndTheOneBeforeUntilTheNewOneWasShown() {
        var first = token(sits(joins(JOIN)));
        rig.provider.called().taken();
        var second = token(sits((Seating.Taken) tries(first)));

        assertThat(told(tries("guessed"))).isEqualTo("Denied FORBIDDEN");
        assertThat(told(tries(first))).as("the welcome may never have arrived").isEqualTo("Taken");
        assertThat(told(tries(second))).isEqualTo("Taken");
        assertThat(told(tries(first))).as("the newer one was shown").isEqualTo("Denied FORBIDDEN");
    }

    /** R7: what its caller gave up waiting for may arrive behind what succeeded. */
    @Test
    void anAttemptThatComesLateDoesNotTakeAwayTheTokenThatItsCallerHolds() {
        var first = token(sits(joins(JOIN)));
        rig.provider.called().taken();
        var held = token(sits((Seating.Taken) tries(first)));
        var late = token(sits((Seating.Taken) tries(first)));

        assertThat(told(tries(held))).isEqualTo("Taken");
        assertThat(told(tries(late))).as("given after the one that was shown").isEqualTo("Taken");
        assertThat(told(tries(held))).as("a later one was shown").isEqualTo("Denied FORBIDDEN");
    }

    @Test
    void tokensThatNobodyShowsAreForgottenFromTheOldest() {
        var first = token(sits(joins(JOIN)));
        rig.provider.called().taken();
        var tokens = new ArrayList<String>();
        for (int attempt = 0; attempt < 10; attempt++) {
            tokens.add(token(sits((Seating.Taken) tries(first))));
        }

        assertThat(told(tries(tokens.getFirst()))).isEqualTo("Denied FORBIDDEN");
        assertThat(told(tries(tokens.get(1)))).isEqualTo("Taken");
    }

    @Test
    void aSeatThatIsAskedForAgainWhileTheConversationRunsIsTheSameAndNoFact() {
        var first = run(COMMANDS.get("TakeSeat"));
        var again = run(COMMANDS.get("TakeSeat"));

        assertThat(again.reply()).isEqualTo(first.reply()).isInstanceOf(Seating.Taken.class);
        assertThat(again.hasNoEvents()).isTrue();
        assertThat(token(sits((Seating.Taken) again.reply()))).isNotEmpty();
    }

    @Test
    void aFirstJoinMayBeRepeatedWithoutATokenAsLongAsNothingWasSaid() {
        joins(JOIN);

        assertThat(told(asks(JOIN))).as("the answer may be lost").isEqualTo("Taken");
        session.runCommand(note(1, Facts.USER_SAID));
        assertThat(told(asks(JOIN))).isEqualTo("Denied FORBIDDEN");
    }

    @Test
    void aFirstJoinMayBeRepeatedWithoutATokenAsLongAsNoneWasShown() {
        var token = token(sits(joins(JOIN)));

        assertThat(told(asks(JOIN))).as("the welcome may be lost").isEqualTo("Taken");
        assertThat(told(tries(token))).as("its caller may hold it").isEqualTo("Taken");
        assertThat(told(asks(JOIN))).isEqualTo("Denied FORBIDDEN");
    }

    @Test
    void aSeatThatNobodyTakesDoesNotKeepTheProviderOnTheLine() {
        vacant(Rig.settings(Map.of("parley.session.resume-window", "100ms")));
        joins(JOIN);
        var provider = rig.provider.called().taken();

        assertThat(awaitOver().reason()).isEqualTo(EndReason.CALLER_LEFT);
        assertThat(provider.ended().code()).isEqualTo(1000);
    }

    @Test
    void theEndOfAnOldLineDoesNotEndTheSessionOfACallerWhoIsComingBack() {
        var first = joins(JOIN);
        var old = sits(first);
        rig.provider.called().taken();
        tries(token(old));

        var result = session.runCommand(new VoiceSession.CallerEnded(first.seat(), 1000));

        assertThat(result.hasNoEvents()).isTrue();
        assertThat(result.state()).isInstanceOf(SessionState.Live.class);
    }

    @Test
    void theStrictFaceIsEndedInItsOwnLanguage() {
        var strict = new Opening(Facts.ANNA, Face.REALTIME, Arm.VOICE, "usual", null, null);
        var caller = sits(joins(new Join(strict, false, null, Join.NOT_TOLD)));
        rig.provider.called().taken();
        run(COMMANDS.get("End"));

        assertThat(caller.ended().code()).isEqualTo(1000);
        assertThat(caller.unheard()).isZero();
    }

    @Test
    void theVoiceFaceIsToldWhyItEnds() {
        var caller = sits(joins(JOIN));
        rig.provider.called().taken();
        session.runCommand(VoiceSession.Timeout.MAX_LENGTH);

        assertThat(caller.hears("voice-ended")).contains("\"reason\":\"max_length\"");
        assertThat(caller.ended().code()).isEqualTo(1000);
    }

    @Test
    void theProviderKnowsACallerByOnePseudonymInAllItsSessions() {
        joins(JOIN);
        var first = rig.provider.called();
        vacant(rig.settings);
        joins(JOIN);
        var second = rig.provider.called();

        assertThat(first.call().safetyIdentifier())
                .isEqualTo(second.call().safetyIdentifier())
                .doesNotContain("anna")
                .hasSize(39);
        first.taken();
        second.taken();
    }

    @Test
    void afterARestartTheConversationGoesOnWithItsHistory() {
        session.initialize((Object[]) new SessionEvent[] {
            Facts.OPENED, Facts.ATTACHED, Facts.UPSTREAM, Facts.CONFIGURED, Facts.USER_SAID, Facts.TRANSCRIBED
        });
        session.restart();
        var before = (Answer.Described) run(COMMANDS.get("Describe")).reply();
        assertThat(before.session().attached())
                .as("nobody is on a line that is gone")
                .isFalse();
        run(to -> new VoiceSession.End(MALLORY, to.narrow()));
        session.clear();
        session.initialize((Object[]) new SessionEvent[] {
            new SessionEvent.Opened(Facts.ANNA, Face.REALTIME, Arm.VOICE, "usual", Rig.NOON, null, null),
            Facts.CONFIGURED,
            Facts.USER_SAID,
            Facts.TRANSCRIBED
        });

        joins(new Join(OPENING, true, null, Join.NOT_TOLD));
        var provider = rig.provider.called().taken();
        provider.says(Events.created());

        assertThat(provider.hears()).contains("session.update", "kind");
        assertThat(provider.hears()).contains("item_u", "hello");
    }

    @Test
    void aJournalThatFailsDoesNotDisturbTheConversation() {
        var caller = sits(joins(JOIN));
        var provider = rig.provider.called().taken();
        session.persistenceTestKit().failNextPersisted();
        provider.says(Events.created(), Events.itemDone(Events.userItem("u", "hello")));
        caller.hears("conversation.item.done");
        provider.says(Events.itemDone(Events.userItem("v", "again")));
        caller.hears("conversation.item.done");

        Rig.eventually(() -> turns().size() == 2);
        assertThat(turns()).extracting(Turn::itemId).containsExactly("u", "v");
        caller.says(Events.append(20));
        assertThat(provider.hears()).isEqualTo(Events.append(20));
        assertThat(rig.metrics.journalFailures()).isPositive();
    }

    private List<Turn> turns() {
        return session.getState() instanceof SessionState.Live live ? live.turns() : List.of();
    }

    @Test
    void whoFindsAnotherHostInItsJournalFallsSilent() {
        var caller = sits(joins(JOIN));
        var provider = rig.provider.called().taken();
        provider.says(Events.created());
        caller.hears("session.created");
        Rig.eventually(() -> session.getState() instanceof SessionState.Live live && live.upstream() != null);
        var persistenceId = VoiceSession.KEY.name() + "|" + id.value();
        session.persistenceTestKit()
                .persistForRecovery(persistenceId, List.of(new SessionEvent.Hosted("pekko://there/x", Rig.NOON)));
        session.persistenceTestKit().failNextPersisted();
        provider.says(Events.itemDone(Events.userItem("u", "hello")));

        assertThat(caller.ended().code()).isEqualTo(1012);
        assertThat(provider.ended().code()).isEqualTo(1000);
        assertThat(shard.receiveMessage(Duration.ofSeconds(5))).isInstanceOf(ClusterSharding.Passivate.class);
    }

    /** A session whose node is gone: its journal ends in the middle of an answer, and after a call of a tool. */
    private static SessionEvent[] crashed(Face face) {
        return new SessionEvent[] {
            new SessionEvent.Opened(Facts.ANNA, face, Arm.VOICE, "usual", Rig.NOON, null, null),
            Facts.HOSTED,
            new SessionEvent.CallerAttached("seat-0", Secret.hash("token-1"), "pekko://there", Rig.NOON, null),
            new SessionEvent.Told(1, List.of(Facts.UPSTREAM, Facts.USER_SAID, Facts.TRANSCRIBED), Rig.NOON),
            new SessionEvent.Told(
                    2,
                    List.of(
                            Facts.CALLED,
                            Facts.BEGAN,
                            new SessionEvent.AgentHeard("item_b", "one two three four", 2000, 1000, Rig.NOON)),
                    Rig.NOON)
        };
    }

    @Test
    void aSessionThatIsTakenOverTellsTheTruthAboutWhatWasLostAndGoesOn() {
        session.initialize((Object[]) crashed(Face.VOICE));
        var result = run(to -> new VoiceSession.TakeSeat(
                new Join(OPENING, true, "token-1", 12), "seat-1", false, "pekko://here", 0, to.narrow()));
        assertThat(result.events().stream().map(event -> event.getClass().getSimpleName()))
                .containsExactly("Hosted", "AgentSaid", "AgentCut", "ToolAnswered", "CallerAttached");
        assertThat(result.events())
                .contains(
                        new SessionEvent.AgentSaid("item_b", "one two three four", 2000, Rig.NOON),
                        new SessionEvent.AgentCut("item_b", 1000, Rig.NOON));
        var caller = sits((Seating.Taken) result.reply());
        var told = Stage.taken(rig.provider, 4);

        assertThat(told.items()).extracting(Item::id).startsWith("item_u", "item_c", "item_b");
        assertThat(told.items().get(3).toString()).contains("call_1", "not known whether");
        assertThat(told.line().hears()).contains("\"role\":\"system\"", "one two");
        assertThat(told.line().hears()).contains("response.create");
        assertThat(caller.hears()).contains("voice-welcome", "\"epoch\":2");
        assertThat(caller.hears()).contains("session.resumed", "\"recovered\":false", "node_lost");
        assertThat(caller.hears()).contains("session.created");
        var restored = caller.hears("session.restored");
        assertThat(restored)
                .contains("\"cause\":\"node_lost\"", "\"item_id\":\"item_b\"", "\"heard_ms\":1000")
                .contains("\"kind\":\"tool_result\"", "\"call_id\":\"call_1\"");
        caller.says(Events.append(20));
        assertThat(told.line().hears()).as("asked once").isEqualTo(Events.append(20));
        assertThat(rig.tools.called.get()).as("never again").isZero();
    }

    @Test
    void theSeatIsTheProofOfWhoNeverLeftAndStaysIt() {
        session.initialize((Object[]) crashed(Face.VOICE));
        Function<ActorRef<Object>, Command> moved = to -> new VoiceSession.TakeSeat(
                new Join(OPENING, true, null, 12), "seat-0", true, "pekko://here", 0, to.narrow());
        Function<ActorRef<Object>, Command> stranger = to -> new VoiceSession.TakeSeat(
                new Join(OPENING, true, null, 12), "seat-9", true, "pekko://here", 0, to.narrow());

        assertThat(told(run(stranger).reply())).isEqualTo("Denied FORBIDDEN");
        assertThat(told(run(moved).reply())).isEqualTo("Taken");
        assertThat(told(run(moved).reply())).as("the answer may be lost").isEqualTo("Taken");
        rig.provider.called().taken();
    }

    @Test
    void theTokenThatWasShownStaysGoodAcrossHosts() {
        session.initialize((Object[]) crashed(Face.VOICE));
        assertThat(told(tries("token-1"))).isEqualTo("Taken");
        rig.provider.called().taken();
        session.restart();

        assertThat(told(tries("token-1")))
                .as("the new one may never have arrived")
                .isEqualTo("Taken");
        rig.provider.called().taken();
    }

    @Test
    void aSessionThatMovesIsLetGoAndStopsWhenItsFactsAreWritten() {
        var caller = sits(joins(JOIN));
        var provider = rig.provider.called().taken();
        provider.says(Events.created(), Events.itemDone(Events.userItem("u", "hello")));
        caller.hears("conversation.item.done");
        session.runCommand(VoiceSession.Move.HAND_OVER);

        assertThat(caller.ended().code()).isEqualTo(1012);
        assertThat(provider.ended().code()).isEqualTo(1000);
        var persistenceId = VoiceSession.KEY.name() + "|" + id.value();
        Rig.eventually(() -> session.persistenceTestKit().persistedInStorage(persistenceId).stream()
                .anyMatch(event -> event instanceof SessionEvent.Told told
                        && told.facts().stream().anyMatch(SessionEvent.HandedOver.class::isInstance)));
    }

    @Test
    void aCallersToolIsExecutedOnceAndItsAnswerTold() {
        var caller = sits(joins(JOIN));
        var provider = rig.provider.called().taken();
        int before = rig.tools.called.get();
        provider.says(
                Events.created(),
                Events.begun("r1"),
                Events.outputItemDone("r1", Events.call("c1", "call_1", "completed")),
                Events.done("r1", "completed"));
        caller.hears("response.done");
        rig.tools.answer.complete(new parley.tool.Tools.Outcome(true, "noon"));

        assertThat(provider.hears()).contains("function_call_output", "noon");
        assertThat(provider.hears()).contains("response.create");
        assertThat(rig.tools.called.get() - before).isEqualTo(1);
    }

    @Test
    void aSessionThatIsWokenLivesUntilItsCallerHasNotComeInTime() {
        vacant(Rig.settings(Map.of("parley.session.resume-window", "200ms")));
        session.initialize((Object[]) crashed(Face.VOICE));
        session.runCommand(new VoiceSession.Wake());

        assertThat(awaitOver().reason()).isEqualTo(EndReason.CALLER_LEFT);
    }

    @Test
    void nobodyIsKeptInMemoryForASessionThatNeverWas() {
        session.runCommand(new VoiceSession.Wake());

        assertThat(shard.receiveMessage(Duration.ofSeconds(5))).isInstanceOf(ClusterSharding.Passivate.class);
    }

    @Test
    void anIdleVacantEntityLeavesItsShard() {
        session.runCommand(VoiceSession.Timeout.PASSIVATE);

        assertThat(shard.receiveMessage(Duration.ofSeconds(5))).isInstanceOf(ClusterSharding.Passivate.class);
    }

    @Test
    void theSumOfAllCostsIsToldInDollars() {
        bring("live");
        session.runCommand(note(1, Facts.SPENT, Facts.SPENT));
        session.runCommand(note(1, Facts.SPENT, Facts.SPENT));
        var costs = new ArrayList<Double>();
        costs.add(((Answer.Described) run(COMMANDS.get("Describe")).reply())
                .session()
                .costUsd());

        assertThat(costs).containsExactly(0.014412);
    }
}
