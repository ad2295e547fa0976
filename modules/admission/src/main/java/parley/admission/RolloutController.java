package parley.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Rollout.Phase;
import parley.admission.RolloutEvent.Audit;
import parley.admission.RolloutEvent.Recorded;
import parley.admission.Rollouts.Action;
import parley.admission.Rollouts.Changed;
import parley.admission.Rollouts.GuardrailReport;
import parley.admission.Rollouts.Proposal;
import parley.admission.Rollouts.Refusal;
import parley.admission.Rollouts.Request;

/**
 * The one place where the rollout changes: a singleton of the cluster, whose events are the audit.
 *
 * <p>Decides and journals; every node learns of the result by {@code publish}. Whatever happens by itself only reduces
 * who gets voice, except a promotion that the plan asks for.
 */
final class RolloutController
        extends EventSourcedBehaviorWithEnforcedReplies<RolloutController.Command, RolloutEvent, RolloutState> {
    static final PersistenceId ID = PersistenceId.ofUniqueId("rollout|voice-realtime");

    private static final Logger LOG = LoggerFactory.getLogger(RolloutController.class);
    private static final int LONGEST_REASON = 500;

    sealed interface Command extends RolloutSingleton.Command {}

    record Change(Proposal proposal, Request request, ActorRef<Changed> replyTo) implements Command, CborSerializable {}

    record Act(Action action, Request request, ActorRef<Changed> replyTo) implements Command, CborSerializable {}

    /**
     * Something to be written into the audit that the controller did not do: a kill, or a refusal at the door.
     *
     * @param diff null from a node of an older release
     * @param replyTo is told the line's number
     */
    record Note(
            Actor actor,
            String action,
            String outcome,
            String reason,
            Instant at,
            @Nullable List<Rollout.Diff> diff,
            List<String> nodes,
            ActorRef<Noted> replyTo)
            implements Command, CborSerializable {}

    record Noted(long seq) implements CborSerializable {}

    /** The rollout again, for a node that has just come. */
    record Tell(ActorRef<Rollout> replyTo) implements Command, CborSerializable {}

    /**
     * What the guardrails say.
     *
     * @param era whose evidence it is: of another than the present one it says nothing
     * @param ratio of the users of both arms; null: there is one arm only, or a release before 0.2 judged
     * @param blind how long some node was silent in this era: no step bakes then
     * @param replyTo is told the present one, where that is another
     */
    record Judged(
            long era,
            List<Judgement> judgements,
            @Nullable SampleRatio ratio,
            Duration blind,
            ActorRef<EvidenceKeeper.Command> replyTo)
            implements Command, CborSerializable {}

    private final Clock clock;
    private final Rollout configured;
    private final GuardrailSettings guardrails;
    private final boolean fourEyes;
    private final Supplier<Kill> kill;
    private final Consumer<Rollout> publish;
    private final Consumer<GuardrailReport> report;
    private GuardrailReport reported = GuardrailReport.NONE;

    /**
     * @param configured what counts before anybody changed anything
     * @param fourEyes whether what lets more users in takes two people
     * @param kill as this node knows it
     * @param publish tells every node; called with each new revision, and after each start
     * @param report tells every node what the guardrails say; called when they say something else
     */
    static Behavior<Command> create(
            Clock clock,
            Rollout configured,
            GuardrailSettings guardrails,
            boolean fourEyes,
            Supplier<Kill> kill,
            Consumer<Rollout> publish,
            Consumer<GuardrailReport> report) {
        return Behaviors.setup(
                context -> new RolloutController(clock, configured, guardrails, fourEyes, kill, publish, report));
    }

    private RolloutController(
            Clock clock,
            Rollout configured,
            GuardrailSettings guardrails,
            boolean fourEyes,
            Supplier<Kill> kill,
            Consumer<Rollout> publish,
            Consumer<GuardrailReport> report) {
        super(
                ID,
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(3), 0.2)
                        .withLoggingEnabled(false));
        this.clock = clock;
        this.configured = configured;
        this.guardrails = guardrails;
        this.fourEyes = fourEyes;
        this.kill = kill;
        this.publish = publish;
        this.report = report;
    }

    @Override
    public RolloutState emptyState() {
        return RolloutState.initial(configured);
    }

    @Override
    public EventHandler<RolloutState, RolloutEvent> eventHandler() {
        return RolloutState::after;
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        // The events stay: they are the audit.
        return RetentionCriteria.snapshotEvery(100, 2);
    }

    @Override
    public SignalHandler<RolloutState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), state -> publish.accept(state.rollout()))
                .build();
    }

    @Override
    public CommandHandlerWithReply<Command, RolloutEvent, RolloutState> commandHandler() {
        return (state, command) -> switch (command) {
            case Change c -> change(state, c);
            case Act c -> act(state, c);
            case Note n -> note(state, n);
            case Tell t -> Effect().reply(t.replyTo(), state.rollout());
            case Judged j -> judged(state, j);
        };
    }

    // ---- what happens by itself

    /**
     * Once for each era: the act begins another, in the same event. So a verdict that comes again, also after a restart,
     * finds nothing to act upon; and neither does one that is older than what a person has decided meanwhile.
     */
    private ReplyEffect<RolloutEvent, RolloutState> judged(RolloutState state, Judged judged) {
        if (judged.era() != state.era()) {
            return Effect().reply(judged.replyTo(), new EvidenceKeeper.Begin(state.era()));
        }
        var ramp = new Ramp(
                guardrails,
                state.rollout(),
                kill.get(),
                judged.judgements(),
                judged.ratio(),
                judged.blind(),
                clock.instant(),
                state.acted());
        tell(ramp.report());
        var act = ramp.act();
        if (act == null) {
            return Effect().noReply();
        }
        var now = state.rollout();
        var next = act.next();
        var audit = new Audit(
                state.nextSeq(),
                next.changed().at(),
                next.changed().by(),
                act.action(),
                "applied",
                next.changed().reason(),
                now.revision(),
                next.revision(),
                now.diff(next),
                act.evidence(),
                List.of(),
                state.lastHash(),
                "");
        return Effect()
                .persist(new Recorded(audit.sealed(), next, null, null))
                .thenRun(later -> {
                    LOG.warn(
                            "{} by {} {}: revision {}, {} %",
                            audit.action(),
                            audit.actor().type(),
                            audit.actor().id(),
                            next.revision(),
                            next.effectivePercentage());
                    publish.accept(later.rollout());
                })
                .thenReply(judged.replyTo(), later -> new EvidenceKeeper.Begin(later.era()));
    }

    private void tell(GuardrailReport now) {
        if (!now.saysTheSameAs(reported)) {
            reported = now;
            report.accept(now);
        }
    }

    // ---- what operators do

    private ReplyEffect<RolloutEvent, RolloutState> change(RolloutState state, Change command) {
        var request = command.request();
        var now = state.rollout();
        var refused = refusal(state, request, command.proposal().toString());
        if (refused != null) {
            return refuse(state, "rollout.change", request, refused, command.replyTo());
        }
        Rollout next;
        try {
            next = proposed(now, command.proposal(), request);
        } catch (IllegalArgumentException wrong) {
            return refuse(
                    state,
                    "rollout.change",
                    request,
                    new Changed.Refused(Refusal.INVALID, String.valueOf(wrong.getMessage()), now),
                    command.replyTo());
        }
        if (isUnexplained(now, request) && now.letsMoreIn(next)) {
            return refuse(state, "rollout.change", request, unexplained(now), command.replyTo());
        }
        return apply(state, "rollout.change", request, command.proposal().toString(), next, false, command.replyTo());
    }

    private ReplyEffect<RolloutEvent, RolloutState> act(RolloutState state, Act command) {
        var request = command.request();
        var action = "rollout." + command.action().name().toLowerCase(java.util.Locale.ROOT);
        var refused = refusal(state, request, command.action().name());
        if (refused == null) {
            refused = notNow(state.rollout(), command.action(), request);
        }
        return refused == null
                ? apply(
                        state,
                        action,
                        request,
                        command.action().name(),
                        next(state.rollout(), command.action(), request),
                        command.action() == Action.APPROVE,
                        command.replyTo())
                : refuse(state, action, request, refused, command.replyTo());
    }

    private Rollout proposed(Rollout now, Proposal proposal, Request request) {
        var old = now.flag();
        var flag = new Flag(
                or(proposal.enabled(), old.enabled()),
                or(proposal.percentage(), old.percentage()),
                or(proposal.salt(), old.salt()),
                or(proposal.allow(), old.allow()),
                or(proposal.deny(), old.deny()),
                or(proposal.cohorts(), old.cohorts()),
                or(proposal.tenants(), old.tenants()));
        var plan = or(proposal.plan(), now.plan());
        boolean moved = flag.percentage() != old.percentage() || !plan.equals(now.plan());
        // Whoever takes the slider into their own hands has ended what went by itself; further down, a rollback stays
        // one.
        boolean latched = now.phase() == Phase.ROLLED_BACK && flag.percentage() < old.percentage();
        var phase = !moved || latched ? now.phase() : Phase.PAUSED;
        return next(now, phase, flag, plan, moved ? plan.stepAt(flag.percentage()) : now.step(), request, moved);
    }

    private Rollout next(Rollout now, Action action, Request request) {
        var plan = now.plan();
        return switch (action) {
            case PROMOTE -> {
                int step = now.step() + 1;
                int percentage =
                        Math.max(now.flag().percentage(), plan.steps().get(step).percentage());
                yield next(
                        now,
                        Phase.RUNNING,
                        now.flag().withPercentage(percentage),
                        plan,
                        plan.stepAt(percentage),
                        request,
                        true);
            }
            case PAUSE -> next(now, Phase.PAUSED, now.flag(), plan, now.step(), request, true);
            case RESUME -> next(now, Phase.RUNNING, now.flag(), plan, now.step(), request, true);
            case ROLLBACK -> {
                int percentage = plan.percentageBefore(now.step());
                yield next(
                        now,
                        Phase.ROLLED_BACK,
                        now.flag().withPercentage(percentage),
                        plan,
                        plan.stepAt(percentage),
                        request,
                        true);
            }
            case APPROVE, REJECT -> {
                var proposed = Objects.requireNonNull(now.proposed());
                var by = proposed.by().by().id() + " proposed: " + proposed.by().reason();
                yield now.decided(
                        action == Action.APPROVE,
                        new Rollout.Change(
                                request.actor(),
                                clock.instant(),
                                request.reason().isBlank() ? by : request.reason() + " (" + by + ")"));
            }
        };
    }

    private Rollout next(Rollout now, Phase phase, Flag flag, Plan plan, int step, Request request, boolean begins) {
        var at = clock.instant();
        return new Rollout(
                now.revision() + 1,
                phase,
                flag,
                plan,
                step,
                begins ? at : now.since(),
                new Rollout.Change(request.actor(), at, request.reason()),
                begins ? null : now.suspension(),
                null,
                now.bakedAfter(flag, at));
    }

    private static Changed.@Nullable Refused notNow(Rollout now, Action action, Request request) {
        var why = switch (action) {
            case PROMOTE ->
                now.phase() == Phase.SUSPENDED
                        ? "suspended: it goes on by itself when the trouble is over (expected: resume, or wait)"
                        : now.plan().isLast(now.step()) ? "the last step is reached (expected: a step to go to)" : null;
            case PAUSE ->
                now.phase() == Phase.RUNNING || now.phase() == Phase.HOLDING
                        ? null
                        : "state " + word(now.phase()) + " (expected: running or holding)";
            case RESUME ->
                now.step() < 0
                        ? "no step is reached (expected: promote, which begins the first)"
                        : now.phase() == Phase.RUNNING || now.phase() == Phase.COMPLETED
                                ? "state " + word(now.phase()) + " (expected: paused, holding, suspended, rolled_back)"
                                : null;
            case ROLLBACK -> now.flag().percentage() == 0 ? "nobody has voice (expected: a percentage above 0)" : null;
            case APPROVE, REJECT -> notDecided(now, action, request);
        };
        if (why == null && isUnexplained(now, request) && (action == Action.PROMOTE || action == Action.RESUME)) {
            return unexplained(now);
        }
        return why == null ? null : new Changed.Refused(Refusal.NOT_NOW, why, now);
    }

    /** R9: a rollback stays until a person with a reason goes on. Trying what that would do needs none. */
    private static boolean isUnexplained(Rollout now, Request request) {
        return now.phase() == Phase.ROLLED_BACK && request.reason().isBlank() && !request.dryRun();
    }

    private static Changed.Refused unexplained(Rollout now) {
        return new Changed.Refused(
                Refusal.NOT_NOW, "rolled back, and no reason is given (expected: reason: why it may go on)", now);
    }

    private static @Nullable String notDecided(Rollout now, Action action, Request request) {
        if (now.proposed() == null) {
            return "nothing is proposed (expected: a proposal)";
        }
        return action == Action.APPROVE
                        && now.proposed().by().by().id().equals(request.actor().id())
                ? "proposed by " + request.actor().id() + " (expected: somebody else approves it)"
                : null;
    }

    // ---- conditions

    /** What holds for every request; null: go on. */
    private static Changed.@Nullable Refused refusal(RolloutState state, Request request, String body) {
        var now = state.rollout();
        if (request.reason().length() > LONGEST_REASON) {
            return new Changed.Refused(
                    Refusal.INVALID,
                    "reason: " + request.reason().length() + " characters (expected: at most " + LONGEST_REASON + ")",
                    now);
        }
        var key = request.idempotencyKey();
        var answered = key == null ? null : state.answered().get(key);
        if (answered != null) {
            return answered.body().equals(hash(body))
                    ? null
                    : new Changed.Refused(Refusal.KEY_REUSED, "Idempotency-Key: was used for another request", now);
        }
        var expected = request.expectedRevision();
        if (expected != null && expected != now.revision()) {
            return new Changed.Refused(
                    Refusal.STALE,
                    "revision: " + expected + " (expected: " + now.revision()
                            + (now.revision() == 0
                                    ? ", as configured)"
                                    : ", changed by " + now.changed().by().id() + ": "
                                            + now.changed().reason() + ")"),
                    now);
        }
        return null;
    }

    // ---- effects

    /** @param approved whether a second pair of eyes has seen it */
    private ReplyEffect<RolloutEvent, RolloutState> apply(
            RolloutState state,
            String action,
            Request request,
            String body,
            Rollout wanted,
            boolean approved,
            ActorRef<Changed> replyTo) {
        var now = state.rollout();
        var key = request.idempotencyKey();
        var answered = key == null ? null : state.answered().get(key);
        if (answered != null) {
            return Effect()
                    .reply(
                            replyTo,
                            new Changed.Applied(
                                    answered.result(),
                                    List.of(),
                                    0,
                                    0,
                                    false,
                                    true,
                                    answered.result().proposed() != null));
        }
        var diff = now.diff(wanted);
        int entering = now.entering(wanted);
        int leaving = wanted.entering(now);
        boolean waits = fourEyes && !approved && now.letsMoreIn(wanted);
        if (request.dryRun()) {
            return Effect().reply(replyTo, new Changed.Applied(wanted, diff, entering, leaving, true, false, waits));
        }
        var next = waits ? now.proposing(wanted) : wanted;
        var audit = new Audit(
                state.nextSeq(),
                next.changed().at(),
                request.actor(),
                action,
                waits ? "proposed" : "applied",
                approved ? next.changed().reason() : request.reason(),
                now.revision(),
                next.revision(),
                diff,
                "",
                List.of(),
                state.lastHash(),
                "");
        return Effect()
                .persist(new Recorded(audit.sealed(), next, key, key == null ? null : hash(body)))
                .thenRun(later -> publish.accept(later.rollout()))
                .thenReply(replyTo, later -> new Changed.Applied(next, diff, entering, leaving, false, false, waits));
    }

    /** Told, and written down: an attempt is part of what happened. */
    private ReplyEffect<RolloutEvent, RolloutState> refuse(
            RolloutState state, String action, Request request, Changed.Refused refused, ActorRef<Changed> replyTo) {
        if (request.dryRun()) {
            return Effect().reply(replyTo, refused);
        }
        return Effect()
                .persist(record(
                        state,
                        request.actor(),
                        action,
                        "failed",
                        refused.detail(),
                        clock.instant(),
                        List.of(),
                        List.of()))
                .thenReply(replyTo, later -> refused);
    }

    private ReplyEffect<RolloutEvent, RolloutState> note(RolloutState state, Note note) {
        var recorded = record(
                state,
                note.actor(),
                note.action(),
                note.outcome(),
                note.reason(),
                note.at(),
                or(note.diff(), List.of()),
                note.nodes());
        return Effect()
                .persist(recorded)
                .thenReply(note.replyTo(), later -> new Noted(recorded.audit().seq()));
    }

    private static Recorded record(
            RolloutState state,
            Actor actor,
            String action,
            String outcome,
            String reason,
            Instant at,
            List<Rollout.Diff> diff,
            List<String> nodes) {
        long revision = state.rollout().revision();
        var audit = new Audit(
                state.nextSeq(),
                at,
                actor,
                action,
                outcome,
                reason,
                revision,
                revision,
                diff,
                "",
                nodes,
                state.lastHash(),
                "");
        return new Recorded(audit.sealed(), null, null, null);
    }

    private static <T> T or(@Nullable T proposed, T present) {
        return Objects.requireNonNullElse(proposed, present);
    }

    private static String word(Phase phase) {
        return phase.name().toLowerCase(java.util.Locale.ROOT);
    }

    private static String hash(String body) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(body.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
