package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.BudgetKeeper.Known;
import parley.admission.BudgetKeeper.Standing;
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
    void theKeeperForgetsNothingAndTellsWhoHasNothingLeft() {
        var published = new ArrayList<Standing>();
        EventSourcedBehaviorTestKit<BudgetKeeper.Command, BudgetKeeper.Told, BudgetState> keeper =
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
        budget.report(new Budget.SessionRef("a", ANNA), 300_000);
        budget.report(new Budget.SessionRef("a", ANNA), 450_000);
        await(() -> budget.spent(ANNA));
        assertThat(budget.spent(BEN)).isFalse();
        budget.report(new Budget.SessionRef("b", BEN), 550_000);
        await(() -> budget.spent(BEN));

        assertThat(((Decision.Refused) admission.admit(BEN, Set.of())).why()).isEqualTo(Decision.Why.BUDGET);
        assertThat(admission.readmit(BEN, Set.of())).isInstanceOf(Decision.Admitted.class);
    }

    @Test
    void whereNothingIsBoundedNobodyCounts() {
        var budget = ClusterBudget.start(kit.system(), settings(""), Clock.systemUTC());

        budget.report(new Budget.SessionRef("a", ANNA), Long.MAX_VALUE);

        assertThat(budget.spent(ANNA)).isFalse();
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
