package parley.admission;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.query.javadsl.CurrentEventsByPersistenceIdQuery;
import org.apache.pekko.serialization.jackson.JacksonObjectMapperProvider;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Decision.Why;
import parley.admission.RolloutEvent.Audit;
import parley.meter.Meters;

/** The rollout of a cluster, seen from one of its nodes. */
public final class ClusterRollouts implements Rollouts {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterRollouts.class);
    /** A line's number that no audit reaches. */
    private static final long FAR = Long.MAX_VALUE;

    /** The first line that is looked for where an audit's end is not known. */
    private static final long NEAR = 64;

    /** Threads that may tell a watcher at the same moment. */
    private static final int WATCHED_BY = 16;

    private static final Duration NOTE_AGAIN = Duration.ofSeconds(2);

    private final ActorSystem<?> system;
    private final AdmissionSettings settings;
    private final RolloutView view;
    private final Admission admission;
    private final ActorRef<RolloutController.Command> controller;
    private final ActorRef<KillSwitch.Command> killSwitch;
    private final UnsentOutcomes outcomes;
    private final ActorRef<OutcomeReporter.Command> reporter;
    private final CurrentEventsByPersistenceIdQuery journal;
    private final ClusterSharedTokens tokens;
    private final Clock clock = Clock.systemUTC();
    private final AtomicInteger notes = new AtomicInteger();

    private ClusterRollouts(
            ActorSystem<?> system,
            AdmissionSettings settings,
            RolloutView view,
            ActorRef<RolloutController.Command> controller,
            ActorRef<KillSwitch.Command> killSwitch,
            UnsentOutcomes outcomes,
            ActorRef<OutcomeReporter.Command> reporter,
            CurrentEventsByPersistenceIdQuery journal,
            ClusterSharedTokens tokens) {
        this.system = system;
        this.settings = settings;
        this.view = view;
        this.admission = new NodeAdmission(settings, view);
        this.controller = controller;
        this.killSwitch = killSwitch;
        this.outcomes = outcomes;
        this.reporter = reporter;
        this.journal = journal;
        this.tokens = tokens;
    }

    /**
     * Reads what this node last knew from its disk, and begins to follow the cluster. To be called before the first port
     * opens.
     *
     * @param directory this node's own; what it knows is kept there
     */
    public static ClusterRollouts start(ActorSystem<?> system, AdmissionSettings settings, Path directory) {
        ObjectMapper mapper =
                JacksonObjectMapperProvider.get(system).getOrCreate("jackson-json", java.util.Optional.empty());
        var view = new RolloutView(new Memory(directory, mapper), settings.initial());
        // They write to the disk what they learn.
        ActorRef<Replica.Command<Rollout>> replica = system.systemActorOf(
                Replica.create("parley-rollout", Rollout::revision, view::learn),
                "parley-rollout-replica",
                DispatcherSelector.blocking());
        ActorRef<Replica.Command<Kill>> killReplica = system.systemActorOf(
                Replica.create("parley-kill", Kill::version, view::learn),
                "parley-kill-replica",
                DispatcherSelector.blocking());
        if (view.kill().epoch() > 0) {
            // From this node's disk: the others may have lost theirs.
            killReplica.tell(new Replica.Put<>(view.kill()));
        }
        var killSwitch = system.systemActorOf(
                KillSwitch.create(view, kill -> killReplica.tell(new Replica.Put<>(kill)), Clock.systemUTC()),
                "parley-kill-switch",
                DispatcherSelector.blocking());
        ActorRef<Replica.Command<GuardrailReport>> reportReplica = system.systemActorOf(
                Replica.create("parley-guardrails", GuardrailReport::revision, view::learn),
                "parley-guardrails-replica",
                Props.empty());
        var tokens = new ClusterSharedTokens(system, settings.controllerTimeout());
        ActorRef<Replica.Command<SharedToken>> tokenReplica = system.systemActorOf(
                Replica.create("parley-shared-token", SharedToken::revision, tokens::learn),
                "parley-shared-token-replica",
                Props.empty());
        var cluster = Cluster.get(system);
        ActorRef<RolloutSingleton.Command> singleton = ClusterSingleton.get(system)
                .init(SingletonActor.of(
                        RolloutSingleton.create(
                                RolloutController.create(
                                        Clock.systemUTC(),
                                        settings.initial(),
                                        settings.guardrails(),
                                        settings.fourEyes(),
                                        view::kill,
                                        rollout -> replica.tell(new Replica.Put<>(rollout)),
                                        report -> {
                                            // One more than this node knows, whichever node had the controller before.
                                            view.learn(report.after(view.report()));
                                            reportReplica.tell(new Replica.Put<>(view.report()));
                                        }),
                                controller -> EvidenceKeeper.create(
                                        Clock.systemUTC(),
                                        settings.guardrails().list(),
                                        () -> up(cluster),
                                        () -> split(settings, view.rollout()),
                                        controller),
                                SharedTokenKeeper.create(
                                        Clock.systemUTC(), token -> tokenReplica.tell(new Replica.Put<>(token)))),
                        "parley-rollout"));
        var outcomes = new UnsentOutcomes(
                settings.guardrails().unsent(), settings.guardrails().warmUpSessions());
        var reporter = system.systemActorOf(
                OutcomeReporter.create(outcomes, cluster.selfMember().address().toString(), singleton.narrow()),
                "parley-outcomes",
                Props.empty());
        var meters = Meters.of(system);
        AdmissionMetrics.rollout(meters, view, cluster, Clock.systemUTC());
        AdmissionMetrics.outcomes(meters, outcomes);
        var journal = PersistenceQuery.get(system)
                .getReadJournalFor(CurrentEventsByPersistenceIdQuery.class, settings.readJournal());
        var rollouts = new ClusterRollouts(
                system, settings, view, singleton.narrow(), killSwitch, outcomes, reporter, journal, tokens);
        tokens.follow(
                singleton.narrow(),
                (actor, action, outcome, reason, diff) ->
                        rollouts.note(actor, action, outcome, reason, diff, List.of()));
        return rollouts;
    }

    /** The token that the callers of a face share. */
    public SharedTokens tokens() {
        return tokens;
    }

    /** Decides by what this knows. */
    public Admission admission() {
        return admission;
    }

    /** Where sessions of this node say how they fare. */
    public Outcomes outcomes() {
        return new Outcomes() {
            @Override
            public void report(Signal signal, CallerId caller, Arm arm, boolean forced, double failed) {
                outcomes.report(
                        signal,
                        caller,
                        arm,
                        forced,
                        failed,
                        arm == Arm.VOICE && view.rollout().isBaked(caller));
            }

            @Override
            public void probe(Signal signal, double failed) {
                outcomes.probe(signal, failed);
            }

            @Override
            public double threshold(Signal signal) {
                return settings.threshold(signal);
            }
        };
    }

    /**
     * Brings what this node has seen to where it is counted, now: to be called when its last session has ended or moved,
     * and before it leaves the cluster. Completed, never failed, when all of it is in the journal, or after {@code
     * atMost}.
     */
    public CompletionStage<Void> flush(Duration atMost) {
        return AskPattern.<OutcomeReporter.Command, Done>ask(
                        reporter, OutcomeReporter.Flush::new, atMost, system.scheduler())
                .handle((done, late) -> {
                    if (late != null) {
                        LOG.warn(
                                "{} session outcomes of this node are not counted: {}",
                                outcomes.size(),
                                late.toString());
                    }
                    return null;
                });
    }

    /** Outcomes of this node that nobody will count, because {@code unsent} of them were waiting already. */
    public long lostOutcomes() {
        return outcomes.lost();
    }

    @Override
    public GuardrailReport guardrails() {
        return view.report();
    }

    @Override
    public Rollout current() {
        return view.rollout();
    }

    @Override
    public Kill kill() {
        return view.kill();
    }

    @Override
    public Explained explain(CallerId caller, Set<String> cohorts) {
        var rollout = view.rollout();
        var kill = view.kill();
        var flag = rollout.flag();
        var tenant = flag.tenants().get(caller.tenant());
        int bucket = flag.bucketOf(caller);
        var rules = new ArrayList<Explained.Rule>();
        rules.add(new Explained.Rule(Why.NODE_OFF, settings.nodeOff(), "the environment of the node that answers"));
        rules.add(new Explained.Rule(
                Why.KILLED,
                kill.on(),
                kill.on() ? "by " + kill.by() + ": " + kill.reason() : "the kill switch is off"));
        rules.add(new Explained.Rule(Why.SWITCHED_OFF, !flag.enabled(), flag.enabled() ? "enabled" : "not enabled"));
        rules.add(new Explained.Rule(
                Why.DENIED, flag.deny().contains(caller.user()), flag.deny().size() + " users are denied"));
        rules.add(new Explained.Rule(
                Why.TENANT,
                tenant != null,
                "tenant " + caller.tenant() + ": " + (tenant == null ? "no rule" : tenant)));
        rules.add(new Explained.Rule(
                Why.ALLOWED, flag.allow().contains(caller.user()), flag.allow().size() + " users are allowed"));
        rules.add(new Explained.Rule(
                Why.COHORT, cohorts.stream().anyMatch(flag.cohorts()::contains), "cohorts " + flag.cohorts()));
        rules.add(new Explained.Rule(
                Why.BUCKET,
                true,
                "bucket " + bucket + (bucket < flag.percentage() ? " is" : " is not") + " below " + flag.percentage()
                        + (settings.control() == ControlArm.SERVE ? "; who is outside is served as control" : "")));
        var assigned = settings.nodeOff()
                ? new Flag.Assignment(Arm.CONTROL, Why.NODE_OFF)
                : kill.on() ? new Flag.Assignment(Arm.CONTROL, Why.KILLED) : rollout.assign(caller, cohorts);
        return new Explained(
                caller,
                bucket,
                flag.percentage(),
                assigned.arm(),
                assigned.arm() == Arm.VOICE || settings.servesControl(assigned.why()),
                assigned.why(),
                rollout.revision(),
                rules);
    }

    @Override
    public CompletionStage<Changed> change(Proposal proposal, Request request) {
        return ask(replyTo -> new RolloutController.Change(proposal, request, replyTo));
    }

    @Override
    public CompletionStage<Changed> act(Action action, Request request) {
        return ask(replyTo -> new RolloutController.Act(action, request, replyTo));
    }

    @Override
    public CompletionStage<Killed> kill(boolean on, Kill.Live live, Actor by, String reason) {
        var before = ofLive(view.kill());
        return AskPattern.<KillSwitch.Command, Killed>ask(
                        killSwitch,
                        replyTo -> new KillSwitch.Order(on, live, by.id(), reason, replyTo),
                        KillSwitch.ANSWER_WITHIN.multipliedBy(3),
                        system.scheduler())
                .exceptionally(fault -> new Killed(
                        view.kill(), List.of(), List.of("this node: " + fault.getMessage()), KillSwitch.ANSWER_WITHIN))
                .thenApply(killed -> {
                    note(
                            by,
                            on ? "rollout.kill" : "rollout.release",
                            killed.missing().isEmpty() ? "applied" : "failed",
                            killed.missing().isEmpty() ? reason : reason + "; missing " + killed.missing(),
                            List.of(new Rollout.Diff("/killed/live", before, on ? word(live) : "")),
                            killed.acked());
                    return killed;
                });
    }

    /** What became of live sessions by it; empty while it is off. */
    private static String ofLive(Kill kill) {
        return kill.on() ? word(kill.live()) : "";
    }

    private static String word(Kill.Live live) {
        return live.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void denied(Actor actor, String action, String why) {
        note(actor, action, "denied", why, List.of(), List.of());
    }

    @Override
    public CompletionStage<List<Recorded>> history(long after, int limit) {
        return journal.currentEventsByPersistenceId(RolloutController.ID.id(), after + 1, after + limit)
                .map(envelope -> told(((RolloutEvent.Recorded) envelope.event()).audit()))
                .runWith(Sink.seq(), system);
    }

    @Override
    public CompletionStage<List<Recorded>> latest(long before, int limit) {
        return before == FAR
                ? end(0, FAR).thenCompose(end -> until(end, limit))
                : until(before, limit).thenCompose(lines -> {
                    boolean there = !lines.isEmpty() && lines.getFirst().seq() == before - 1;
                    return there || before == 1 ? CompletableFuture.completedFuture(lines) : latest(FAR, limit);
                });
    }

    private CompletionStage<List<Recorded>> until(long before, int limit) {
        long after = Math.max(0, before - 1 - limit);
        return history(after, (int) (before - 1 - after)).thenApply(List::reversed);
    }

    /** The number after the last line: lines have no gaps, so few questions for one of them find it. */
    private CompletionStage<Long> end(long there, long notThere) {
        long asked = notThere == FAR ? 2 * there + NEAR : there + (notThere - there) / 2;
        return notThere - there == 1
                ? CompletableFuture.completedFuture(notThere)
                : history(asked - 1, 1).thenCompose(line -> line.isEmpty() ? end(there, asked) : end(asked, notThere));
    }

    @Override
    public CompletionStage<Verified> verify() {
        record Reading(long lines, long firstBroken, Audit last) {}
        return journal.currentEventsByPersistenceId(RolloutController.ID.id(), 1, Long.MAX_VALUE)
                .map(envelope -> ((RolloutEvent.Recorded) envelope.event()).audit())
                .runFold(
                        java.util.Optional.<Reading>empty(),
                        (read, audit) -> java.util.Optional.of(new Reading(
                                audit.seq(),
                                read.map(Reading::firstBroken).orElse(0L) > 0
                                        ? read.get().firstBroken()
                                        : audit.follows(read.map(Reading::last).orElse(null)) ? 0 : audit.seq(),
                                audit)),
                        system)
                .thenApply(read -> new Verified(
                        read.map(Reading::lines).orElse(0L),
                        read.map(Reading::firstBroken).orElse(0L)));
    }

    @Override
    public Source<Happening, NotUsed> watch() {
        return Source.<Happening>queue(settings.watchBuffer(), OverflowStrategy.fail(), WATCHED_BY)
                .mapMaterializedValue(queue -> {
                    var stop = view.watch(queue::offer);
                    queue.offer(new Happening.RolloutChanged(view.rollout()));
                    queue.offer(new Happening.KillChanged(view.kill()));
                    if (view.report().revision() > 0) {
                        queue.offer(new Happening.GuardrailsJudged(view.report()));
                    }
                    queue.watchCompletion().whenComplete((done, fault) -> stop.run());
                    return NotUsed.getInstance();
                });
    }

    private CompletionStage<Changed> ask(Function<ActorRef<Changed>, RolloutController.Command> command) {
        return AskPattern.<RolloutController.Command, Changed>ask(
                        controller, command::apply, settings.controllerTimeout(), system.scheduler())
                .thenApply(changed -> {
                    // Whoever asks this node next sees what it has just said.
                    if (changed instanceof Changed.Applied applied && !applied.dryRun()) {
                        view.learn(applied.now());
                    }
                    return changed;
                })
                .exceptionally(fault -> new Changed.Refused(
                        Refusal.UNAVAILABLE,
                        "the rollout's controller or its journal does not answer within " + settings.controllerTimeout()
                                + "; it is not known whether this was done (expected: ask again with the same"
                                + " Idempotency-Key)",
                        view.rollout()));
    }

    /** Again and again until it is written: the audit may be late, but it is whole. */
    private void note(
            Actor actor, String action, String outcome, String reason, List<Rollout.Diff> diff, List<String> nodes) {
        if (notes.incrementAndGet() > settings.unwrittenNotes()) {
            notes.decrementAndGet();
            LOG.error(
                    "not in the audit, because the journal does not answer: {} by a {}: {}",
                    action,
                    actor.type(),
                    outcome);
            return;
        }
        noteUntilWritten(actor, action, outcome, reason, clock.instant(), diff, nodes);
    }

    private void noteUntilWritten(
            Actor actor,
            String action,
            String outcome,
            String reason,
            Instant at,
            List<Rollout.Diff> diff,
            List<String> nodes) {
        AskPattern.<RolloutController.Command, RolloutController.Noted>ask(
                        controller,
                        replyTo -> new RolloutController.Note(actor, action, outcome, reason, at, diff, nodes, replyTo),
                        settings.controllerTimeout(),
                        system.scheduler())
                .whenComplete((noted, fault) -> {
                    if (fault == null) {
                        notes.decrementAndGet();
                    } else {
                        CompletableFuture.delayedExecutor(NOTE_AGAIN.toMillis(), TimeUnit.MILLISECONDS)
                                .execute(() -> noteUntilWritten(actor, action, outcome, reason, at, diff, nodes));
                    }
                });
    }

    private static int split(AdmissionSettings settings, Rollout rollout) {
        int percentage = rollout.effectivePercentage();
        return settings.control() == ControlArm.SERVE && percentage > 0 && percentage < 100
                ? percentage
                : EvidenceKeeper.NO_SPLIT;
    }

    private static Set<String> up(Cluster cluster) {
        var up = new HashSet<String>();
        cluster.state().getMembers().forEach(member -> {
            if (member.status().equals(MemberStatus.up())) {
                up.add(member.address().toString());
            }
        });
        return up;
    }

    private static Recorded told(Audit audit) {
        return new Recorded(
                audit.seq(),
                audit.at(),
                audit.actor(),
                audit.action(),
                audit.outcome(),
                audit.reason(),
                audit.revisionFrom(),
                audit.revisionTo(),
                audit.diff(),
                audit.evidence(),
                audit.nodes(),
                audit.hash());
    }
}
