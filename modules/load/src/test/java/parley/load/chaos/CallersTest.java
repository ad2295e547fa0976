package parley.load.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.load.chaos.FakeFace.Sin;

/** Callers against a server that does what it should, and against one that does not: they must tell which is which. */
@Tag("client")
class CallersTest {
    private static final int CALLERS = 6;
    private static final Duration SOON = Duration.ofMinutes(1);

    @Test
    void anHonestServerThatSendsAgainWhatWasMissedIsClean() throws Exception {
        var judged = talk(Sin.NONE, true, (face, callers) -> {
            dropTwice(face, callers);
            await(callers, () -> face.hasHeard(2));
        });

        assertThat(complaints(judged)).isEmpty();
        assertThat(judged).allSatisfy(each -> {
            assertThat(each.turns()).isGreaterThan(1);
            assertThat(each.diary().resumes).containsOnly(java.util.Map.entry(Resume.RECOVERED, 2));
        });
    }

    @Test
    void anHonestServerThatTellsTheHistoryIsClean() throws Exception {
        var judged = talk(Sin.NONE, false, CallersTest::dropTwice);

        assertThat(complaints(judged)).isEmpty();
        assertThat(judged)
                .allSatisfy(each ->
                        assertThat(each.diary().resumes).containsOnly(java.util.Map.entry(Resume.NOT_RECOVERED, 2)));
    }

    @Test
    void halfATurnThatTheServerForgotIsSaidAgain() throws Exception {
        var judged = talk(Sin.FORGETS_HALF_TURNS, true, CallersTest::dropTwice);

        assertThat(complaints(judged)).isEmpty();
    }

    @Test
    void whoIsAskedToMoveDoesSoBeforeTheOldSeatBreaks() throws Exception {
        var judged = talk(Sin.NONE, true, (face, callers) -> {
            face.drain();
            await(callers, () -> count(callers, "come back") >= CALLERS);
        });

        assertThat(complaints(judged)).isEmpty();
        assertThat(judged)
                .allSatisfy(each -> assertThat(each.diary().moves())
                        .as("%s", each.diary().notes())
                        .isEqualTo(1));
    }

    @Test
    void anEventThatIsLeftOutIsMissed() throws Exception {
        assertThat(complaints(talk(Sin.LEAVES_ONE_OUT, true, CallersTest::dropTwice)))
                .isNotEmpty()
                .allMatch(complaint -> complaint.endsWith("events are missing") || complaint.startsWith("turn"));
    }

    @Test
    void anEventThatComesTwiceIsNoticed() throws Exception {
        assertThat(complaints(talk(Sin.REPEATS_ONE, true, CallersTest::dropTwice)))
                .isNotEmpty()
                .allMatch(complaint -> complaint.endsWith("events came twice"));
    }

    @Test
    void twoAnswersToOneTurnAreNoticed() throws Exception {
        assertThat(complaints(talk(Sin.ANSWERS_TWICE, true, (face, callers) -> {})))
                .contains("turn 1 was answered 2 times", "turn 1 has 2 answers in the transcript");
    }

    @Test
    void aTurnThatIsNotWrittenDownIsNoticed() throws Exception {
        assertThat(complaints(talk(Sin.WRITES_NOTHING_DOWN, true, (face, callers) -> {})))
                .contains("turn 1 is not in the transcript");
    }

    @Test
    void aSessionThatIsGoneIsNoticed() throws Exception {
        assertThat(talk(Sin.ENDS_SESSIONS, true, CallersTest::dropTwice)).allMatch(Judgement::sessionLost);
    }

    private interface Trouble {
        void make(FakeFace face, Callers callers) throws InterruptedException;
    }

    private static void dropTwice(FakeFace face, Callers callers) throws InterruptedException {
        for (int times = 1; times <= 2; times++) {
            int back = times * CALLERS;
            callers.drop(Duration.ofMillis(300), true);
            await(callers, () -> count(callers, "come back") >= back || isEverybodyLost(callers));
            // They talk again.
            int answered = count(callers, "turns answered");
            await(callers, () -> count(callers, "turns answered") > answered || isEverybodyLost(callers));
        }
    }

    private static void await(Callers callers, BooleanSupplier holds) throws InterruptedException {
        long patience = System.nanoTime() + SOON.toNanos();
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as(callers.progress()).isLessThan(patience);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static boolean isEverybodyLost(Callers callers) {
        return count(callers, "sessions lost") == CALLERS;
    }

    private static int count(Callers callers, String what) {
        return Integer.parseInt(callers.progress().replaceFirst(".*" + what + " (\\d+).*", "$1"));
    }

    private static List<Judgement> talk(Sin sin, boolean recovers, Trouble trouble) throws Exception {
        try (var face = FakeFace.start(sin, recovers);
                var callers = Callers.call(talk(face))) {
            assertThat(callers.awaitTalk(SOON)).as(callers.progress()).isTrue();
            callers.stroke(true);
            trouble.make(face, callers);
            TimeUnit.MILLISECONDS.sleep(500);
            callers.recovered();
            return callers.hangUp(SOON).diaries().stream()
                    .map(diary -> Judgement.of(diary, face.account(String.valueOf(diary.sessionId()))))
                    .toList();
        }
    }

    private static Talk talk(FakeFace face) {
        return new Talk(
                List.of(face.url(), face.url()),
                Face.GUIDED,
                "any",
                CALLERS,
                caller -> "token-" + caller,
                7,
                false,
                50);
    }

    private static List<String> complaints(List<Judgement> judged) {
        return judged.stream().flatMap(each -> each.complaints().stream()).toList();
    }
}
