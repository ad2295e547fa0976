package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.wire.LogFields;
import parley.wire.Loops;

/** R14: callers of a node that leaves are sent away, a few at a time. */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class EdgeLinesTest {
    private static final Pattern AFTER = Pattern.compile("\"after_ms\":(\\d+)");
    private static Loops loops;

    private final EdgeLines lines = new EdgeLines(loops.get(1));
    private final List<FakePort> callers = new ArrayList<>();

    @BeforeAll
    static void start() {
        loops = Loops.create(2);
    }

    @AfterAll
    static void stop() {
        loops.close();
    }

    private FakePort calls(boolean guided) {
        var caller = new FakePort(loops.get(callers.size()));
        var line = new EdgeLine(
                new FakePort(caller.loop()),
                LogFields.NONE,
                guided,
                0,
                new FakeReach(),
                Rig.settings(Map.of()),
                new SessionMetrics());
        lines.add(line);
        caller.loop().execute(() -> caller.join(line));
        callers.add(caller);
        return caller;
    }

    private void call(int count) {
        for (int i = 0; i < count; i++) {
            calls(true);
        }
    }

    @Test
    void aLineIsCountedWhileItIsOpen() {
        call(3);
        assertThat(lines.count()).isEqualTo(3);
        callers.getFirst().hangsUp(1000, "");
        callers.getFirst().ended();

        Rig.eventually(() -> lines.count() == 2);
    }

    @Test
    void allAreToldAndWhenAllAreGoneNobodyWasCutOff() {
        call(20);
        var left = lines.leave(Duration.ofMillis(500), Duration.ofSeconds(20), 1000);
        var times = new ArrayList<Long>();
        for (var caller : callers) {
            var matcher = AFTER.matcher(caller.hears("session.draining"));
            assertThat(matcher.find()).isTrue();
            times.add(Long.parseLong(matcher.group(1)));
            caller.hangsUp(1001, "");
        }

        assertThat(Rig.await(left)).isZero();
        assertThat(times).allMatch(ms -> ms <= 500);
        assertThat(times.stream().distinct().count()).isGreaterThan(5);
    }

    @Test
    void noMoreThanSoManyAreToldInASecond() {
        call(12);
        long begun = System.nanoTime();
        lines.leave(Duration.ZERO, Duration.ofSeconds(20), 10);
        callers.forEach(caller -> caller.hears("session.draining"));

        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)).isBetween(900L, 15_000L);
        callers.forEach(caller -> caller.hangsUp(1001, ""));
    }

    @Test
    void whoIsStillThereAtTheDeadlineIsCutOffAndCounted() {
        call(5);
        var left = lines.leave(Duration.ZERO, Duration.ofSeconds(5), 20);
        callers.getFirst().hears("session.draining");
        callers.getFirst().hangsUp(1001, "");

        assertThat(Rig.await(left)).isEqualTo(4);
        callers.subList(1, 5)
                .forEach(caller -> assertThat(caller.ended().code()).isEqualTo(1012));
    }

    @Test
    void aNodeWithoutCallersIsDoneAtOnce() {
        assertThat(Rig.await(lines.leave(Duration.ZERO, Duration.ofMinutes(1), 1)))
                .isZero();
    }

    @Test
    void whoComesLateIsToldToo() {
        call(1);
        lines.leave(Duration.ZERO, Duration.ofSeconds(30), 100);
        callers.getFirst().hears("session.draining");

        assertThat(calls(true).hears("session.draining")).contains("restart");
        callers.forEach(caller -> caller.hangsUp(1001, ""));
    }
}
