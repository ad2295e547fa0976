package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("cluster")
class LeavePermitTest {
    private static EmbeddedPostgres postgres;
    private static Journal journal;

    @BeforeAll
    static void start() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start();
        journal = Journal.at("postgresql://postgres:postgres@127.0.0.1:" + postgres.getPort() + "/postgres");
    }

    @AfterAll
    static void stop() throws IOException {
        postgres.close();
    }

    @Test
    void theSecondNodeWaitsUntilTheFirstHasLeft() throws Exception {
        var first = LeavePermit.ask(journal, "a:1");
        first.await(Duration.ofMinutes(1), () -> Set.of("a:1", "b:1", "c:1"));
        assertThat(first.isHeld()).isTrue();
        try (var second = LeavePermit.ask(journal, "b:1")) {
            var turn = CompletableFuture.runAsync(
                    () -> second.await(Duration.ofMinutes(1), () -> Set.of("a:1", "b:1", "c:1")));
            assertThatThrownBy(() -> turn.get(500, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);

            first.close();

            turn.get(30, TimeUnit.SECONDS);
            assertThat(second.isHeld()).isTrue();
        }
    }

    @Test
    void aNodeThatWaitsTooLongLeavesWithoutAPermit() {
        try (var first = LeavePermit.ask(journal, "a:1");
                var second = LeavePermit.ask(journal, "b:1")) {
            first.await(Duration.ofMinutes(1), () -> Set.of("a:1", "b:1", "c:1"));
            long began = System.nanoTime();

            second.await(Duration.ofMillis(300), () -> Set.of("a:1", "b:1", "c:1"));

            assertThat(second.isHeld()).isFalse();
            assertThat(Duration.ofNanos(System.nanoTime() - began))
                    .isBetween(Duration.ofMillis(300), Duration.ofSeconds(20));
        }
    }

    @Test
    void nobodyWaitsWhenAllAreToLeave() {
        try (var first = LeavePermit.ask(journal, "a:1");
                var second = LeavePermit.ask(journal, "b:1")) {
            first.await(Duration.ofMinutes(1), () -> Set.of("a:1", "b:1"));
            long began = System.nanoTime();

            second.await(Duration.ofMinutes(1), () -> Set.of("a:1", "b:1"));

            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
            assertThat(second.isAskedByAll(Set.of("a:1", "b:1"))).isTrue();
            assertThat(second.isAskedByAll(Set.of("a:1", "b:1", "c:1"))).isFalse();
        }
    }

    @Test
    void aDatabaseThatIsDownHoldsNobodyBack() {
        var down = new Journal("jdbc:postgresql://127.0.0.1:1/postgres", "nobody", "");
        try (var permit = LeavePermit.ask(down, "a:1")) {
            permit.await(Duration.ofSeconds(30), () -> Set.of("a:1", "b:1"));

            assertThat(permit.isHeld()).isFalse();
            assertThat(permit.isAskedByAll(Set.of("a:1"))).isFalse();
        }
    }
}
