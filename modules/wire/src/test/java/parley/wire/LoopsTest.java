package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
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
    void oneLoopIsFilledBeforeTheNext() {
        try (var loops = Loops.create(new LoopSettings(2, 2, 1, 1000))) {
            var first = socketOn(loops);
            var second = socketOn(loops);
            var third = socketOn(loops);
            var fourth = socketOn(loops);
            var fifth = socketOn(loops);

            assertThat(List.of(numberOf(first, loops), numberOf(second, loops))).containsExactly(0, 0);
            assertThat(List.of(numberOf(third, loops), numberOf(fourth, loops))).containsExactly(1, 1);
            assertThat(numberOf(fifth, loops)).describedAs("all are full").isEqualTo(0);
            assertThat(loops.numberOf(loops.next()))
                    .describedAs("the fewest sockets")
                    .isEqualTo(1);

            third.close().awaitUninterruptibly();
            fourth.close().awaitUninterruptibly();
            first.close().awaitUninterruptibly();
            second.close().awaitUninterruptibly();
            rig.await("room on the first", () -> loops.numberOf(loops.next()) == 0);
        }
    }

    @Test
    void aBusyLoopGetsNoNewSockets() {
        try (var loops = Loops.create(new LoopSettings(2, 1000, 0.01, 1_000_000_000))) {
            var enough = new AtomicBoolean();
            loops.get(0).execute(() -> turnUntil(enough, loops.get(0)));

            try {
                rig.await("a busy one", () -> loops.busiest() > 0.01);
                assertThat(loops.numberOf(loops.next())).isEqualTo(1);
            } finally {
                enough.set(true);
            }
            rig.await("the first again", () -> loops.numberOf(loops.next()) == 0);
        }
    }

    @Test
    void aLoopThatIsBlockedForTwoSecondsGetsNoNewSockets() {
        try (var loops = Loops.create(new LoopSettings(2, 1000, 1, 1_000_000_000))) {
            var freed = new CountDownLatch(1);
            loops.get(0).execute(() -> awaitQuietly(freed));

            long blocked = System.nanoTime();
            try {
                rig.await("the other loop", () -> loops.numberOf(loops.next()) == 1);
                assertThat(Duration.ofNanos(System.nanoTime() - blocked))
                        .describedAs("a moment is no block")
                        .isGreaterThan(Duration.ofMillis(500));
            } finally {
                freed.countDown();
            }
            rig.await("the first again", () -> loops.numberOf(loops.next()) == 0);
        }
    }

    /** Who all come back at once, after a node's death: what they cost a loop is known a second later. */
    @Test
    void aBurstIsShared() {
        try (var loops = Loops.create(new LoopSettings(2, 1000, 1, 3))) {
            var given = IntStream.range(0, 6)
                    .map(number -> loops.numberOf(loops.next()))
                    .boxed()
                    .toList();

            assertThat(given).containsExactly(0, 0, 0, 1, 1, 1);
        }
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

    private static Channel socketOn(Loops loops) {
        return new Bootstrap()
                .group(loops.next())
                .channel(Loops.SOCKET_CHANNEL)
                .handler(new ChannelInboundHandlerAdapter())
                .register()
                .syncUninterruptibly()
                .channel();
    }

    private static int numberOf(Channel socket, Loops loops) {
        return loops.numberOf(socket.eventLoop());
    }

    /** Keeps the loop busy, and lets it run what else is due every few milliseconds. */
    private static void turnUntil(AtomicBoolean enough, EventLoop loop) {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(5);
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        if (!enough.get()) {
            loop.execute(() -> turnUntil(enough, loop));
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }
}
