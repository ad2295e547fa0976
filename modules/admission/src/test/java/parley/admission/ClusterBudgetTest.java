package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.BudgetKeeper.Known;
import parley.admission.BudgetKeeper.Standing;
import parley.admission.BudgetState.Amount;
import parley.admission.BudgetState.Total;

/** L9. */
@Tag("entity")
class ClusterBudgetTest {
    private static final Instant NOVEMBER = Instant.parse("2026-11-28T12:00:00Z");
    private static final CallerId ANNA = new CallerId("anna", "red");
    private static final CallerId BEN = new CallerId("ben", "blue");

    private final ActorTestKit kit = ActorTestKit.create(EventSourcedBehaviorTestKit.config()
            .withFallback(ConfigFactory.parseString("""
                    pekko.loglevel = off, pekko.actor.provider = cluster, pekko.cluster.jmx.enabled = off
                    pekko.remote.artery.canonical { hostname = 127.0.0.1, port = 0 }
                    pekko.coordinated-shutdown.exit-jvm = off
                    pekko.cluster.distributed-data.notify-subscribers-interval = 20ms"""))
            .withFallback(ConfigFactory.load()));

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    @Test
    void ofOneSessionTheGreatestTotalCountsHoweverOftenItIsTold() {
        var state = BudgetState.NONE
                .after(List.of(total("a", 5), total("b", 7)), NOVEMBER)
                .after(List.of(total("a", 5), total("a", 9)), NOVEMBER)
                .after(List.of(total("a", 6)), NOVEMBER);

        assertThat(state.micros()).isEqualTo(16);
        assertThat(state.byTenant()).containsEntry("red", 16L);
    }

    @Test
    void aNewMonthBeginsAtNothingAndASessionThatGoesOnCostsOnlyWhatIsNew() {
        var december = Instant.parse("2026-12-01T00:00:01Z");
        var state = BudgetState.NONE
                .after(List.of(total("a", 5)), NOVEMBER)
                .after(List.of(total("a", 8)), december.minusSeconds(600))
                .after(List.of(total("a", 9)), december);

        assertThat(state.month()).isEqualTo("2026-12");
        assertThat(state.micros()).isEqualTo(1);
    }

    @Test
    void whatALifeTellsTwiceCountsOnce() {
        var amounts = List.of(new Amount("red", "anna", 5), new Amount("red", "ben", 7));
        var state = BudgetState.NONE
                .after("first", 1, amounts, NOVEMBER)
                .after("first", 1, amounts, NOVEMBER)
                .after("second", 1, amounts, NOVEMBER)
                .after("first", 2, List.of(new Amount("", "", 3)), NOVEMBER);

        assertThat(state.micros()).isEqualTo(27);
        assertThat(state.byTenant()).isEqualTo(Map.of("red", 24L));
        assertThat(state.byUser())
                .isEqualTo(Map.of(BudgetState.user("red", "anna"), 10L, BudgetState.user("red", "ben"), 14L));
        assertThat(state.version()).isEqualTo(3);
    }

    @Test
    void whatANewMonthSpendsBeginsAtNothing() {
        var state = BudgetState.NONE
                .after("first", 1, List.of(new Amount("red", "", 5)), NOVEMBER)
                .after("first", 2, List.of(new Amount("red", "", 1)), Instant.parse("2026-12-01T00:00:01Z"));

        assertThat(state.month()).isEqualTo("2026-12");
        assertThat(state.micros()).isEqualTo(1);
        assertThat(state.byTenant()).isEqualTo(Map.of("red", 1L));
    }

    /** A hundred nodes tell for a day: of a hundred million sessions nothing is kept but their sum. */
    @Test
    void whatIsRememberedDoesNotGrowWithTheSessions() {
        var state = BudgetState.NONE;
        for (int number = 1; number <= 10_000; number++) {
            state = state.after("life-" + number % 100, number, List.of(new Amount("", "", 1)), NOVEMBER);
        }

        assertThat(state.micros()).isEqualTo(10_000);
        assertThat(state.lives()).hasSize(100);
        assertThat(state.byTenant()).isEmpty();
        assertThat(state.byUser()).isEmpty();
        assertThat(state.sessions()).isEmpty();
    }

