package parley.admission;

import com.typesafe.config.ConfigFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import parley.admission.Decision.Admitted;

/**
 * What one decision costs on a warm node: half of the users, with lists, cohorts and tenants, and nine in ten of the places
 * taken. Whoever is admitted leaves at once, so leaving is part of it. {@code scripts/bench admit} runs it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = "-Xmx512m")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class AdmitBenchmark {
    private static final int CALLERS = 1 << 10;

    private final CallerId[] callers = IntStream.range(0, CALLERS)
            .mapToObj(number -> new CallerId("550e8400-e29b-41d4-a716-" + (446655440000L + number), "acme"))
            .toArray(CallerId[]::new);
    private final CallerId[] in = Arrays.stream(callers)
            .filter(caller -> Flag.bucket(caller.user()) < 50)
            .toArray(CallerId[]::new);
    private final CallerId[] out = Arrays.stream(callers)
            .filter(caller -> Flag.bucket(caller.user()) >= 50)
            .toArray(CallerId[]::new);
    private final Set<String> cohorts = Set.of("staff", "berlin");
    private final Admission node;
    private final Admission chain;
    private int next;

    public AdmitBenchmark() {
        var config = ConfigFactory.parseString("parley.admission.max-connections-per-tenant = 1000")
                .withFallback(ConfigFactory.load());
        var settings = AdmissionSettings.from(config);
        var flag = new Flag(
                true,
                50,
                "",
                names("tester-", 100),
                names("denied-", 100),
                Set.of("premium", "beta"),
                Map.of("umbrella", Flag.Tenant.OFF, "initech", Flag.Tenant.ON));
        var actor = new Actor("user", "anna", "operator", "ui");
        var rollout = new Rollout(
                42,
                Rollout.Phase.RUNNING,
                flag,
                settings.plan(),
                2,
                Instant.EPOCH,
                new Rollout.Change(actor, Instant.EPOCH, "ramp"));
        node = new NodeAdmission(settings, RolloutView.of(rollout));
        var budget = new ClusterBudget(
                new BudgetSettings(1_000_000_000, 1_000_000, 1_000_000, 0.8, Duration.ofSeconds(1)), Clock.systemUTC());
        budget.learn(new BudgetKeeper.Standing(
                1,
                YearMonth.now(ZoneOffset.UTC).toString(),
                500_000_000,
                List.of("hooli"),
                List.of(BudgetState.user("acme", "spender"))));
        chain = Capacity.of(ClusterBudget.guard(node, budget, settings), CapacitySettings.from(config));
        for (int taken = 0; taken < 900; taken++) {
            node.admit(new CallerId("tester-" + taken % 100, "tenant-" + taken % 7), Set.of());
        }
    }

    /** The flag and this node's places: somebody who gets in. */
    @Benchmark
    public void admitted(Blackhole hole) {
        leave(hole, node.admit(one(in), cohorts));
    }

    /** The flag alone: somebody whose bucket is not in. */
    @Benchmark
    public Decision refused() {
        return node.admit(one(out), cohorts);
    }

    /** As a node asks: the month's budget, the flag, this node's places, the tenant's. Half get in. */
    @Benchmark
    public void wholeChain(Blackhole hole) {
        leave(hole, chain.admit(one(callers), cohorts));
    }

    /** The bucket of a user alone. */
    @Benchmark
    public int bucket() {
        return Flag.bucket(one(callers).user());
    }

    private CallerId one(CallerId[] among) {
        next = next + 1 < among.length ? next + 1 : 0;
        return among[next];
    }

    private static void leave(Blackhole hole, Decision decision) {
        hole.consume(decision);
        if (decision instanceof Admitted admitted) {
            admitted.place().leave();
        }
    }

    private static Set<String> names(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(number -> prefix + number).collect(Collectors.toSet());
    }
}
