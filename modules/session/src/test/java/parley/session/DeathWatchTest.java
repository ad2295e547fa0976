package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.UniqueAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DeathWatchTest {
    private static final UniqueAddress A = member("10.0.0.1");
    private static final UniqueAddress B = member("10.0.0.2");
    private static final UniqueAddress C = member("10.0.0.3");
    private static final UniqueAddress D = member("10.0.0.4");

    private static UniqueAddress member(String host) {
        return new UniqueAddress(new Address("pekko", "parley", host, 17355), 1L);
    }

    @Test
    @Tag("unit")
    void eachMemberWatchesTheNextAndTheLastTheFirst() {
        assertThat(DeathWatch.next(A, Set.of(A, B, C, D), 2)).isEqualTo(List.of(B, C));
        assertThat(DeathWatch.next(D, Set.of(A, B, C, D), 2)).isEqualTo(List.of(A, B));
        assertThat(DeathWatch.next(C, Set.of(A, B, C, D), 9)).isEqualTo(List.of(D, A, B));
        assertThat(DeathWatch.next(A, Set.of(A), 3)).isEmpty();
        assertThat(DeathWatch.next(B, Set.of(A, C), 3))
                .as("before it is a member itself")
                .isEqualTo(List.of(C, A));
    }

    @Test
    @Tag("cluster")
    void aKilledProcessIsRemovedAtOnceAFrozenOneIsNotAndItsAddressMayComeBack() throws Exception {
        int port = freePort("127.0.0.2");
        // No failure detector has a say within this test.
        var system = Peer.alone("127.0.0.1", 0, "60s");
        var watch = DeathWatch.start(
                system, new DeathWatchSettings(true, 3, Duration.ofMillis(100), Duration.ofMillis(500)));
        try (watch;
                var first = Peer.start("127.0.0.2", port, system, "60s")) {
            assertThat(Peer.eventually(Duration.ofMinutes(2), () -> Peer.members(system) == 2))
                    .isTrue();

            first.freeze();
            assertThat(Peer.eventually(Duration.ofSeconds(3), () -> Peer.members(system) == 1))
                    .as("a frozen process was taken for an ended one")
                    .isFalse();
            first.thaw();

            first.kill();
            assertThat(Peer.eventually(Duration.ofSeconds(20), () -> Peer.members(system) == 1))
                    .as("removed before any failure detector could know")
                    .isTrue();
            assertThat(watch.ended()).isEqualTo(1);

            try (var second = Peer.start("127.0.0.2", port, system, "60s")) {
                assertThat(Peer.eventually(Duration.ofMinutes(2), () -> Peer.members(system) == 2))
                        .as("comes back at the same address")
                        .isTrue();
                second.kill();
                assertThat(Peer.eventually(Duration.ofSeconds(20), () -> Peer.members(system) == 1))
                        .isTrue();
            }
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    @Tag("unit")
    void theDefaultsAreTheDocumentedOnesAndEveryKeyCanBeSet() {
        assertThat(DeathWatchSettings.from(ConfigFactory.defaultReference().resolve()))
                .isEqualTo(new DeathWatchSettings(true, 3, Duration.ofMillis(100), Duration.ofSeconds(1)));
        assertThat(DeathWatchSettings.from(ConfigFactory.parseMap(Map.of(
                        "parley.session.death-watch.enabled",
                        false,
                        "parley.session.death-watch.members",
                        4,
                        "parley.session.death-watch.pause",
                        "5ms",
                        "parley.session.death-watch.answer-within",
                        "6ms"))))
                .isEqualTo(new DeathWatchSettings(false, 4, Duration.ofMillis(5), Duration.ofMillis(6)));
        assertThatThrownBy(() -> new DeathWatchSettings(true, 0, Duration.ofMillis(5), Duration.ofMillis(6)))
                .hasMessage("parley.session.death-watch: members 0, pause PT0.005S, answer-within PT0.006S"
                        + " (expected: at least 1, 1ms and 1ms)");
    }

    private static int freePort(String host) throws Exception {
        try (var socket = new ServerSocket(0, 1, java.net.InetAddress.getByName(host))) {
            return socket.getLocalPort();
        }
    }
}
