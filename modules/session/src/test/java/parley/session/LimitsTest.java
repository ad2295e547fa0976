package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parley.session.Conversations.Manner;
import parley.session.SessionEvent.Warned;
import parley.session.Stage.Reported.Over;

/** B4, L7: a conversation that grows idle or old, and a caller who speaks too fast. */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class LimitsTest {
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

    private void with(Map<String, ?> settings) {
        stage = new Stage(rig, Rig.settings(settings), rig.provider);
    }

    private void idleAfter(String timeout, String warning) {
        with(Map.of("parley.session.idle-timeout", timeout, "parley.session.warn-before", warning));
    }

    // ---- idle

    @Test
    void aSessionInWhichNothingHappensEndsAndItsCallerIsWarned() {
        idleAfter("3s", "2800ms");
        stage.starts(Face.VOICE, "usual");
        var talk = new Stage.Talk(
                stage.conversation(),
                stage.sits("seat-1", null),
                rig.provider.called().taken());
        long from = System.nanoTime();

        assertThat(talk.caller().hears("session.warning"))
                .containsPattern("\"reason\":\"idle\",\"ends_in_ms\":[0-9]{1,4}}");
        assertThat(talk.caller().hears("voice-ended")).contains("\"reason\":\"idle\"");
        assertThat(talk.caller().ended().code()).isEqualTo(1000);
        assertThat(talk.caller().unheard()).as("one warning").isZero();
        assertThat(Duration.ofNanos(System.nanoTime() - from)).isGreaterThan(Duration.ofMillis(1500));
        assertThat(talk.provider().ended().code()).isEqualTo(1000);
        assertThat(stage.reported.next(Over.class)).isEqualTo(new Over(EndReason.IDLE, ""));
        assertThat(stage.reported.journaled(Warned.class))
                .hasSize(1)
                .allMatch(warned -> warned.reason() == EndReason.IDLE
                        && warned.at().equals(Rig.NOON)
                        && warned.endsAt().isAfter(Rig.NOON));
    }

    @Test
    void aStrictCallerHearsNothingBeforeAndIsClosed() {
        idleAfter("300ms", "200ms");
        var talk = stage.talk(Face.REALTIME);

        var closed = talk.caller().ended();

        assertThat(closed.code()).isEqualTo(1000);
        assertThat(closed.reason()).isEqualTo("idle");
        assertThat(talk.caller().unheard()).isZero();
        assertThat(stage.reported.journaled(Warned.class)).isEmpty();
    }

    @Test
    void silenceThatAMicrophoneSendsKeepsNothing() {
        idleAfter("500ms", "300ms");
        var talk = stage.talk(Face.VOICE);
        var microphone = rig.loops
                .get(1)
                .scheduleAtFixedRate(() -> talk.caller().says(Events.append(20)), 0, 20, TimeUnit.MILLISECONDS);

        try {
            assertThat(talk.caller().hears("voice-ended")).contains("\"reason\":\"idle\"");
        } finally {
            microphone.cancel(false);
        }
    }

    @Test
    void whoSpeaksAfterTheWarningIsWarnedAnewAndNothingEnds() {
        idleAfter("60200ms", "60s");
        var talk = stage.talk(Face.VOICE);

        for (int i = 0; i < 3; i++) {
            talk.provider().says(Events.speechStarted("u" + i), Events.speechStopped("u" + i));
            talk.caller().hears("input_audio_buffer.speech_stopped");
            assertThat(talk.caller().hears("session.warning")).contains("\"reason\":\"idle\"");
        }

        assertThat(stage.reported.all).noneMatch(Over.class::isInstance);
    }

    @Test
    void anAnswerThatIsDueIsNoIdleness() {
        idleAfter("60200ms", "60s");
        var talk = stage.talk(Face.VOICE);
        talk.provider().says(Events.begun("r1"));
        talk.caller().hears("response.created");
        rig.loops.get(1).schedule(() -> talk.provider().says(Events.done("r1", "completed")), 1, TimeUnit.SECONDS);

        assertThat(talk.caller().hears()).as("no warning before").contains("response.done");

        assertThat(talk.caller().hears("session.warning")).contains("\"reason\":\"idle\"");
    }

    @Test
    void whatTheCallerWritesKeepsTheSession() {
        idleAfter("60200ms", "60s");
        var talk = stage.talk(Face.VOICE);

        for (int i = 0; i < 3; i++) {
            talk.caller()
                    .says("{\"type\":\"conversation.item.create\",\"item\":" + Events.userItem("u" + i, "hello") + "}");
            talk.caller().hears("session.warning");
        }

        assertThat(stage.reported.all).noneMatch(Over.class::isInstance);
    }

    @Test
    void whileNobodyIsOnTheLineOnlyTheResumeWindowRunsAndWhoComesBackBeginsAnew() {
        idleAfter("10m", "1m");
        stage.goesOn(
                saidAt(Rig.NOON.minus(Duration.ofMinutes(10)).plusMillis(300), Rig.NOON.minus(Duration.ofMinutes(11))));
        long from = System.nanoTime();
        Rig.eventually(() -> System.nanoTime() - from > 600_000_000L);

        var again = stage.sits("seat-2", Manner.BACK, 1, null);
        again.hears("session.resumed");
        again.says("{\"type\":\"ping\"}");

        assertThat(again.hears()).contains("pong");
        assertThat(stage.reported.all).noneMatch(Over.class::isInstance);
    }

    /** A session with this one turn, which was at this time, let go in good order. */
    private static List<SessionEvent> saidAt(Instant at, Instant openedAt) {
        return List.of(
                new SessionEvent.Opened(
                        Facts.ANNA, Face.VOICE, parley.admission.Arm.VOICE, "usual", openedAt, null, null),
                new SessionEvent.Hosted("first", openedAt),
                Facts.ATTACHED,
                new SessionEvent.UserSaid("item_u", "hello", 0, at),
                new SessionEvent.HandedOver(0, at));
    }

    @Test
    void aMoveKeepsTheTimeOfSilence() {
        idleAfter("10m", "1m");
        stage.goesOn(
                saidAt(Rig.NOON.minus(Duration.ofMinutes(9)).plusMillis(300), Rig.NOON.minus(Duration.ofMinutes(10))));
        var caller = stage.sits("seat-1", Manner.MOVED, 0, null);

        assertThat(caller.hears("session.warning")).contains("\"reason\":\"idle\",\"ends_in_ms\":5");
    }

    @Test
    void whatHasEndedDuringAMoveEnds() {
        idleAfter("10m", "1m");
        stage.goesOn(saidAt(Rig.NOON.minus(Duration.ofMinutes(11)), Rig.NOON.minus(Duration.ofMinutes(12))));
        var caller = stage.sits("seat-1", Manner.MOVED, 0, null);

        assertThat(caller.hears("voice-ended")).contains("\"reason\":\"idle\"");
    }

    // ---- maximum length

    @Test
    void theLongestTimeIsAnnouncedOnceAlsoAfterAMove() {
        with(Map.of("parley.session.max-length", "30m", "parley.session.warn-before", "1m"));
        stage.goesOn(saidAt(Rig.NOON, Rig.NOON.minus(Duration.ofMinutes(29)).plusMillis(500)));
        var caller = stage.sits("seat-1", Manner.MOVED, 0, null);

        assertThat(caller.hears("session.warning")).contains("\"reason\":\"max_length\",\"ends_in_ms\":5");
        assertThat(stage.reported.next(Warned.class).reason()).isEqualTo(EndReason.MAX_LENGTH);
        assertThat(stage.reported.all).noneMatch(Over.class::isInstance);
    }

    // ---- too fast

    @Test
    void whatComesTooFastIsDroppedAndTheCallerToldOnce() {
        with(Map.of(
                "parley.session.max-frames-per-second", 10,
                "parley.session.frame-burst", "1s",
                "parley.session.relink.audio", "1s"));
        var talk = stage.talk(Face.VOICE);
        long before = rig.metrics.framesOverRate();
        for (int i = 0; i < 60; i++) {
            talk.caller().says(Events.append(1));
        }

        assertThat(talk.caller().hears("error"))
                .contains("\"code\":\"rate_limited\"")
                .contains("10 frames per second");
        Rig.eventually(() -> talk.caller().untaken() == 0);
        stage.settle();
        long dropped = rig.metrics.framesOverRate() - before;
        for (int i = 0; i < 60 - dropped; i++) {
            talk.provider().hears("input_audio_buffer.append");
        }
        assertThat(dropped).isBetween(1L, 40L);
        assertThat(talk.caller().unheard()).isZero();
        assertThat(talk.provider().unheard()).isZero();
    }

    @Test
    void whoDoesNotStopIsClosedAndMayComeBack() {
        with(Map.of(
                "parley.session.max-frames-per-second", 10,
                "parley.session.frame-burst", "1s",
                "parley.session.frame-abuse", "500ms",
                "parley.session.relink.audio", "0s"));
        var talk = stage.talk(Face.VOICE);
        var microphone = rig.loops
                .get(1)
                .scheduleAtFixedRate(() -> talk.caller().says(Events.append(1)), 0, 5, TimeUnit.MILLISECONDS);

        try {
            var closed = talk.caller().ended();

            assertThat(closed.code()).isEqualTo(4429);
            assertThat(closed.reason()).isEqualTo("rate_limited");
        } finally {
            microphone.cancel(false);
        }
        assertThat(stage.reported.next(Stage.Reported.CallerEnded.class).code()).isEqualTo(4429);
        var again = stage.sits("seat-2", Manner.BACK, 1, null);
        again.says(Events.append(3));
        assertThat(again.hears("session.created")).isNotEmpty();
    }

    @Test
    void aStrictCallerIsHeldBackAndLosesNothing() {
        with(Map.of(
                "parley.session.max-frames-per-second", 50,
                "parley.session.frame-burst", "200ms",
                "parley.session.relink.audio", "0s"));
        var talk = stage.talk(Face.REALTIME);
        long from = System.nanoTime();
        for (int i = 0; i < 60; i++) {
            talk.caller().says(Events.append((char) ('A' + i % 26), 1));
        }

        for (int i = 0; i < 60; i++) {
            assertThat(talk.provider().hears()).isEqualTo(Events.append((char) ('A' + i % 26), 1));
        }

        assertThat(Duration.ofNanos(System.nanoTime() - from)).isGreaterThan(Duration.ofMillis(600));
        assertThat(talk.caller().unheard()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Face.class)
    void otherEventsAreNotCounted(Face face) {
        with(Map.of(
                "parley.session.max-frames-per-second", 1,
                "parley.session.frame-burst", "1s",
                "parley.session.relink.audio", "0s"));
        var talk = stage.talk(face);
        for (int i = 0; i < 50; i++) {
            talk.caller().says(Events.plain("vendor.special"));
        }

        for (int i = 0; i < 50; i++) {
            talk.provider().hears("vendor.special");
        }
        assertThat(talk.caller().unheard()).isZero();
    }
}
