package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.opentelemetry.api.trace.TracerProvider;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.jspecify.annotations.Nullable;
import parley.admission.Budget;
import parley.admission.CallerId;
import parley.admission.Outcomes;
import parley.meter.Meters;
import parley.protocol.Tool;
import parley.provider.BreakerSettings;
import parley.provider.ProviderPool;
import parley.tool.Tools;
import parley.wire.Loops;
import parley.wire.WireSettings;

/** Event loops, an actor system on them, a provider that the test plays: a node without a cluster and a database. */
final class Rig implements AutoCloseable {
    static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");
    private static final AtomicInteger NUMBER = new AtomicInteger();

    final Loops loops = Loops.create(2);
    final ActorSystem<Void> system;
    final FakeProvider provider = new FakeProvider();
    /** Asked when the first one does not take a call. */
    final FakeProvider second = new FakeProvider("second");

    final FakeTools tools = new FakeTools();
    final Meters meters = new Meters();
    final SessionMetrics metrics =
            new SessionMetrics(meters, 2, TracerProvider.noop().get(""));
    final FakeBudget budget = new FakeBudget();
    final SessionSettings settings;
    final Transcripts transcripts;
    /** Of rooms that are made from now on. */
    CostSettings cost = cost(Map.of());

    Prices prices = prices();
    /** Of rooms that are made from now on: who answers the control arm. */
    @Nullable
    FakeProvider control;

    Outcomes outcomes = Outcomes.none();
    final Conversations conversations = new Conversations();

    Rig() {
        this(Map.of());
    }

    Rig(Map<String, ?> overrides) {
        system = system(
                "rig-" + NUMBER.incrementAndGet(),
                ConfigFactory.parseMap(Map.of("pekko.actor.testkit.typed.timefactor", 10))
                        .withFallback(EventSourcedBehaviorTestKit.config())
                        .withFallback(ConfigFactory.defaultReference()));
        settings = settings(overrides);
        transcripts = privacy(overrides).transcripts();
    }

    static ActorSystem<Void> system(String name, Config config) {
        return ActorSystem.create(Behaviors.empty(), name, config.resolve());
    }

    static SessionSettings settings(Map<String, ?> overrides) {
        return SessionSettings.from(ConfigFactory.parseMap(overrides)
                .withFallback(ConfigFactory.parseMap(Map.of("parley.session.link.port", 0)))
                .withFallback(ConfigFactory.defaultReference())
                .resolve());
    }

    static PrivacySettings privacy(Map<String, ?> overrides) {
        return PrivacySettings.from(ConfigFactory.parseMap(overrides)
                .withFallback(ConfigFactory.defaultReference())
                .resolve());
    }

    static CostSettings cost(Map<String, ?> overrides) {
        return CostSettings.from(ConfigFactory.parseMap(overrides)
                .atPath("parley.session.cost")
                .withFallback(ConfigFactory.defaultReference())
                .resolve());
    }

    Room room() {
        return room(settings);
    }

    Room room(SessionSettings other) {
        return room(other, conversations, provider);
    }

    /** Providers that nothing is known of yet: each room has breakers of its own. */
    Room room(SessionSettings other, Conversations those, FakeProvider... providers) {
        return new Room(
                "pekko://here",
                loops,
                control == null
                        ? ProvidersByArm.alike(pool(providers))
                        : new ProvidersByArm(pool(providers), pool(control)),
                tools,
                prices,
                other,
                transcripts,
                metrics,
                Clock.fixed(NOON, ZoneOffset.UTC),
                those,
                cost,
                budget,
                outcomes);
    }

    static ProviderPool pool(FakeProvider... providers) {
        return new ProviderPool(
                List.of(providers),
                new BreakerSettings(5, Duration.ofSeconds(30), Duration.ofSeconds(30)),
                System::nanoTime);
    }

    static Prices prices() {
        return Prices.undated("v1", Map.of("usual", new Prices.Model(4, 0.4, 24, 32, 0.4, 64, 5, 0.5, 0)));
    }

    SessionLink link() {
        return await(SessionLink.start(loops, settings, 22 << 20, conversations));
    }

    static WireSettings wire() {
        return WireSettings.from(ConfigFactory.defaultReference().resolve());
    }

    static <T> T await(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }

    static void eventually(BooleanSupplier holds) {
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as("within 60 s").isLessThan(patience);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Override
    public void close() {
        system.terminate();
        await(system.getWhenTerminated());
        loops.close();
    }

    /** Counts, and is used up when the test says so. */
    static final class FakeBudget implements Budget {
        final Map<CallerId, Long> reported = new ConcurrentHashMap<>();
        volatile boolean spent;

        @Override
        public boolean spent(CallerId caller) {
            return spent;
        }

        @Override
        public void report(CallerId caller, long costMicros) {
            reported.merge(caller, costMicros, Long::sum);
        }
    }

    /** Knows one tool, {@code time}; its answer is the test's. */
    static final class FakeTools implements Tools {
        final CompletableFuture<Outcome> answer = new CompletableFuture<>();
        final AtomicInteger called = new AtomicInteger();

        @Override
        public List<Tool.Function> offered() {
            return List.of();
        }

        @Override
        public boolean knows(String name) {
            return name.equals("time");
        }

        @Override
        public CompletionStage<Outcome> call(String name, String arguments) {
            called.incrementAndGet();
            return answer;
        }
    }
}
