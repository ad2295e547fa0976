package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("stream")
class LoopsTest {
    private final Rig rig = new Rig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void everyLoopHasItsTurnAndItsNumber() {
        var seen = new HashSet<Integer>();
        for (int turn = 0; turn < rig.loops.count(); turn++) {
            var loop = rig.loops.next();
            seen.add(rig.loops.numberOf(loop));
            assertThat(rig.loops.get(rig.loops.numberOf(loop))).isSameAs(loop);
        }

        assertThat(seen).containsExactlyInAnyOrder(0, 1);
        assertThat(rig.loops.get(3)).isSameAs(rig.loops.get(1));
    }

    @Test
    void aStrangersLoopHasNoNumber() {
        try (var others = Loops.create(1)) {
            assertThatThrownBy(() -> rig.loops.numberOf(others.next())).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theWorstDelayTellsOfALoopThatIsStillBlocked() {
        var freed = new CountDownLatch(1);
        rig.loops.get(1).execute(() -> awaitQuietly(freed));

        try {
            rig.await("a delay", () -> rig.loops.worstDelay().compareTo(Duration.ofMillis(100)) > 0);
            rig.await("a longer delay", () -> rig.loops.worstDelay().compareTo(Duration.ofMillis(300)) > 0);
        } finally {
            freed.countDown();
        }
    }

    @Test
    void theWorstDelayRemembersABlockThatIsOver() {
        var freed = new CountDownLatch(1);
        var blocked = java.util.concurrent.CompletableFuture.runAsync(() -> awaitQuietly(freed), rig.loops.get(0));
        Rig.get(java.util.concurrent.CompletableFuture.runAsync(
                freed::countDown, java.util.concurrent.CompletableFuture.delayedExecutor(400, TimeUnit.MILLISECONDS)));
        Rig.get(blocked);
        var after = rig.loops.get(0).schedule(() -> {}, 60, TimeUnit.MILLISECONDS);
        assertThat(after.awaitUninterruptibly(60, TimeUnit.SECONDS)).isTrue();

        assertThat(rig.loops.worstDelay()).isGreaterThan(Duration.ofMillis(200));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }
}
