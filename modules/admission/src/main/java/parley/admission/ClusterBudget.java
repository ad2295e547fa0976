package parley.admission;

import java.time.Clock;
import java.time.Duration;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.BudgetKeeper.Standing;
import parley.admission.BudgetState.Amount;
import parley.meter.Meters;

/**
 * The month's budget of the cluster, of each tenant and of each user, seen from one of its nodes.
 *
 * <p>What a session costs is told to the one keeper within {@code report-every}, and told again until it is journaled; who
 * has nothing left is known on every node soon after. So a budget is overspent by what is under way: at most the turn that
 * each live session is in. While the keeper cannot be reached, what is known last counts. A node that leaves tells what is
 * left by {@link #flush}; one that is killed takes with it what it has not told yet. Thread-safe.
 */
public final class ClusterBudget implements Budget {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterBudget.class);
    private static final Duration AGAIN = Duration.ofSeconds(3);
    /** While the node leaves: what is told twice counts once, and the keeper may be on its way to another node. */
    private static final Duration AGAIN_WHILE_LEAVING = Duration.ofMillis(300);

    /** Amounts of one message. */
    private static final int MOST = 1000;

    private final BudgetSettings settings;
    private final Clock clock;
    private final ConcurrentHashMap<Payer, Long> untold = new ConcurrentHashMap<>();
    private final AtomicReference<Known> known = new AtomicReference<>(Known.of(Standing.NONE));
    private volatile String alerted = "";
    private volatile long underWay;
    /** Nobody is told before it is started. */
    private volatile Function<Duration, CompletionStage<Done>> tellAll =
            atMost -> CompletableFuture.completedFuture(Done.getInstance());

    ClusterBudget(BudgetSettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
    }

    /** Where nothing is bounded nobody counts. */
    public static Budget start(ActorSystem<?> system, BudgetSettings settings, Clock clock) {
        if (!settings.isBounded()) {
            return Budget.none();
        }
        var budget = new ClusterBudget(settings, clock);
        AdmissionMetrics.budget(Meters.of(system), settings, budget::spentMicros);
        ActorRef<Replica.Command<Standing>> replica = system.systemActorOf(
                Replica.create("parley-budget", Standing::version, budget::learn),
                "parley-budget-replica",
                Props.empty());
        Consumer<Standing> publish = told -> replica.tell(new Replica.Put<>(told));
        var keeper = ClusterSingleton.get(system)
                .init(SingletonActor.of(BudgetKeeper.create(settings, clock, publish), "parley-budget"));
        var reporter = system.systemActorOf(budget.reporter(keeper), "parley-budget-reporter", Props.empty());
        budget.tellAll = atMost -> AskPattern.ask(reporter, Flush::new, atMost, system.scheduler());
        return budget;
    }

    @Override
    public boolean spent(CallerId caller) {
        var now = known.get();
        // Else a new month has begun, and nobody has told of it yet.
        return now.isOf(clock.millis())
                && ((settings.monthlyMicros() > 0 && now.standing().micros() >= settings.monthlyMicros())
                        || now.tenants().contains(caller.tenant())
                        || (!now.users().isEmpty()
                                && now.users().contains(BudgetState.user(caller.tenant(), caller.user()))));
    }

    @Override
    public void report(CallerId caller, long costMicros) {
        if (costMicros > 0) {
            untold.merge(payer(caller), costMicros, Long::sum);
        }
    }

    @Override
    public CompletionStage<Void> flush(Duration atMost) {
        return tellAll.apply(atMost).handle((done, late) -> {
            if (late != null) {
                LOG.warn(
                        "the budget's keeper does not answer: what this node spent last, {} US dollars, may not be counted",
                        untoldMicros() / 1e6);
            }
            return null;
        });
    }

    /** Reported, and not known to be journaled. */
    long untoldMicros() {
        return untold.values().stream().mapToLong(Long::longValue).sum() + underWay;
    }

    /** As closely as anybody counts: the keeper remembers each for a month. */
    private Payer payer(CallerId caller) {
        boolean byUser = settings.userMicros() > 0;
        return new Payer(byUser || settings.tenantMicros() > 0 ? caller.tenant() : "", byUser ? caller.user() : "");
    }

    private List<Amount> takeUntold() {
        var amounts = new ArrayList<Amount>();
        for (var payer : untold.keySet()) {
            var micros = amounts.size() < MOST ? untold.remove(payer) : null;
            if (micros != null) {
                amounts.add(new Amount(payer.tenant(), payer.user(), micros));
            }
        }
        return amounts;
    }

    /** Spent this month by everybody, in millionths of a US dollar, as this node knows it. */
    public long spentMicros() {
        return known.get().standing().micros();
    }

    /** Takes what is not older than what is known. */
    void learn(Standing told) {
        known.accumulateAndGet(
                Known.of(told),
                (before, later) ->
                        later.standing().version() >= before.standing().version() ? later : before);
        if (settings.monthlyMicros() > 0
                && told.micros() >= settings.alertShare() * settings.monthlyMicros()
                && !alerted.equals(told.month())) {
            alerted = told.month();
            LOG.warn(
                    "budget of {}: {} of {} US dollars are spent",
                    told.month(),
                    told.micros() / 1e6,
                    settings.monthlyMicros() / 1e6);
        }
    }

    /** What is known, in the form in which it is asked for at each turn of each session. */
    private record Known(Standing standing, Set<String> tenants, Set<String> users, long from, long until) {
        static Known of(Standing standing) {
            if (standing.month().isEmpty()) {
                return new Known(standing, Set.of(), Set.of(), 0, 0);
            }
            var month = YearMonth.parse(standing.month());
            return new Known(
                    standing,
                    Set.copyOf(standing.tenants()),
                    Set.copyOf(standing.users()),
                    beginning(month),
                    beginning(month.plusMonths(1)));
        }

        boolean isOf(long millis) {
            return millis >= from && millis < until;
        }

        private static long beginning(YearMonth month) {
            return month.atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
        }
    }

    private sealed interface Event {}

    private enum Tick implements Event {
        TELL
    }

    private record Payer(String tenant, String user) {}

    private record Answered(BudgetKeeper.Known known) implements Event {}

    /** @param replyTo is told when the keeper has journaled everything */
    private record Flush(ActorRef<Done> replyTo) implements Event {}

    private Behavior<Event> reporter(ActorRef<BudgetKeeper.Command> keeper) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Tick.TELL, settings.reportEvery());
            ActorRef<BudgetKeeper.Known> answers = context.messageAdapter(BudgetKeeper.Known.class, Answered::new);
            var telling = new Telling(keeper, answers);
            return Behaviors.receiveMessage(event -> {
                switch (event) {
                    case Tick tick -> telling.goOn();
                    case Answered(var known) -> telling.answered(known.number());
                    case Flush(var replyTo) -> {
                        timers.startTimerWithFixedDelay(Tick.TELL, AGAIN_WHILE_LEAVING);
                        telling.flush(replyTo);
                    }
                }
                return Behaviors.same();
            });
        }));
    }

    /** One message under way at a time; what it told stays until it is known to be journaled. */
    private final class Telling {
        private final ActorRef<BudgetKeeper.Command> keeper;
        private final ActorRef<BudgetKeeper.Known> answers;
        private final String life = UUID.randomUUID().toString();
        private Duration again = AGAIN;
        private long number;
        private long at;
        private List<Amount> amounts = List.of();
        private @Nullable ActorRef<Done> flushing;

        Telling(ActorRef<BudgetKeeper.Command> keeper, ActorRef<BudgetKeeper.Known> answers) {
            this.keeper = keeper;
            this.answers = answers;
        }

        void goOn() {
            if (amounts.isEmpty() && !untold.isEmpty()) {
                number++;
                amounts = takeUntold();
                underWay = amounts.stream().mapToLong(Amount::micros).sum();
                at = System.nanoTime() - again.toNanos();
            }
            if (!amounts.isEmpty() && System.nanoTime() - at >= again.toNanos()) {
                at = System.nanoTime();
                keeper.tell(new BudgetKeeper.Add(life, number, amounts, answers));
            }
        }

        void answered(long known) {
            if (known != number) {
                return;
            }
            amounts = List.of();
            underWay = 0;
            if (flushing != null) {
                flush(flushing);
            }
        }

        void flush(ActorRef<Done> replyTo) {
            again = AGAIN_WHILE_LEAVING;
            goOn();
            flushing = amounts.isEmpty() ? null : replyTo;
            if (flushing == null) {
                replyTo.tell(Done.getInstance());
            }
        }
    }

    /** The same admission, with nobody new let in who has nothing left. */
    public static Admission guard(Admission admission, Budget budget, AdmissionSettings settings) {
        return new Admission() {
            @Override
            public Decision admit(CallerId caller, Set<String> cohorts) {
                return budget.spent(caller)
                        ? new Decision.Refused(
                                Decision.Why.BUDGET,
                                "the month's budget is used up (expected: next month, or a higher budget)",
                                null,
                                settings.offer())
                        : admission.admit(caller, cohorts);
            }

            @Override
            public Decision readmit(CallerId caller, Set<String> cohorts) {
                return admission.readmit(caller, cohorts);
            }

            @Override
            public int connections() {
                return admission.connections();
            }

            @Override
            public void onKill(Consumer<Kill> action) {
                admission.onKill(action);
            }
        };
    }
}
