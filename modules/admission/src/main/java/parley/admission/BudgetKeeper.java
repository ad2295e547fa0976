package parley.admission;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import parley.admission.BudgetState.Amount;
import parley.admission.BudgetState.Total;

/**
 * Adds up what all sessions of the cluster have spent: a singleton that journals what it is told before it says that it
 * knows. Nodes number what they tell, so that what is told twice counts once. Every node learns by {@code publish} who has
 * nothing left: at once, and of the sum at most every {@link #PUBLISH_EVERY}.
 */
final class BudgetKeeper
        extends EventSourcedBehaviorWithEnforcedReplies<BudgetKeeper.Command, BudgetKeeper.Event, BudgetState> {
    static final PersistenceId ID = PersistenceId.ofUniqueId("budget|monthly");

    /** The sum is told to every node at most this often. */
    static final Duration PUBLISH_EVERY = Duration.ofMillis(200);

    sealed interface Command {}

    /**
     * What was spent on a node since it told last.
     *
     * @param life of the node: another after each start
     * @param number rises with each telling of a life, and is repeated in the answer
     */
    record Add(String life, long number, List<Amount> amounts, ActorRef<Known> replyTo)
            implements Command, CborSerializable {
        Add {
            amounts = List.copyOf(amounts);
        }
    }

    /** Totals of sessions, from a node of the release before. */
    record Tell(long number, List<Total> totals, ActorRef<Known> replyTo) implements Command, CborSerializable {
        Tell {
            totals = List.copyOf(totals);
        }
    }

    record Known(long number) implements CborSerializable {}

    private enum Tick implements Command {
        PUBLISH
    }

    /** Journaled. A field may be added with a default, never renamed, retyped or removed. */
    sealed interface Event extends CborSerializable {}

    record Added(String life, long number, List<Amount> amounts, Instant at) implements Event {
        Added {
            amounts = List.copyOf(amounts);
        }
    }

    /** Written by the release before, or of what its nodes tell. */
    record Told(List<Total> totals, Instant at) implements Event {
        Told {
            totals = List.copyOf(totals);
        }
    }

    private final BudgetSettings settings;
    private final Clock clock;
    private final Consumer<Standing> publish;
    private final TimerScheduler<Command> timers;
    private Standing published = Standing.NONE;
    private long publishedAt;

    static Behavior<Command> create(BudgetSettings settings, Clock clock, Consumer<Standing> publish) {
        return Behaviors.withTimers(timers -> new BudgetKeeper(settings, clock, publish, timers));
    }

    private BudgetKeeper(
            BudgetSettings settings, Clock clock, Consumer<Standing> publish, TimerScheduler<Command> timers) {
        super(
                ID,
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(3), 0.2)
                        .withLoggingEnabled(false));
        this.settings = settings;
        this.clock = clock;
        this.publish = publish;
        this.timers = timers;
    }

    @Override
    public BudgetState emptyState() {
        return BudgetState.NONE;
    }

    @Override
    public CommandHandlerWithReply<Command, Event, BudgetState> commandHandler() {
        return (state, command) -> switch (command) {
            case Add add
            when state.knows(add.life(), add.number()) -> Effect().reply(add.replyTo(), new Known(add.number()));
            case Add add ->
                Effect()
                        .persist(new Added(add.life(), add.number(), add.amounts(), clock.instant()))
                        .thenRun(this::tell)
                        .thenReply(add.replyTo(), after -> new Known(add.number()));
            case Tick tick -> {
                tellNow(standing(state));
                yield Effect().noReply();
            }
            case Tell tell ->
                Effect()
                        .persist(new Told(tell.totals(), clock.instant()))
                        .thenRun(this::tell)
                        .thenReply(tell.replyTo(), after -> new Known(tell.number()));
        };
    }

    @Override
    public EventHandler<BudgetState, Event> eventHandler() {
        return (state, event) -> switch (event) {
            case Added added -> state.after(added.life(), added.number(), added.amounts(), added.at());
            case Told told -> state.after(told.totals(), told.at());
        };
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(100, 1).withDeleteEventsOnSnapshot();
    }

    @Override
    public SignalHandler<BudgetState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), state -> tellNow(standing(state)))
                .build();
    }

    /** Each is a message to every node, and a hundred nodes tell a few times a second. */
    private void tell(BudgetState state) {
        var now = standing(state);
        boolean somebodyStops = !now.month().equals(published.month())
                || !now.tenants().equals(published.tenants())
                || !now.users().equals(published.users())
                || isUsedUp(now) != isUsedUp(published);
        if (somebodyStops || System.nanoTime() - publishedAt >= PUBLISH_EVERY.toNanos()) {
            tellNow(now);
        } else if (!timers.isTimerActive(Tick.PUBLISH)) {
            timers.startSingleTimer(Tick.PUBLISH, Tick.PUBLISH, PUBLISH_EVERY);
        }
    }

    private void tellNow(Standing standing) {
        timers.cancel(Tick.PUBLISH);
        published = standing;
        publishedAt = System.nanoTime();
        publish.accept(standing);
    }

    private boolean isUsedUp(Standing standing) {
        return settings.monthlyMicros() > 0 && standing.micros() >= settings.monthlyMicros();
    }

    private Standing standing(BudgetState state) {
        return new Standing(
                state.version(),
                state.month(),
                state.micros(),
                over(state.byTenant(), settings.tenantMicros()),
                over(state.byUser(), settings.userMicros()));
    }

    private static List<String> over(Map<String, Long> spent, long bound) {
        return bound == 0
                ? List.of()
                : spent.entrySet().stream()
                        .filter(each -> each.getValue() >= bound)
                        .map(Map.Entry::getKey)
                        .sorted()
                        .collect(Collectors.toList());
    }

    /**
     * Who has nothing left.
     *
     * @param version rises; a later one replaces an earlier one
     * @param tenants and {@code users} that have spent their own
     */
    record Standing(long version, String month, long micros, List<String> tenants, List<String> users)
            implements CborSerializable {
        static final Standing NONE = new Standing(0, "", 0, List.of(), List.of());

        Standing {
            tenants = List.copyOf(tenants);
            users = List.copyOf(users);
        }
    }
}
