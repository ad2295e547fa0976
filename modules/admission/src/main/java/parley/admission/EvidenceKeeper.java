package parley.admission;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.jspecify.annotations.Nullable;

/**
 * The evidence of the whole cluster: kept once, beside the controller, and in a journal of its own, so that a singleton
 * that moves forgets nothing and the audit has nothing in it but its lines.
 *
 * <p>What a node has seen is acknowledged when it is journaled. Once a second the evidence is judged and the controller
 * told, which answers with the era of the rollout: where that is another, all evidence is of the past and goes.
 */
final class EvidenceKeeper
        extends EventSourcedBehaviorWithEnforcedReplies<EvidenceKeeper.Command, EvidenceEvent, EvidenceState> {
    static final PersistenceId ID = PersistenceId.ofUniqueId("rollout|evidence");

    /** A node that is silent for longer may have seen what the others have not. */
    static final Duration SILENT = Duration.ofSeconds(30);

    /** There is one arm only. */
    static final int NO_SPLIT = -1;

    /** Beyond so many users of an era none is counted: they are sample enough. */
    static final int MOST_USERS = 100_000;

    sealed interface Command extends RolloutSingleton.Command {}

    /**
     * What a node has seen since its last batch; empty: nothing, but it lives.
     *
     * @param life of the node: another after each start
     * @param node its address
     * @param number one more than that of the life's last batch, or the same again
     * @param arrivals of those whose session is among the observations; null where a release before 0.2 sends it
     */
    record Batch(
            String life,
            String node,
            long number,
            List<Observation> observations,
            @Nullable List<Arrival> arrivals,
            ActorRef<OutcomeReporter.Command> replyTo)
            implements Command, CborSerializable {
        Batch {
            observations = List.copyOf(observations);
            arrivals = arrivals == null ? List.of() : List.copyOf(arrivals);
        }
    }

    /** The rollout's era is this; what was seen in another counts no longer. Safe to repeat. */
    record Begin(long era) implements Command, CborSerializable {}

    /** Time to judge. */
    record Weigh() implements Command, CborSerializable {}

    private final Clock clock;
    private final List<Guardrail> guardrails;
    private final Supplier<Set<String>> nodes;
    private final IntSupplier split;
    private final ActorRef<RolloutController.Command> controller;
    private final ActorRef<Command> self;
    private final Map<String, Instant> heard = new HashMap<>();
    /** Users of this era, by their hash: in memory alone, so that no journal knows who was there. */
    private final Set<Long> met = new HashSet<>();

    private @Nullable Instant blindSince;

    /**
     * @param nodes the addresses of those that are up
     * @param split the share of users, in per cent, whom admission gives to {@link Arm#VOICE} while it gives the others to
     *     {@link Arm#CONTROL}; {@link #NO_SPLIT} while it does not
     */
    static Behavior<Command> create(
            Clock clock,
            List<Guardrail> guardrails,
            Supplier<Set<String>> nodes,
            IntSupplier split,
            ActorRef<RolloutController.Command> controller) {
        return Behaviors.setup(
                context -> new EvidenceKeeper(clock, guardrails, nodes, split, controller, context.getSelf()));
    }

    private EvidenceKeeper(
            Clock clock,
            List<Guardrail> guardrails,
            Supplier<Set<String>> nodes,
            IntSupplier split,
            ActorRef<RolloutController.Command> controller,
            ActorRef<Command> self) {
        super(
                ID,
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(3), 0.2)
                        .withLoggingEnabled(false));
        this.clock = clock;
        this.guardrails = guardrails;
        this.nodes = nodes;
        this.split = split;
        this.controller = controller;
        this.self = self;
    }

    @Override
    public EvidenceState emptyState() {
        return EvidenceState.initial(guardrails);
    }

    @Override
    public EventHandler<EvidenceState, EvidenceEvent> eventHandler() {
        return (state, event) -> state.after(event, guardrails);
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(100, 2).withDeleteEventsOnSnapshot();
    }

    @Override
    public CommandHandlerWithReply<Command, EvidenceEvent, EvidenceState> commandHandler() {
        return (state, command) -> switch (command) {
            case Batch batch -> hear(state, batch);
            case Begin(var era) when era == state.era() -> Effect().noReply();
            case Begin(var era) -> {
                blindSince = blindSince == null ? null : clock.instant();
                met.clear();
                yield Effect().persist(new EvidenceEvent.Begun(era)).thenNoReply();
            }
            case Weigh weigh -> weigh(state);
        };
    }

    private ReplyEffect<EvidenceEvent, EvidenceState> hear(EvidenceState state, Batch batch) {
        heard.put(batch.node(), clock.instant());
        var acknowledged = new OutcomeReporter.Acknowledged(batch.life(), batch.number());
        if (batch.observations().isEmpty() || state.knows(batch.life(), batch.number())) {
            return Effect().reply(batch.replyTo(), acknowledged);
        }
        return Effect()
                .persist(new EvidenceEvent.Seen(
                        batch.life(),
                        batch.number(),
                        batch.observations(),
                        clock.instant(),
                        newUsers(batch, Arm.VOICE),
                        newUsers(batch, Arm.CONTROL)))
                .thenReply(batch.replyTo(), later -> acknowledged);
    }

    /** After a move of this singleton whoever comes again counts again: in the arm it was in before. */
    private long newUsers(Batch batch, Arm arm) {
        var arrivals = Objects.requireNonNull(batch.arrivals());
        return arrivals.stream()
                .filter(arrival -> arrival.arm() == arm && met.size() < MOST_USERS && met.add(arrival.user()))
                .count();
    }

    private ReplyEffect<EvidenceEvent, EvidenceState> weigh(EvidenceState state) {
        if (!state.fits(guardrails)) {
            // Kept under another configuration.
            return Effect().persist(new EvidenceEvent.Begun(state.era())).thenNoReply();
        }
        var since = blindSince;
        boolean complete = complete();
        if (complete && since != null) {
            blindSince = null;
            return Effect()
                    .persist(new EvidenceEvent.Blind(Duration.between(since, clock.instant())))
                    .thenRun(later -> judge(later, true, Duration.ZERO))
                    .thenNoReply();
        }
        if (!complete && since == null) {
            blindSince = clock.instant();
        }
        judge(state, complete, since == null ? Duration.ZERO : Duration.between(since, clock.instant()));
        return Effect().noReply();
    }

    private void judge(EvidenceState state, boolean complete, Duration blind) {
        var ratio = ratio(state);
        var judgements = guardrails.stream()
                .map(guardrail -> Judge.judge(guardrail, of(guardrail, state), complete, ratio))
                .toList();
        controller.tell(new RolloutController.Judged(
                state.era(), judgements, ratio, state.blind().plus(blind), self));
    }

    private @Nullable SampleRatio ratio(EvidenceState state) {
        int percentage = split.getAsInt();
        return percentage == NO_SPLIT ? null : new SampleRatio(state.voiceUsers(), state.controlUsers(), percentage);
    }

    private boolean complete() {
        var up = nodes.get();
        var silentSince = clock.instant().minus(SILENT);
        heard.keySet().retainAll(up);
        return up.stream()
                .allMatch(node -> heard.getOrDefault(node, Instant.MIN).isAfter(silentSince));
    }

    private static Evidence of(Guardrail guardrail, EvidenceState state) {
        return state.evidence().stream()
                .filter(evidence -> evidence.guardrail().equals(guardrail.id()))
                .findFirst()
                .orElseGet(() -> Evidence.of(guardrail));
    }
}
