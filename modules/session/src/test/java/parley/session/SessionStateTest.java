package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import parley.session.SessionState.Live;
import parley.session.SessionState.Over;
import parley.session.SessionState.Vacant;

@Tag("unit")
class SessionStateTest {
    private static final Live FRESH = (Live) new Vacant().after(Facts.OPENED);
    private static final Turn SPOKEN = new Turn(Turn.Role.USER, "item_u", null, 1500, 1500, null, null, Rig.NOON);
    private static final Turn SAID =
            new Turn(Turn.Role.AGENT, "item_a", "one two three four", 2000, 2000, null, null, Rig.NOON);
    private static final Turn CALL = new Turn(Turn.Role.TOOL_CALL, "item_c", "{}", 0, 0, "time", "call_1", Rig.NOON);
    private static final Turn RESULT =
            new Turn(Turn.Role.TOOL_RESULT, "item_r", "noon", 0, 0, null, "call_1", Rig.NOON);
    private static final Live TALKED = live(List.of(SPOKEN, SAID), "seat", 0);

    private static Live live(List<Turn> turns, @org.jspecify.annotations.Nullable String seat, long cost) {
        return new Live(Facts.OPENED, null, null, seat, "hash", turns, cost == 0 ? Tokens.NONE : Facts.SOME, cost);
    }

    static Stream<Arguments> whatFollowsInALiveSession() {
        return Stream.of(
                Arguments.of(Facts.OPENED, TALKED),
                Arguments.of(Facts.ATTACHED, TALKED),
                Arguments.of(Facts.DETACHED, live(List.of(SPOKEN, SAID), null, 0)),
                Arguments.of(new SessionEvent.CallerDetached("another", 1006, Rig.NOON), TALKED),
                Arguments.of(
                        Facts.UPSTREAM,
                        new Live(
                                Facts.OPENED,
                                Facts.UPSTREAM,
                                null,
                                "seat",
                                "hash",
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
                                "seat",
                                "hash",
                                List.of(SPOKEN, SAID),
                                Tokens.NONE,
                                0)),
                Arguments.of(Facts.USER_SAID, live(List.of(SPOKEN, SAID, SPOKEN), "seat", 0)),
                Arguments.of(
                        Facts.TRANSCRIBED,
                        live(
                                List.of(
                                        new Turn(Turn.Role.USER, "item_u", "hello", 1500, 1500, null, null, Rig.NOON),
                                        SAID),
                                "seat",
                                0)),
                Arguments.of(Facts.AGENT_SAID, live(List.of(SPOKEN, SAID, SAID), "seat", 0)),
                Arguments.of(
                        Facts.CUT,
                        live(
                                List.of(
                                        SPOKEN,
                                        new Turn(
                                                Turn.Role.AGENT,
                                                "item_a",
                                                "one two three four",
                                                2000,
                                                1000,
                                                null,
                                                null,
                                                Rig.NOON)),
                                "seat",
                                0)),
                Arguments.of(Facts.CALLED, live(List.of(SPOKEN, SAID, CALL), "seat", 0)),
                Arguments.of(Facts.ANSWERED, live(List.of(SPOKEN, SAID, RESULT), "seat", 0)),
                Arguments.of(Facts.DELETED, live(List.of(SAID), "seat", 0)),
                Arguments.of(Facts.SPENT, live(List.of(SPOKEN, SAID), "seat", 7206)),
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
}
