package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static parley.session.LinkPortTest.audio;
import static parley.session.LinkPortTest.control;

import io.opentelemetry.api.trace.TracerProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parley.meter.Meters;
import parley.wire.LogFields;
import parley.wire.Loops;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/** B12, R1: the caller's socket outlives its session's line. */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class EdgeLineTest {
    private static final String RESUMED = "{\"type\":\"session.resumed\"}";
    private static Loops loops;

    private final Meters meters = new Meters();
    private final SessionMetrics metrics =
            new SessionMetrics(meters, 2, TracerProvider.noop().get(""));
    private final FakeReach reach = new FakeReach();
    private final FakePort caller = new FakePort(loops.get(0));
    private FakePort session = new FakePort(loops.get(0));

    @BeforeAll
    static void start() {
        loops = Loops.create(2);
    }

    @AfterAll
    static void stop() {
        loops.close();
    }

    private EdgeLine connect(boolean guided, Map<String, ?> settings) {
        return connect(session, guided, settings);
    }

    private EdgeLine connect(Port first, boolean guided, Map<String, ?> settings) {
        var line = new EdgeLine(first, LogFields.NONE, guided, 0, reach, Rig.settings(settings), metrics);
        loops.get(0).execute(() -> caller.join(line));
        return line;
    }

    private void guided() {
        connect(true, Map.of());
    }

    private void strict() {
        connect(false, Map.of());
    }

    private void tells(String... lines) {
        assertThat(meters.prometheus().lines()).contains(lines);
    }

    private static String event(long seq) {
        return "{\"seq\":" + seq + ",\"type\":\"response.output_text.delta\"}";
    }

    private void moves() {
        session.hangsUp(1012, "moved");
    }

    /** The session is somewhere else now. */
    private FakePort found(FakeReach.Asked asked) {
        session = new FakePort(loops.get(0));
        asked.line(session);
        return session;
    }

    // ---- while the line holds

    @Test
    void framesPassBothWays() {
        guided();
        caller.says(control(1), audio(2));
        session.says(event(1), event(2));

        assertThat(List.of(session.hears(), session.hears())).containsExactly(control(1), audio(2));
        assertThat(List.of(caller.hears(), caller.hears())).containsExactly(event(1), event(2));
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 1008, 4000, 4001, 1011, 1013})
    void anyOtherEndOfTheSessionIsTheCallersWithItsLastFrames(int code) {
        guided();
        caller.stopsReading();
        session.says(event(1), event(2));
        session.hangsUp(code, "because");
        caller.readsOn();

        assertThat(List.of(caller.hears(), caller.hears())).containsExactly(event(1), event(2));
        assertThat(caller.ended()).isEqualTo(new WebSocketClose(code, "because", false));
        assertThat(reach.questions()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1006, 4003})
    void theCallersEndIsTheSessionsWithItsLastFrames(int code) {
        guided();
        session.stopsReading();
        caller.says(control(1), control(2));
        caller.hangsUp(code, "bye");

        assertThat(List.of(session.hears(), session.hears())).containsExactly(control(1), control(2));
        assertThat(session.ended().code()).isEqualTo(code);
    }

    @Test
    void aSlowSessionHoldsTheCallerBack() {
        guided();
        session.stopsReading();
        caller.says(control(1), control(2));
        caller.says(control(3));
        session.says(event(1));
        caller.hears();
        assertThat(caller.untaken()).isEqualTo(3);
        session.readsOn();

        assertThat(List.of(session.hears(), session.hears(), session.hears()))
                .containsExactly(control(1), control(2), control(3));
    }

    // ---- a move

    @Test
    void theCallerStaysAndGoesOnWithTheNewLine() {
        guided();
        session.says(event(7));
        caller.hears();
        moves();
        var asked = reach.asked();
        assertThat(asked.lastSeq).isEqualTo(7);
        caller.says(control(1), audio(2), control(3));
        found(asked);

        assertThat(List.of(session.hears(), session.hears(), session.hears()))
                .containsExactly(control(1), audio(2), control(3));
        session.says(event(8));
        assertThat(caller.hears()).isEqualTo(event(8));
        assertThat(metrics.relinked()).isEqualTo(1);
        tells(
                "voice_session_handover_seconds_count 1",
                "voice_relinks_total{outcome=\"found\"} 1",
                "voice_relinks_total{outcome=\"failed\"} 0");
    }

    @Test
    void aStrictCallerHasNoNumber() {
        strict();
        session.says(RESUMED);
        caller.hears();
        moves();

        assertThat(reach.asked().lastSeq).isEqualTo(-1);
    }

    @Test
    void whoCameBackHasANumberBeforeTheFirstEvent() {
        var line = new EdgeLine(session, LogFields.NONE, true, 41, reach, Rig.settings(Map.of()), metrics);
        loops.get(0).execute(() -> caller.join(line));
        moves();

        assertThat(reach.asked().lastSeq).isEqualTo(41);
    }

    @Test
    void whatTheOldLineStillHeldGoesToTheCallerFirst() {
        guided();
        caller.stopsReading();
        session.says(event(1), event(2), event(3));
        moves();
        var asked = reach.asked();
        assertThat(asked.lastSeq).isEqualTo(3);
        found(asked).says(event(4));
        caller.readsOn();

        assertThat(List.of(caller.hears(), caller.hears(), caller.hears(), caller.hears()))
                .containsExactly(event(1), event(2), event(3), event(4));
    }

    @Test
    void aCallerThatDoesNotReadIsNotAskedForWhileMuchWaits() {
        connect(true, Map.of("parley.session.link.frames", 4));
        caller.stopsReading();
        session.says(event(1), event(2), event(3), event(4));
        moves();
        found(reach.asked()).says(event(5));
        moves();
        // Held in the line that ended, until the caller takes some.
        caller.says(control(1));
        Rig.eventually(() -> caller.untaken() == 0);
        assertThat(reach.questions()).isZero();
        caller.readsOn();

        for (int seq = 1; seq <= 5; seq++) {
            assertThat(caller.hears()).isEqualTo(event(seq));
        }
        assertThat(found(reach.asked()).hears()).isEqualTo(control(1));
    }

    @Test
    void framesThatTheSessionDidNotTakeComeBeforeThoseThatFollow() {
        try (var wires = new Wires(loops, Rig.settings(Map.of()), 1)) {
            var ends = wires.line();
            connect(ends.caller(), true, Map.of());
            caller.says(control(1), audio(2), control(3), audio(4));
            takes(ends.session(), 2);
            Rig.eventually(() -> caller.untaken() == 0);
            ends.session().close(1012, "moved");
            var asked = reach.asked();
            caller.says(control(5));
            found(asked);

            assertThat(List.of(session.hears(), session.hears(), session.hears()))
                    .containsExactly(control(3), audio(4), control(5));
        }
    }

    @Test
    void afterALostConnectionNoControlFrameIsLostOrSaidTwice() {
        try (var wires = new Wires(loops, Rig.settings(Map.of()), 1)) {
            var ends = wires.line();
            connect(ends.caller(), true, Map.of());
            caller.says(control(1), control(2), control(3));
            takes(ends.session(), 2);
            // Comes after the credits.
            loops.get(1).execute(() -> ends.session().send(parley.wire.Frame.text(event(1))));
            caller.hears();
            wires.cut();
            caller.says(control(4));

            assertThat(List.of(found(reach.asked()).hears(), session.hears())).containsExactly(control(3), control(4));
        }
    }

    @Test
    void whatALineDidNotTakeBeforeItEndedGoesToTheNext() {
        guided();
        session.stopsReading();
        caller.says(control(1), audio(2));
        session.says(event(1));
        caller.hears();
        moves();
        var old = session;
        found(reach.asked());

        assertThat(List.of(session.hears(), session.hears())).containsExactly(control(1), audio(2));
        assertThat(old.unheard()).isZero();
    }

    @Test
    void aSessionThatEndsWithFramesUntakenLeavesNothingBehind() {
        try (var wires = new Wires(loops, Rig.settings(Map.of()), 1)) {
            var ends = wires.line();
            connect(ends.caller(), true, Map.of());
            caller.says(control(1), control(2), control(3));
            takes(ends.session(), 1);
            ends.session().close(1000, "over");

            assertThat(caller.ended()).isEqualTo(new WebSocketClose(1000, "over", false));
        }
    }

    @Test
    void aLineThatEndsBeforeAnybodyListensIsAskedForAgain() {
        moves();
        guided();

        assertThat(found(reach.asked()).ending()).isNull();
    }

    @Test
    void itIsAskedForAtOnceAndThenEverMoreRarely() {
        guided();
        moves();
        var times = new ArrayList<Long>();
        for (int i = 0; i < 5; i++) {
            var asked = reach.asked();
            times.add(asked.at);
            if (i % 2 == 0) {
                asked.later();
            } else {
                asked.fails();
            }
        }
        // Half of 50, 100, 200 and 400 ms is certain, half is chance.
        for (int i = 0; i < 4; i++) {
            assertThat(TimeUnit.NANOSECONDS.toMillis(times.get(i + 1) - times.get(i)))
                    .isBetween(25L << i, (50L << i) + 10_000);
        }
        reach.asked();
    }

    @Test
    void aLineThatDoesNotHoldIsNotAskedForInCircles() {
        connect(true, Map.of("parley.session.link.dead-after", "60s"));
        moves();
        found(reach.asked());
        moves();
        var second = reach.asked();
        long before = second.at;
        found(second);
        moves();

        assertThat(TimeUnit.NANOSECONDS.toMillis(reach.asked().at - before)).isGreaterThanOrEqualTo(50);
    }

    @Test
    void aCallerIsToldOnceOfAPauseThatLasts() {
        guided();
        session.says(event(4));
        caller.hears();
        moves();
        var asked = reach.asked();

        assertThat(caller.hears()).isEqualTo("{\"seq\":4,\"type\":\"session.reconnecting\",\"what\":\"session\"}");
        found(asked).says(event(5));
        assertThat(caller.hears()).isEqualTo(event(5));
    }

    @Test
    void aShortPauseIsNotTold() throws Exception {
        var next = new FakePort(loops.get(0));
        reach.leadsTo(next);
        guided();
        moves();
        reach.asked();
        TimeUnit.MILLISECONDS.sleep(1200);
        next.says(event(1));

        assertThat(caller.hears()).isEqualTo(event(1));
    }

    @Test
    void aStrictCallerIsNotToldWhatItDoesNotKnow() {
        connect(false, Map.of("parley.session.relink.for", "1500ms"));
        moves();

        assertThat(caller.ended()).isEqualTo(new WebSocketClose(1012, "try again", false));
        assertThat(caller.unheard()).isZero();
    }

    @Test
    void afterRelinkForTheCallerIsSentAway() {
        connect(true, Map.of("parley.session.relink.for", "100ms"));
        moves();
        var asked = reach.asked();
        caller.says(control(1), audio(2));

        assertThat(caller.ended()).isEqualTo(new WebSocketClose(1012, "try again", false));
        assertThat(metrics.relinksFailed()).isEqualTo(1);
        assertThat(found(asked).ended().code()).isEqualTo(1012);
    }

    @Test
    void aFinalRefusalEndsWithItsCodeAndLastWords() {
        guided();
        session.says(event(3));
        caller.hears();
        moves();
        reach.asked().never(4000, "session_expired", "{\"type\":\"error\"}");

        assertThat(caller.hears()).isEqualTo("{\"seq\":3,\"type\":\"error\"}");
        assertThat(caller.ended()).isEqualTo(new WebSocketClose(4000, "session_expired", false));
    }

    @Test
    void theLastWordsToAStrictCallerAreAsTheyAre() {
        strict();
        moves();
        reach.asked().never(1008, "gone", "{\"type\":\"error\"}");

        assertThat(caller.hears()).isEqualTo("{\"type\":\"error\"}");
        assertThat(caller.ended().code()).isEqualTo(1008);
    }

    // ---- bounds

    @Test
    void aGuidedCallersOldestAudioIsDroppedAndCountedButNothingElse() {
        connect(true, Map.of("parley.session.relink.audio", "60ms"));
        moves();
        var asked = reach.asked();
        caller.says(control(0), audio(1), audio(2), control(3), audio(4), audio(5), audio(6));
        Rig.eventually(() -> caller.untaken() == 0);
        found(asked);

        assertThat(List.of(session.hears(), session.hears(), session.hears(), session.hears(), session.hears()))
                .containsExactly(control(0), control(3), audio(4), audio(5), audio(6));
        assertThat(metrics.relinkDroppedMs()).isEqualTo(40);
        tells("voice_audio_dropped_seconds_total{direction=\"in\",cause=\"relink\"} 0.04");
    }

    @Test
    void aStrictCallerIsHeldBackInstead() {
        connect(false, Map.of("parley.session.relink.audio", "60ms"));
        moves();
        var asked = reach.asked();
        caller.says(audio(1), audio(2), audio(3), audio(4), audio(5));
        Rig.eventually(() -> caller.untaken() == 2);
        found(asked);

        for (int n = 1; n <= 5; n++) {
            assertThat(session.hears()).isEqualTo(audio(n));
        }
        assertThat(metrics.relinkDroppedMs()).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void soIsWhoeverSaysTooMuchElse(boolean guided) {
        connect(guided, Map.of("parley.session.relink.frames", 3));
        moves();
        var asked = reach.asked();
        caller.says(control(1), control(2), control(3), control(4), control(5));
        Rig.eventually(() -> caller.untaken() == 2);
        found(asked);

        for (int n = 1; n <= 5; n++) {
            assertThat(session.hears()).isEqualTo(control(n));
        }
    }

    @Test
    void whatWaitedGoesOutAsFastAsTheNewLineTakesIt() {
        guided();
        moves();
        var asked = reach.asked();
        caller.says(control(1), control(2));
        Rig.eventually(() -> caller.untaken() == 0);
        session = new FakePort(loops.get(0));
        session.stopsReading();
        asked.line(session);
        caller.says(control(3));
        session.says(event(1));
        caller.hears();
        assertThat(session.unheard()).isZero();
        session.readsOn();

        assertThat(List.of(session.hears(), session.hears(), session.hears()))
                .containsExactly(control(1), control(2), control(3));
    }

    // ---- the caller leaves meanwhile

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1006})
    void aLineThatComesTooLateHearsHowTheCallerLeft(int code) {
        guided();
        moves();
        var asked = reach.asked();
        caller.says(control(1), audio(2));
        Rig.eventually(() -> caller.untaken() == 0);
        caller.hangsUp(code, "");
        Rig.eventually(() -> caller.ending() != null);
        found(asked);

        assertThat(session.ended().code()).isEqualTo(code);
        assertThat(session.unheard()).isZero();
    }

    @Test
    void forAGoodbyeTheLineIsAskedForOnceMore() {
        guided();
        moves();
        reach.asked().later();
        caller.hangsUp(1000, "");
        var asked = reach.asked();
        asked.later();
        found(reach.asked());

        assertThat(session.ended().code()).isEqualTo(1000);
    }

    @Test
    void whoIsLostIsNotAskedFor() throws Exception {
        guided();
        moves();
        var asked = reach.asked();
        caller.hangsUp(1006, "");
        Rig.eventually(() -> caller.ending() != null);
        asked.later();
        TimeUnit.MILLISECONDS.sleep(200);

        assertThat(reach.questions()).isZero();
    }

    // ---- the node is to stop

    @Test
    void aGuidedCallerIsAskedToLeaveAndMayTalkOnUntilItHas() {
        var line = connect(true, Map.of());
        session.says(event(9));
        caller.hears();
        line.leave(Duration.ofMillis(250), Duration.ofSeconds(10));

        assertThat(caller.hears())
                .isEqualTo("{\"seq\":9,\"type\":\"session.draining\",\"reason\":\"restart\",\"deadline_ms\":10000,"
                        + "\"reconnect\":{\"after_ms\":250}}");
        caller.says(control(1));
        assertThat(session.hears()).isEqualTo(control(1));
        session.hangsUp(4001, "resumed elsewhere");
        assertThat(caller.ended().code()).isEqualTo(4001);
        assertThat(line.overstayed()).isFalse();
    }

    @Test
    void whoStaysBeyondTheDeadlineIsCutOffAndTheSessionLosesALine() {
        var line = connect(true, Map.of());
        line.leave(Duration.ZERO, Duration.ofMillis(100));
        caller.hears();

        assertThat(caller.ended()).isEqualTo(new WebSocketClose(1012, "restart", false));
        assertThat(session.ended().code()).isEqualTo(1012);
        assertThat(line.overstayed()).isTrue();
    }

    @Test
    void aStrictCallerIsCutOffInAQuietMoment() {
        var line = connect(false, Map.of());
        line.leave(Duration.ZERO, Duration.ofMinutes(1));
        var speech =
                loops.get(0).scheduleWithFixedDelay(() -> session.saysAtOnce(RESUMED), 0, 50, TimeUnit.MILLISECONDS);
        for (int i = 0; i < 26; i++) {
            assertThat(caller.hears()).isEqualTo(RESUMED);
        }
        assertThat(line.closed().toCompletableFuture()).isNotDone();
        speech.cancel(false);

        assertThat(caller.ended()).isEqualTo(new WebSocketClose(1012, "restart", false));
        assertThat(session.ended().code()).isEqualTo(1012);
        assertThat(line.overstayed()).isFalse();
    }

    // ---- many moves

    /** The session's end of the line is on the connection's loop, or on another. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void overManyMovesEveryFrameArrivesOnceAndInOrder(long seed) {
        var random = new Random(seed);
        var said = new ArrayList<String>();
        var heard = new ArrayList<String>();
        boolean guided = random.nextBoolean();
        var patient = Map.of("parley.session.link.ping", "1ms", "parley.session.link.dead-after", "3ms");
        var quiet = Rig.settings(Map.of("parley.session.link.dead-after", "60s"));
        try (var near = new Wires(loops, quiet, 0);
                var far = new Wires(loops, quiet, 1)) {
            var place = place(random, near, far);
            connect(place.line, guided, patient);
            for (int move = 0; move < 40; move++) {
                long since = System.nanoTime();
                speaks(random, said);
                takesSome(random, place, heard);
                // A line that has held is followed by another at once.
                Rig.eventually(() -> System.nanoTime() - since > TimeUnit.MILLISECONDS.toNanos(8));
                place.leaves();
                speaks(random, said);
                var asked = reach.asked();
                speaks(random, said);
                if (random.nextInt(4) == 0) {
                    asked.later();
                    asked = reach.asked();
                }
                assertThat(place.poll()).as("after the close").isNull();
                place = place(random, near, far);
                asked.line(place.line);
            }
            while (heard.size() < said.size()) {
                var next = place.takes();
                assertThat(next).isNotEmpty();
                heard.addAll(next);
            }

            assertThat(heard).isEqualTo(said);
            caller.hangsUp(1000, "");
            Rig.await(place.session.closed());
        }
    }

    private void speaks(Random random, List<String> said) {
        for (int i = random.nextInt(20); i > 0; i--) {
            var text = random.nextInt(3) == 0 ? control(said.size()) : audio(said.size());
            said.add(text);
            caller.says(text);
        }
    }

    private static void takesSome(Random random, Place place, List<String> heard) {
        for (int i = random.nextInt(15); i > 0; i--) {
            var next = place.poll();
            if (next != null) {
                heard.add(next);
            }
        }
    }

    private static Place place(Random random, Wires near, Wires far) {
        var ends = (random.nextBoolean() ? near : far).line();
        return new Place(ends.caller(), ends.session());
    }

    /** A home of the session, behind a link. */
    private record Place(LinkPort line, LinkPort session) {
        @org.jspecify.annotations.Nullable
        String poll() {
            return Rig.await(CompletableFuture.supplyAsync(
                    () -> {
                        var frame = session.poll();
                        if (frame == null) {
                            return null;
                        }
                        var text = frame.utf8();
                        frame.release();
                        return text;
                    },
                    session.loop()));
        }

        List<String> takes() {
            long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (System.nanoTime() < patience) {
                var next = poll();
                if (next != null) {
                    return List.of(next);
                }
                LockSupport.parkNanos(1_000_000);
            }
            return List.of();
        }

        void leaves() {
            session.close(1012, "moved");
        }
    }

    static List<String> takes(LinkPort session, int count) {
        var texts = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            texts.addAll(new Place(session, session).takes());
        }
        return texts;
    }
}
