package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import parley.session.SessionState.Answering;
import parley.session.SessionState.Hosting;
import parley.session.SessionState.Line;
import parley.session.SessionState.Live;
import parley.session.SessionState.Over;
import parley.session.SessionState.Vacant;

@Tag("unit")
class SessionStateTest {
    private static final Line SEATED = new Line("seat", "hash", "shown", List.of(), true, "pekko://here");
    private static final Hosting FIRST = new Hosting("pekko://here/first", 1, false, 0, 0);
    private static final Live FRESH = (Live) new Vacant().after(Facts.OPENED);
    private static final Turn SPOKEN = new Turn(Turn.Role.USER, "item_u", null, 1500, 1500, null, null, Rig.NOON);
    private static final Turn SAID =
            new Turn(Turn.Role.AGENT, "item_a", "one two three four", 2000, 2000, null, null, Rig.NOON);
    private static final Turn CALL = new Turn(Turn.Role.TOOL_CALL, "item_c", "{}", 0, 0, "time", "call_1", Rig.NOON);
    private static final Turn RESULT =
            new Turn(Turn.Role.TOOL_RESULT, "item_r", "noon", 0, 0, null, "call_1", Rig.NOON);
    private static final Live TALKED = live(List.of(SPOKEN, SAID));

    private static Live live(List<Turn> turns) {
        return live(turns, SEATED, FIRST, null);
    }

    private static Live live(List<Turn> turns, Line line, Hosting hosting, @Nullable Answering answer) {
        return new Live(Facts.OPENED, null, null, line, hosting, answer, turns, Tokens.NONE, 0);
    }

    private static Live answering() {
        return (Live) TALKED.after(Facts.BEGAN);
    }

    static Stream<Arguments> whatFollowsInALiveSession() {
        return Stream.of(
                Arguments.of(Facts.OPENED, TALKED),
                Arguments.of(
                        Facts.HOSTED,
                        live(List.of(SPOKEN, SAID), SEATED, new Hosting("pekko://here/first", 2, false, 0, 0), null)),
                Arguments.of(
                        Facts.HANDED_OVER,
                        live(List.of(SPOKEN, SAID), SEATED, new Hosting("pekko://here/first", 1, true, 41, 0), null)),
                Arguments.of(
                        Facts.TOLD,
                        new Live(
                                Facts.OPENED,
                                null,
                                null,
                                SEATED,
                                new Hosting("pekko://here/first", 1, false, 0, 1),
                                null,
                                List.of(SPOKEN, SAID),
                                Facts.SOME,
                                7206)),
                Arguments.of(Facts.ATTACHED, TALKED),
                Arguments.of(
                        Facts.DETACHED,
                        live(
                                List.of(SPOKEN, SAID),
                                new Line("seat", "hash", "shown", List.of(), false, null),
                                FIRST,
                                null)),
                Arguments.of(new SessionEvent.CallerDetached("another", 1006, Rig.NOON), TALKED),
                Arguments.of(
                        Facts.UPSTREAM,
                        new Live(
                                Facts.OPENED,
                                Facts.UPSTREAM,
                                null,
                                SEATED,
                                FIRST,
                                null,
                                List.of(SPOKEN, SAID),
                                Tokens.NONE,
                                0)),
                Arguments.of(Facts.LOST, TALKED),
                Arguments.of(
                        Facts.CONFIGURED,
                        new Live(
                                Facts.OPENED,
                                null,
                                Facts.CONFIGURED.session(),
                                SEATED,
                                FIRST,
                                null,
                                List.of(SPOKEN, SAID),
                                Tokens.NONE,
                                0)),
                Arguments.of(Facts.USER_SAID, TALKED),
                Arguments.of(
                        new SessionEvent.UserSaid("item_v", "go on", 0, Rig.NOON),
                        live(List.of(
                                SPOKEN,
                                SAID,
                                new Turn(Turn.Role.USER, "item_v", "go on", 0, 0, null, null, Rig.NOON)))),
                Arguments.of(
                        Facts.TRANSCRIBED,
                        live(List.of(
                                new Turn(Turn.Role.USER, "item_u", "hello", 1500, 1500, null, null, Rig.NOON), SAID))),
                Arguments.of(
                        Facts.BEGAN,
                        live(List.of(SPOKEN, SAID), SEATED, FIRST, answering().answer())),
                Arguments.of(Facts.HEARD, TALKED),
                Arguments.of(Facts.AGENT_SAID, TALKED),
                Arguments.of(
                        Facts.CUT,
                        live(List.of(
                                SPOKEN,
                                new Turn(
                                        Turn.Role.AGENT,
                                        "item_a",
                                        "one two three four",
                                        2000,
                                        1000,
                                        null,
                                        null,
                                        Rig.NOON)))),
                Arguments.of(Facts.ENDED_ANSWER, TALKED),
                Arguments.of(Facts.CALLED, live(List.of(SPOKEN, SAID, CALL))),
                Arguments.of(Facts.ANSWERED, live(List.of(SPOKEN, SAID, RESULT))),
                Arguments.of(Facts.DELETED, live(List.of(SAID))),
                Arguments.of(
                        Facts.SPENT,
                        new Live(
                                Facts.OPENED,
                                null,
                                null,
                                SEATED,
                                FIRST,
                                null,
                                List.of(SPOKEN, SAID),
                                Facts.SOME,
                                7206)),
                Arguments.of(Facts.WARNED, TALKED),
                Arguments.of(Facts.ENDED, new Over(TALKED, EndReason.PROVIDER_LOST, "1006", Rig.NOON)));
    }

