package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.pekko.actor.Address;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuorumTest {
    @ParameterizedTest(name = "{0} without {1}: {2}")
    @Tag("unit")
    @CsvSource(
            nullValues = "-",
            value = {
                "1, -, true",
                "-, -, true",
                "1 2, -, true",
                "1 2, 2, true",
                "1 2, 1, false",
                "1 2 3, 1, true",
                "1 2 3, 1 2, false",
                "1 2 3 4, 3 4, true",
                "1 2 3 4, 1 2, false",
                "1 2 3 4, 1, true",
                "1 2 3 4 5, 1 2 3, false",
            })
    void theMajorityGoesOnAndHalfOfThemWithTheLowestAddress(String members, String unreachable, boolean goesOn) {
        assertThat(Quorum.holds(addresses(members), addresses(unreachable))).isEqualTo(goesOn);
    }

    private static Set<Address> addresses(String numbers) {
        return numbers == null
                ? Set.of()
                : Arrays.stream(numbers.split(" "))
                        .map(number -> new Address("pekko", "parley", "10.0.0." + number, 17355))
                        .collect(Collectors.toSet());
    }

    @Test
    @Tag("cluster")
    void aNodeThatLosesSightOfTheLowestHalfIsToldAndToldAgainWhenItIsBack() throws Exception {
        var system = Peer.alone("127.0.0.2", 0, "10s");
        var told = new ConcurrentLinkedQueue<Boolean>();
        Quorum.start(system, told::add);
        try (var lower = Peer.start("127.0.0.1", 0, system, "10s")) {
            assertThat(Peer.eventually(Duration.ofMinutes(2), () -> Peer.members(system) == 2))
                    .isTrue();
            assertThat(told).isEmpty();

            lower.freeze();
            assertThat(Peer.eventually(Duration.ofMinutes(1), () -> told.contains(false)))
                    .isTrue();

            lower.thaw();
            assertThat(Peer.eventually(Duration.ofMinutes(1), () -> told.contains(true)))
                    .isTrue();
            assertThat(told).containsExactly(false, true);
        } finally {
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(60, TimeUnit.SECONDS);
        }
    }
}