    @Test
    void whatTheReleaseBeforeHasWrittenCounts() throws IOException {
        var before = """
                {"version":1,"month":"2026-11","micros":5,"byTenant":{"red":5},"byUser":{},"sessions":{}}""";
        var serialization = SerializationExtension.get(kit.system());

        var state = (BudgetState) serialization
                .deserialize(
                        new ObjectMapper(new CBORFactory()).writeValueAsBytes(new ObjectMapper().readTree(before)),
                        serialization.serializerFor(BudgetState.class).identifier(),
                        BudgetState.class.getName())
                .get();

        assertThat(state).isEqualTo(new BudgetState(1, "2026-11", 5, Map.of("red", 5L), Map.of(), Map.of(), Map.of()));
    }

    @Test
    void theKeeperCountsWhatNodesTellAndAnswersWhatItKnows() {
        var published = new ArrayList<Standing>();
        EventSourcedBehaviorTestKit<BudgetKeeper.Command, BudgetKeeper.Event, BudgetState> keeper =
                EventSourcedBehaviorTestKit.create(
                        kit.system(),
                        BudgetKeeper.create(
                                settings("monthly-usd = 1"), Clock.fixed(NOVEMBER, ZoneOffset.UTC), published::add));

        var first = keeper.<Known>runCommand(to -> add(1, 600_000, to));
        var again = keeper.<Known>runCommand(to -> add(1, 600_000, to));
        var second = keeper.<Known>runCommand(to -> add(2, 400_000, to));
        keeper.restart();
        var late = keeper.<Known>runCommand(to -> add(2, 400_000, to));

        assertThat(first.reply()).isEqualTo(new Known(1));
        assertThat(again.reply()).isEqualTo(new Known(1));
        assertThat(again.hasNoEvents()).isTrue();
        assertThat(second.state().micros()).isEqualTo(1_000_000);
        assertThat(late.hasNoEvents()).isTrue();
        assertThat(published.getLast().micros()).isEqualTo(1_000_000);
    }

    /** To a hundred nodes each is a hundred messages. */
    @Test
    void theSumIsToldSeldomAndTheEndOfABudgetAtOnce() {
        var published = new ArrayList<Standing>();
        EventSourcedBehaviorTestKit<BudgetKeeper.Command, BudgetKeeper.Event, BudgetState> keeper =
                EventSourcedBehaviorTestKit.create(
                        kit.system(),
                        BudgetKeeper.create(
                                settings("monthly-usd = 1"), Clock.fixed(NOVEMBER, ZoneOffset.UTC), told -> {
                                    synchronized (published) {
                                        published.add(told);
                                    }
                                }));
        int number = 0;
        long began = System.nanoTime();
        while (System.nanoTime() - began < BudgetKeeper.PUBLISH_EVERY.toNanos() * 3) {
            int next = ++number;
            keeper.<Known>runCommand(to -> add(next, 1, to));
        }
        synchronized (published) {
            assertThat((System.nanoTime() - began) / BudgetKeeper.PUBLISH_EVERY.toNanos() + 3)
                    .as("of %d that were told", number)
                    .isGreaterThanOrEqualTo(published.size());
        }

        // And yet everything that was told, soon.
        long sum = number;
        await(() -> {
            synchronized (published) {
                return published.getLast().micros() == sum;
            }
        });

        int last = number + 1;
        keeper.<Known>runCommand(to -> add(last, 1_000_000, to));
        synchronized (published) {
            assertThat(published.getLast().micros()).isEqualTo(1_000_000 + number);
        }
    }

    private static BudgetKeeper.Add add(long number, long micros, ActorRef<Known> replyTo) {
        return new BudgetKeeper.Add("life", number, List.of(new Amount("", "", micros)), replyTo);
    }

    /** A node of the release before tells totals of sessions. */
    @Test
    void theKeeperForgetsNothingAndTellsWhoHasNothingLeft() {
        var published = new ArrayList<Standing>();
        EventSourcedBehaviorTestKit<BudgetKeeper.Command, BudgetKeeper.Event, BudgetState> keeper =
                EventSourcedBehaviorTestKit.create(
                        kit.system(),
                        BudgetKeeper.create(
                                settings("monthly-usd = 1, tenant-usd = 0.5, user-usd = 0.2"),
                                Clock.fixed(NOVEMBER, ZoneOffset.UTC),
                                published::add));

        var known = keeper.<Known>runCommand(
                to -> new BudgetKeeper.Tell(7, List.of(total("a", 300_000), total("b", 300_000)), to));
        keeper.restart();

        assertThat(known.reply()).isEqualTo(new Known(7));
        assertThat(published.getLast().micros()).isEqualTo(600_000);
        assertThat(published.getLast().tenants()).containsExactly("red");
        assertThat(published.getLast().users()).containsExactly(BudgetState.user("red", "anna"));
        assertThat(published.getLast().version()).isEqualTo(1);
    }