    static List<SessionEvent> everyFact() {
        return Facts.ALL;
    }

    @ParameterizedTest
    @MethodSource
    void whatFollowsInALiveSession(SessionEvent fact, SessionState next) {
        assertThat(TALKED.after(fact)).isEqualTo(next);
    }

    @ParameterizedTest
    @MethodSource("everyFact")
    void aVacantSessionIsOnlyEverOpened(SessionEvent fact) {
        var next = new Vacant().after(fact);

        assertThat(next).isEqualTo(fact instanceof SessionEvent.Opened ? FRESH : new Vacant());
    }

    @ParameterizedTest
    @MethodSource("everyFact")
    void aSessionThatIsOverLearnsWhatCameLateAndStaysOver(SessionEvent fact) {
        var over = new Over(TALKED, EndReason.MAX_LENGTH, null, Rig.NOON);

        var next = over.after(fact);

        assertThat(next)
                .isEqualTo(
                        TALKED.after(fact) instanceof Live late
                                ? new Over(late, EndReason.MAX_LENGTH, null, Rig.NOON)
                                : over);
    }

    @Test
    void everyFactHasItsCase() {
        assertThat(Facts.ALL.stream().map(fact -> fact.getClass().getSimpleName()))
                .containsExactlyInAnyOrderElementsOf(Stream.of(SessionEvent.class.getPermittedSubclasses())
                        .map(Class::getSimpleName)
                        .toList());
    }

    @Test
    void aLaterCutCorrectsAnEarlierOne() {
        var cut = (Live) TALKED.after(Facts.CUT);

        var corrected = (Live) cut.after(new SessionEvent.AgentCut("item_a", 1500, Rig.NOON));

        assertThat(corrected.turns().getLast().heardMs()).isEqualTo(1500);
    }

    @Test
    void whoTookTheConversationIsRememberedAfterTheLineIsLost() {
        var lost = (Live) FRESH.after(Facts.UPSTREAM).after(Facts.LOST);

        assertThat(lost.upstream()).isEqualTo(Facts.UPSTREAM);
    }

    @Test
    void anAnswerIsDueUntilItHasEnded() {
        assertThat(answering().answer()).isNotNull();
        assertThat(answering().answer().responseId()).isEqualTo("resp_1");
        assertThat(answering().answer().heard()).isNull();
        var heard = (Live) answering().after(Facts.HEARD);
        assertThat(heard.answer().heard()).isEqualTo(Facts.HEARD);
        var another = (Live) heard.after(new SessionEvent.AnswerEnded("resp_0", Rig.NOON));
        assertThat(another.answer()).as("another's end").isEqualTo(heard.answer());

        assertThat(((Live) heard.after(Facts.ENDED_ANSWER)).answer()).isNull();
    }

    @Test
    void anEpochEndsWithAHostThatWasLostAndNotWithOneThatLetGo() {
        var first = (Live) FRESH.after(Facts.HOSTED);
        var moved = (Live) first.after(Facts.HANDED_OVER).after(new SessionEvent.Hosted("second", Rig.NOON));
        var lost = (Live) moved.after(new SessionEvent.Hosted("third", Rig.NOON));

        assertThat(first.hosting().epoch()).isEqualTo(1);
        assertThat(moved.hosting().epoch()).isEqualTo(1);
        assertThat(moved.hosting().seq()).isEqualTo(41);
        assertThat(lost.hosting().epoch()).isEqualTo(2);
    }

    @Test
    void aBatchIsTakenOnceAndOnlyInItsOrder() {
        var first = (Live) TALKED.after(Facts.TOLD);

        assertThat(first.after(Facts.TOLD)).isEqualTo(first);
        var second = (Live) first.after(new SessionEvent.Told(2, List.of(Facts.SPENT), Rig.NOON));
        assertThat(second.costMicros()).isEqualTo(2 * 7206);
        assertThat(second.after(Facts.TOLD)).isEqualTo(second);
    }
}
