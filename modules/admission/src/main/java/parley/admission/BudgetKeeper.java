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
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import parley.admission.BudgetState.Total;

/**
 * Adds up what all sessions of the cluster have spent: a singleton that journals what it is told before it says that it
 * knows. Nodes tell totals per session, so that what is told twice counts once. Every node learns by {@code publish} who
 * has nothing left.
 */
final class BudgetKeeper
        extends EventSourcedBehaviorWithEnforcedReplies<BudgetKeeper.Command, BudgetKeeper.Told, BudgetState> {
    static final PersistenceId ID = PersistenceId.ofUniqueId("budget|monthly");

    sealed interface Command {}

    /** @param number repeated in the answer */
    record Tell(long number, List<Total> totals, ActorRef<Known> replyTo) implements Command, CborSerializable {
        Tell {
            totals = List.copyOf(totals);
        }
    }

    record Known(long number) implements CborSerializable {}

    /** Journaled. A field may be added with a default, never renamed, retyped or removed. */
    record Told(List<Total> totals, Instant at) implements CborSerializable {
        Told {
            totals = List.copyOf(totals);
        }
    }

    private final BudgetSettings settings;
    private final Clock clock;
    private final Consumer<Standing> publish;

    static Behavior<Command> create(BudgetSettings settings, Clock clock, Consumer<Standing> publish) {
        return Behaviors.setup(context -> new BudgetKeeper(settings, clock, publish));
    }

    private BudgetKeeper(BudgetSettings settings, Clock clock, Consumer<Standing> publish) {
        super(
                ID,
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(3), 0.2)
                        .withLoggingEnabled(false));
        this.settings = settings;
        this.clock = clock;
        this.publish = publish;
    }

    @Override
    public BudgetState emptyState() {
        return BudgetState.NONE;
    }

    @Override
    public CommandHandlerWithReply<Command, Told, BudgetState> commandHandler() {
        return (state, command) -> switch (command) {
            case Tell tell ->
                Effect()
                        .persist(new Told(tell.totals(), clock.instant()))
                        .thenRun(this::tell)
                        .thenReply(tell.replyTo(), after -> new Known(tell.number()));
        };
    }

    @Override
    public EventHandler<BudgetState, Told> eventHandler() {
        return (state, told) -> state.after(told.totals(), told.at());
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(100, 1).withDeleteEventsOnSnapshot();
    }

    @Override
    public SignalHandler<BudgetState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::tell)
                .build();
    }

    private void tell(BudgetState state) {
        publish.accept(new Standing(
                state.version(),
                state.month(),
                state.micros(),
                over(state.byTenant(), settings.tenantMicros()),
                over(state.byUser(), settings.userMicros())));
    }

    private static List<String> over(Map<String, Long> spent, long bound) {
        return bound == 0
                ? List.of()
                : spent.entrySet().stream()
                        .filter(each -> each.getValue() >= bound)
                        .map(Map.Entry::getKey)
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
