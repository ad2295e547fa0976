package parley.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.provider.ProviderPool.State;

@Tag("unit")
class ProviderPoolTest {

    private static final FakeProvider ONE = new FakeProvider("one");
    private static final FakeProvider TWO = new FakeProvider("two");
    private static final FakeProvider THREE = new FakeProvider("three");
    private static final Set<String> NONE = Set.of();

    /** Begins where a clock of nanoseconds may well be: shortly before it overflows. */
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);

    private final ProviderPool pool = new ProviderPool(
            List.of(ONE, TWO, THREE),
            new BreakerSettings(3, Duration.ofSeconds(30), Duration.ofSeconds(10)),
            nanos::get);

    @Test
    void theFirstThatWasNotTriedIsNext() {
        assertThat(pool.first()).isEqualTo(ONE);
        assertThat(pool.all()).containsExactly(ONE, TWO, THREE);
        assertThat(pool.next(NONE)).isEqualTo(ONE);
        assertThat(pool.next(Set.of("one"))).isEqualTo(TWO);
        assertThat(pool.next(Set.of("one", "two"))).isEqualTo(THREE);
        assertThat(pool.next(Set.of("one", "two", "three"))).isNull();
    }

    @Test
    void whoFailsInARowIsLeftAlone() {
        fail(ONE, 2);
        assertThat(pool.next(NONE)).isEqualTo(ONE);
        fail(ONE, 1);

        assertThat(pool.state("one")).isEqualTo(State.OPEN);
        assertThat(pool.next(NONE)).isEqualTo(TWO);
        assertThat(pool.opened("one")).isEqualTo(1);
        assertThat(pool.refused("one")).isEqualTo(1);
        assertThat(pool.state("two")).isEqualTo(State.CLOSED);
    }

    @Test
    void whenAllAreLeftAloneTheyAreTriedInTheirOrderAllTheSame() {
        for (var provider : List.of(ONE, TWO, THREE)) fail(provider, 3);

        assertThat(pool.next(NONE)).isEqualTo(ONE);
        assertThat(pool.next(Set.of("one"))).isEqualTo(TWO);
        assertThat(pool.next(Set.of("one", "two", "three"))).isNull();
    }

    @Test
    void aSuccessBetweenFailuresBeginsTheCountAnew() {
        fail(ONE, 2);
        pool.succeeded(ONE);
        fail(ONE, 2);

        assertThat(pool.state("one")).isEqualTo(State.CLOSED);
    }

    @Test
    void failuresThatAreFarApartDoNotCountTogether() {
        fail(ONE, 1);
        advance(20);
        fail(ONE, 1);
        advance(11);
        fail(ONE, 1);
        assertThat(pool.state("one")).isEqualTo(State.CLOSED);
        advance(19);
        fail(ONE, 1);

        assertThat(pool.state("one")).isEqualTo(State.OPEN);
    }

    @Test
    void afterAWhileOneCallTriesIt() {
        fail(ONE, 3);
        nanos.addAndGet(Duration.ofSeconds(10).toNanos() - 1);
        assertThat(pool.state("one")).isEqualTo(State.OPEN);
        nanos.incrementAndGet();
        assertThat(pool.state("one")).isEqualTo(State.HALF_OPEN);

        assertThat(pool.next(NONE)).isEqualTo(ONE);
        assertThat(pool.next(NONE)).isEqualTo(TWO);
        assertThat(pool.state("one")).isEqualTo(State.HALF_OPEN);
    }

    @Test
    void aTrialThatSucceedsClosesIt() {
        halfOpen();
        pool.next(NONE);
        pool.succeeded(ONE);

        assertThat(pool.state("one")).isEqualTo(State.CLOSED);
        fail(ONE, 2);
        assertThat(pool.state("one")).isEqualTo(State.CLOSED);
    }

    @Test
    void aTrialThatFailsOpensItAnew() {
        halfOpen();
        pool.next(NONE);
        pool.failed(ONE);

        assertThat(pool.state("one")).isEqualTo(State.OPEN);
        assertThat(pool.opened("one")).isEqualTo(2);
        advance(10);
        assertThat(pool.next(NONE)).isEqualTo(ONE);
    }

    @Test
    void aTrialOfWhichNothingIsHeardIsFollowedByAnother() {
        halfOpen();
        pool.next(NONE);
        advance(9);
        assertThat(pool.next(NONE)).isEqualTo(TWO);
        advance(1);

        assertThat(pool.next(NONE)).isEqualTo(ONE);
        assertThat(pool.next(NONE)).isEqualTo(TWO);
    }

    @Test
    void aTrialThatSaysNothingAboutTheProviderIsFollowedByAnother() {
        halfOpen();
        pool.next(NONE);
        pool.refused(ONE, new ProviderRefused("model_not_found", "no", false));

        assertThat(pool.state("one")).isEqualTo(State.HALF_OPEN);
        assertThat(pool.next(NONE)).isEqualTo(ONE);
    }

    @Test
    void whileItIsOpenReportsOfEarlierCallsChangeNothing() {
        fail(ONE, 3);
        pool.succeeded(ONE);
        assertThat(pool.state("one")).isEqualTo(State.OPEN);
        advance(9);
        fail(ONE, 5);
        advance(1);

        assertThat(pool.state("one")).isEqualTo(State.HALF_OPEN);
        assertThat(pool.opened("one")).isEqualTo(1);
    }

    @Test
    void aTriedProviderGetsNoTrial() {
        halfOpen();
        assertThat(pool.next(Set.of("one"))).isEqualTo(TWO);

        assertThat(pool.next(NONE)).isEqualTo(ONE);
    }

    @ParameterizedTest
    @CsvSource({
        "upstream_unavailable, true, OPEN",
        "rate_limit_exceeded, true, OPEN",
        "upstream_refused, false, OPEN",
        "model_not_found, false, CLOSED"
    })
    void whichRefusalsAreFailures(String code, boolean retryable, State after) {
        for (int i = 0; i < 3; i++) pool.refused(ONE, new ProviderRefused(code, "no", retryable));

        assertThat(pool.state("one")).isEqualTo(after);
    }

    @Test
    void ofManyThreadsOneGetsTheTrial() throws Exception {
        halfOpen();
        int threads = 8;
        var start = new CountDownLatch(1);
        try (var executor = Executors.newFixedThreadPool(threads)) {
            Callable<Integer> calls = () -> {
                start.await(30, TimeUnit.SECONDS);
                int trials = 0;
                for (int i = 0; i < 2_000; i++) if (ONE.equals(pool.next(NONE))) trials++;
                return trials;
            };
            var counts = IntStream.range(0, threads)
                    .mapToObj(each -> executor.submit(calls))
                    .toList();
            start.countDown();
            int trials = 0;
            for (var count : counts) trials += count.get(30, TimeUnit.SECONDS);

            assertThat(trials).isEqualTo(1);
            assertThat(pool.refused("one")).isEqualTo(threads * 2_000L - 1);
        }
    }

    @Test
    void namesAreUniqueAndKnown() {
        var settings = new BreakerSettings(1, Duration.ofSeconds(1), Duration.ofSeconds(1));

        assertThatThrownBy(() -> new ProviderPool(List.of(ONE, TWO, ONE), settings, nanos::get))
                .hasMessageContaining("one twice");
        assertThatThrownBy(() -> new ProviderPool(List.of(), settings, nanos::get))
                .hasMessageContaining("at least one");
        assertThatThrownBy(() -> pool.state("four"))
                .hasMessageContaining("four")
                .hasMessageContaining("[one, two, three]");
    }

    private void halfOpen() {
        fail(ONE, 3);
        advance(10);
    }

    private void fail(Provider provider, int times) {
        for (int i = 0; i < times; i++) pool.failed(provider);
    }

    private void advance(long seconds) {
        nanos.addAndGet(Duration.ofSeconds(seconds).toNanos());
    }
}