    @Test
    void whatIsSpentOnANodeStopsEverybodyWhenTheMonthIsUsedUp() {
        var cluster = Cluster.get(kit.system());
        cluster.manager().tell(Join.create(cluster.selfMember().address()));
        var budget = ClusterBudget.start(kit.system(), settings("monthly-usd = 1, user-usd = 0.4"), Clock.systemUTC());
        var admission = ClusterBudget.guard(
                Admission.create(AdmissionSettings.from(ConfigFactory.load())),
                budget,
                AdmissionSettings.from(ConfigFactory.load()));

        assertThat(budget.spent(ANNA)).isFalse();
        budget.report(ANNA, 300_000);
        budget.report(ANNA, 150_000);
        await(() -> budget.spent(ANNA));
        assertThat(budget.spent(BEN)).isFalse();
        budget.report(BEN, 550_000);
        await(() -> budget.spent(BEN));

        assertThat(((Decision.Refused) admission.admit(BEN, Set.of())).why()).isEqualTo(Decision.Why.BUDGET);
        assertThat(admission.readmit(BEN, Set.of())).isInstanceOf(Decision.Admitted.class);
    }

    /** An orderly stop loses nothing: the next telling would be ten seconds away. */
    @Test
    void whatWasSpentIsJournaledBeforeANodeLeaves() {
        var cluster = Cluster.get(kit.system());
        cluster.manager().tell(Join.create(cluster.selfMember().address()));
        var budget = (ClusterBudget)
                ClusterBudget.start(kit.system(), settings("monthly-usd = 1, report-every = 10s"), Clock.systemUTC());
        budget.report(ANNA, 300_000);
        budget.report(BEN, 700_000);
        var began = System.nanoTime();

        budget.flush(Duration.ofMinutes(1)).toCompletableFuture().join();

        assertThat(budget.untoldMicros()).isZero();
        await(() -> budget.spentMicros() == 1_000_000);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofMinutes(1));
        // Nothing is left: the keeper is not asked.
        budget.flush(Duration.ofMinutes(1)).toCompletableFuture().join();
    }

    /** The keeper's node was lost as well. */
    @Test
    void leavingDoesNotWaitForAKeeperThatDoesNotAnswer() {
        var budget = ClusterBudget.start(kit.system(), settings("monthly-usd = 1"), Clock.systemUTC());
        budget.report(ANNA, 300_000);

        assertThat(budget.flush(Duration.ofMillis(100))).succeedsWithin(Duration.ofMinutes(1));
        assertThat(budget.spent(ANNA)).isFalse();
    }

    @Test
    void whereNothingIsBoundedNobodyCounts() {
        var budget = ClusterBudget.start(kit.system(), settings(""), Clock.systemUTC());

        budget.report(ANNA, Long.MAX_VALUE);

        assertThat(budget.spent(ANNA)).isFalse();
        assertThat(budget.flush(Duration.ofMinutes(1))).isCompleted();
    }

    @Test
    void settingsAreReadAndChecked() {
        assertThat(settings("")).isEqualTo(new BudgetSettings(0, 0, 0, 0.8, Duration.ofMillis(200)));
        assertThat(settings(
                        "monthly-usd = 1000, tenant-usd = 10.5, user-usd = 1, alert-share = 0.5, report-every = 1s"))
                .isEqualTo(new BudgetSettings(1_000_000_000, 10_500_000, 1_000_000, 0.5, Duration.ofSeconds(1)));
        assertThatThrownBy(() -> settings("alert-share = 2"))
                .hasMessage("parley.admission.budget: alert-share: 2.0 (expected: above 0, at most 1)");
    }

    private static Total total(String session, long micros) {
        return new Total(session, "red", "anna", micros);
    }

    private static BudgetSettings settings(String changes) {
        return BudgetSettings.from(ConfigFactory.parseString("parley.admission.budget {\n" + changes + "\n}")
                .withFallback(ConfigFactory.load()));
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(end);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }
}
