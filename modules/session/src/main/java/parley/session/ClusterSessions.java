package parley.session;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.typed.HashCodeMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.serialization.SerializationExtension;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Admission;
import parley.admission.Budget;
import parley.admission.CallerId;
import parley.admission.Outcomes;
import parley.meter.Meters;
import parley.protocol.Tool;
import parley.session.VoiceSession.Seating;
import parley.tool.Tools;
import parley.wire.LogFields;
import parley.wire.Loops;
import parley.wire.Port;
import parley.wire.WebSocketClose;
import parley.wire.WireSettings;

/** Sessions as sharded entities of a Pekko cluster. */
public final class ClusterSessions implements Sessions {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterSessions.class);
    private static final Duration TRY_AGAIN = Duration.ofSeconds(2);
    private static final Duration JOURNAL_AGAIN = Duration.ofSeconds(5);
    /**
     * What is asked of a shard that moves may go down with the node it leaves; a seat may be asked for twice, so it is
     * asked for again soon.
     */
    private static final Duration SEAT_AGAIN = Duration.ofMillis(400);

    /** A region that is gone refuses at once. */
    private static final long SEAT_PAUSE_MS = 20;

    private static final int NAME_ASKS = 2;

    private final Cluster cluster;
    private final SessionCensus census;
    private final ClusterSharding sharding;
    private final ShardPlacement placement;
    private final Room room;
    private final SessionLink link;
    private final JournalWatch journal;
    private final Sweep sweep;
    private final Retention retention;
    private final JournalErasure erasure;
    private final DeathWatch deaths;
    private final QueueWatch queues;
    private final EdgeLines edges;
    private final @Nullable Projections projections;
    private final CostTables costs;
    private final Probes probes;

    private ClusterSessions(
            Cluster cluster,
            SessionCensus census,
            ClusterSharding sharding,
            ShardPlacement placement,
            Room room,
            SessionLink link,
            JournalWatch journal,
            Sweep sweep,
            Retention retention,
            JournalErasure erasure,
            DeathWatch deaths,
            QueueWatch queues,
            @Nullable Projections projections,
            CostTables costs,
            Probes probes) {
        this.cluster = cluster;
        this.census = census;
        this.sharding = sharding;
        this.placement = placement;
        this.room = room;
        this.link = link;
        this.journal = journal;
        this.sweep = sweep;
        this.retention = retention;
        this.erasure = erasure;
        this.deaths = deaths;
        this.queues = queues;
        this.edges = new EdgeLines(room.loops().next());
        this.projections = projections;
        this.costs = costs;
        this.probes = probes;
    }

    /**
     * Makes this node a home of sessions. Before it joins its cluster, whose other nodes would wait for it otherwise;
     * {@link #ready} tells when it is one. The journal's tables must be there.
     *
     * @param journal the database the actor system's journal is in
     * @return fails with {@link java.net.BindException} when the link's port is taken
     */
    public static CompletionStage<ClusterSessions> start(
            ActorSystem<?> system,
            Loops loops,
            ProvidersByArm providers,
            Tools tools,
            Prices prices,
            Journal journal,
            JournalSettings journalSettings,
            SessionSettings settings,
            WireSettings wire,
            Admission admission,
            Budget budget,
            Outcomes outcomes) {
        var conversations = new Conversations();
        admission.onKill(conversations::obey);
        var privacy = PrivacySettings.from(system.settings().config());
        return SessionLink.start(loops, settings, wire.maxMessageBytes(), conversations)
                .thenApply(link -> {
                    var cluster = Cluster.get(system);
                    var meters = Meters.of(system);
                    var metrics = new SessionMetrics(
                            meters,
                            MetricsSettings.from(system.settings().config()).tenants(),
                            Spans.of(system).tracer());
                    metrics.expect(
                            SessionGauges.names(providers),
                            tools.offered().stream().map(Tool.Function::name).toList());
                    var room = new Room(
                            cluster.selfMember().address().toString(),
                            loops,
                            providers,
                            tools,
                            prices,
                            settings,
                            privacy.transcripts(),
                            metrics,
                            java.time.Clock.systemUTC(),
                            conversations,
                            CostSettings.from(system.settings().config()),
                            budget,
                            metrics.counting(outcomes));
                    var projecting = ProjectionSettings.from(system.settings().config());
                    var sharding = ClusterSharding.get(system);
                    var placement = new ShardPlacement(
                            cluster,
                            settings.shards(),
                            PlacementSettings.from(system.settings().config()));
                    sharding.init(Entity.of(VoiceSession.KEY, entity -> VoiceSession.create(entity, room, link))
                            .withStopMessage(VoiceSession.Move.HAND_OVER)
                            .withMessageExtractor(new ShardPlacement.ById())
                            .withAllocationStrategy(placement.allocation()));
                    sharding.init(Entity.of(Interview.KEY, entity -> Interview.create(entity, room.clock()))
                            .withMessageExtractor(new HashCodeMessageExtractor<>(settings.shards())));
                    Quorum.start(system, held -> {
                        if (held) {
                            conversations.resume();
                        } else {
                            conversations.suspend();
                        }
                    });
                    Consumer<SessionId> wake = id ->
                            sharding.entityRefFor(VoiceSession.KEY, id.value()).tell(new VoiceSession.Wake());
                    var watch = JournalWatch.start(journal, journalSettings);
                    var sweep =
                            Sweep.start(cluster, journal, journalSettings, settings.maxLength(), wake, room.clock());
                    var retention = Retention.start(
                            journal,
                            privacy.retention(),
                            new Sweep.Oldest(cluster),
                            wake,
                            settings.maxLength(),
                            room.clock());
                    var deaths = DeathWatch.start(
                            system, DeathWatchSettings.from(system.settings().config()));
                    SessionGauges.conversations(meters, conversations);
                    SessionGauges.providers(meters, providers);
                    SessionGauges.link(meters, link);
                    SessionGauges.watchers(meters, watch, sweep, retention, deaths);
                    var probes = Probes.start(
                            room, ProbeSettings.from(system.settings().config()));
                    SessionGauges.probes(meters, probes);
                    return new ClusterSessions(
                            cluster,
                            SessionCensus.start(system, room),
                            sharding,
                            placement,
                            room,
                            link,
                            watch,
                            sweep,
                            retention,
                            new JournalErasure(
                                    journal,
                                    SerializationExtension.get(system),
                                    (id, caller) -> sharding.entityRefFor(VoiceSession.KEY, id.value())
                                            .ask(
                                                    replyTo -> new VoiceSession.Forget(caller, replyTo),
                                                    settings.askTimeout())),
                            deaths,
                            QueueWatch.start(loops, conversations, meters),
                            projecting.enabled() ? Projections.start(system, journal, projecting) : null,
                            new CostTables(journal),
                            probes);
                });
    }

    /**
     * Completed when a session of this node can be asked: its region is registered, the journal answers, the pool is
     * open. The node's first caller would wait for all that otherwise.
     *
     * @return fails when that takes longer than {@code attempts} asks
     */
    public CompletionStage<ClusterSessions> ready(ActorSystem<?> system, int attempts) {
        return describe(mint(), new CallerId("nobody", "nobody")).thenCompose(answer -> {
            if (!(answer instanceof Answer.Refused(var why, var detail, var later))
                    || why != Answer.Refusal.UNAVAILABLE) {
                return placement.watch(system, sharding).thenApply(looked -> this);
            }
            return attempts > 1
                    ? ready(system, attempts - 1)
                    : CompletableFuture.failedFuture(
                            new IllegalStateException("no session can be asked on this node: " + detail));
        });
    }

    /** What sessions have cost, of the whole cluster. */
    public Costs costs() {
        return costs;
    }

    /** What became of this node's last synthetic session by each way; empty where there are none, or none yet. */
    public List<Probed> probes() {
        return probes.last();
    }

    /** What this node's conversations count. */
    public SessionMetrics metrics() {
        return room.metrics();
    }

    /** Deletes all that is stored of a user. */
    public Erasure erasure() {
        return erasure;
    }

    /**
     * The callers whose sockets are on this node are asked to connect elsewhere, within {@code drain.callers}; their
     * sessions stay where they are. Completed with how many are left then.
     */
    public CompletionStage<Integer> leave() {
        probes.close();
        return edges.leave(
                room.settings().drain().spread(),
                room.settings().drain().callers(),
                room.settings().drain().perSecond());
    }

    /**
     * Hands the sessions of this node over to the others, within {@code atMost}; what is left then moves when this node
     * leaves the cluster.
     */
    public CompletionStage<Void> handOver(ActorSystem<?> system, Duration atMost) {
        return placement.handOver(system, atMost);
    }

    /**
     * The end of the whole cluster: callers are closed with 1012, and the sessions that live here let go at once, so that
     * they go on in good order when there is a node again. Completed, never failed, when all have, or after {@code
     * atMost}.
     */
    public CompletionStage<Void> letGo(Duration atMost) {
        return edges.leave(Duration.ZERO, Duration.ZERO, 1)
                .thenCompose(closed -> room.conversations().letGo())
                .toCompletableFuture()
                .completeOnTimeout(null, atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Stops the links to other nodes, and everything that watches. Not before the sessions have moved. */
    public void close() {
        probes.close();
        queues.close();
        deaths.close();
        erasure.close();
        retention.close();
        sweep.close();
        journal.close();
        costs.close();
        if (projections != null) {
            projections.close();
        }
        link.close();
    }

    @Override
    public Vitals vitals() {
        var status = cluster.selfMember().status();
        return new Vitals(
                journal.isUp(),
                SessionGauges.isAnyCallable(room.providers().voice()),
                status.equals(MemberStatus.up()) || status.equals(MemberStatus.weaklyUp()));
    }

    @Override
    public SessionId mint() {
        return placement.mint();
    }

    @Override
    public CompletionStage<Answer> open(SessionId id, Opening opening) {
        return !journal.isUp()
                ? CompletableFuture.completedFuture(noJournal())
                : ask(
                        id,
                        () -> SessionLog.of(id, opening.caller(), ""),
                        replyTo -> new VoiceSession.Open(opening, replyTo));
    }

    @Override
    public CompletionStage<Answer> conversation(SessionId id, Join join, EventLoop loop) {
        if (!exists(id)) {
            return CompletableFuture.completedFuture(unknown(id));
        }
        if (!join.again() && !journal.isUp()) {
            return CompletableFuture.completedFuture(noJournal());
        }
        var concerned = join.concerns(id);
        var seat = Secret.random();
        long until = System.nanoTime() + room.settings().askTimeout().toNanos();
        return (join.again()
                        ? seatAgain(id, join, seat, loop, until)
                        : seat(id, join, seat, false, loop, room.settings().askTimeout()))
                .thenCompose(seating -> switch (seating) {
                    case Seating.Denied(var why) -> {
                        if (join.again()) {
                            refusedToResume(why);
                        }
                        yield CompletableFuture.<Answer>completedFuture(why);
                    }
                    case Seating.Taken taken ->
                        line(taken, loop).<Answer>thenApply(port -> joined(id, join, concerned, taken.seat(), port));
                })
                .exceptionally(fault -> unavailable(id, concerned, fault));
    }

    private void refusedToResume(Answer.Refused refused) {
        switch (refused.why()) {
            case FORBIDDEN -> room.metrics().resumesForbidden.increment();
            case UNKNOWN, OVER -> room.metrics().resumesGone.increment();
            case UNAVAILABLE, TAKEN -> {}
        }
    }

    /**
     * Who comes back may find its session on the move, or the place of one who may be on its way. Safe to repeat: the token
     * that was shown stays good.
     */
    private CompletionStage<Seating> seatAgain(SessionId id, Join join, String seat, EventLoop loop, long until) {
        return seat(id, join, seat, false, loop, SEAT_AGAIN)
                .exceptionallyComposeAsync(
                        silence -> until - System.nanoTime() > 0
                                ? seatAgain(id, join, seat, loop, until)
                                : CompletableFuture.failedStage(silence),
                        CompletableFuture.delayedExecutor(SEAT_PAUSE_MS, TimeUnit.MILLISECONDS, loop))
                .thenCompose(seating -> {
                    var pause = seating instanceof Seating.Denied(Answer.Refused refused)
                                    && refused.why() == Answer.Refusal.TAKEN
                            ? refused.retryAfter()
                            : null;
                    return pause == null || until - System.nanoTime() < pause.toNanos()
                            ? CompletableFuture.completedFuture(seating)
                            : CompletableFuture.supplyAsync(
                                            () -> seatAgain(id, join, seat, loop, until),
                                            CompletableFuture.delayedExecutor(
                                                    pause.toMillis(), TimeUnit.MILLISECONDS, loop))
                                    .thenCompose(Function.identity());
                });
    }

    private CompletionStage<Seating> seat(
            SessionId id, Join join, String seat, boolean moved, EventLoop loop, Duration atMost) {
        return entity(id)
                .ask(
                        replyTo -> new VoiceSession.TakeSeat(
                                join, seat, moved, room.node(), room.loops().numberOf(loop), replyTo),
                        atMost);
    }

    /** The caller's line as the edge holds it: it outlives the session's. */
    private Answer.Joined joined(SessionId id, Join join, LogFields concerned, String seat, Port port) {
        boolean guided = join.opening().face().guided();
        var line = new EdgeLine(
                port,
                concerned,
                guided,
                Math.max(0, join.lastSeq()),
                lastSeq -> again(id, join, seat, lastSeq, port.loop()),
                room.settings(),
                room.metrics());
        edges.add(line);
        return new Answer.Joined(id, line);
    }

    /** The same seat again, wherever the session is now. */
    private CompletionStage<Reach.Answered> again(SessionId id, Join join, String seat, long lastSeq, EventLoop loop) {
        return seat(
                        id,
                        new Join(join.opening(), true, null, lastSeq, join.acks(), join.trace()),
                        seat,
                        true,
                        loop,
                        SEAT_AGAIN)
                .thenCompose(seating -> switch (seating) {
                    case Seating.Denied(var why) -> CompletableFuture.completedFuture(denied(why, join));
                    case Seating.Taken taken -> line(taken, loop).<Reach.Answered>thenApply(Reach.Answered.Line::new);
                });
    }

    private static Reach.Answered denied(Answer.Refused refused, Join join) {
        return switch (refused.why()) {
            case UNAVAILABLE -> new Reach.Answered.Later();
            case FORBIDDEN, TAKEN ->
                new Reach.Answered.Never(new WebSocketClose(4001, "resumed elsewhere", false), null);
            case OVER, UNKNOWN ->
                new Reach.Answered.Never(
                        new WebSocketClose(WebSocketClose.NORMAL, "session_over", false),
                        join.opening().face().guided()
                                ? "{\"type\":\"voice-ended\",\"reason\":\"session_over\"}"
                                : null);
        };
    }

    @Override
    public CompletionStage<Named> interview(String tenant, String interview, @Nullable SessionId over) {
        return name(
                sharding.entityRefFor(Interview.KEY, Interview.entityOf(tenant, interview)), over, mint(), NAME_ASKS);
    }

    /** What is asked of a shard that moves may be lost: so it is asked twice, for the same. */
    private CompletionStage<Named> name(
            EntityRef<Interview.Command> interview, @Nullable SessionId over, SessionId fresh, int asks) {
        return interview
                .<Interview.Named>ask(
                        replyTo -> new Interview.Name(over, fresh, replyTo),
                        room.settings().askTimeout().dividedBy(NAME_ASKS))
                .thenApply(named -> new Named(named.session(), named.session().equals(fresh), named.recent()))
                .exceptionallyCompose(silence ->
                        asks > 1 ? name(interview, over, fresh, asks - 1) : CompletableFuture.failedStage(silence));
    }

    @Override
    public CompletionStage<Answer> describe(SessionId id, CallerId caller) {
        return ask(id, () -> SessionLog.of(id, caller, ""), replyTo -> new VoiceSession.Describe(caller, replyTo));
    }

    @Override
    public CompletionStage<Answer> end(SessionId id, CallerId caller) {
        return ask(id, () -> SessionLog.of(id, caller, ""), replyTo -> new VoiceSession.End(caller, replyTo));
    }

    @Override
    public CompletionStage<Answer.Census> census(String after, int limit) {
        return census.take(after, limit);
    }

    @Override
    public CompletionStage<Answer> inspect(SessionId id) {
        return ask(id, () -> asked(id), VoiceSession.Inspect::new);
    }

    @Override
    public CompletionStage<Answer> stop(SessionId id) {
        return ask(id, () -> asked(id), VoiceSession.Stop::new);
    }

    /** Straight to the conversation when it runs on the caller's own loop; over the link otherwise. */
    private CompletionStage<Port> line(Seating.Taken taken, EventLoop loop) {
        if (taken.node().equals(room.node())) {
            var seat = room.conversations().take(taken.seat());
            if (seat != null && seat.conversation().loop().equals(loop)) {
                return seat.take(taken.seat());
            }
            if (seat != null) {
                room.conversations().keep(taken.seat(), seat);
            }
        }
        return link.open(loop, taken.linkHost(), taken.linkPort(), taken.seat());
    }

    /** By an operator, who does not say whose it is. */
    private static LogFields asked(SessionId id) {
        return LogFields.of(Map.of("session", id.value()));
    }

    private CompletionStage<Answer> ask(
            SessionId id, Supplier<LogFields> concerned, Function<ActorRef<Answer>, VoiceSession.Command> command) {
        if (!exists(id)) {
            return CompletableFuture.completedFuture(unknown(id));
        }
        return entity(id)
                .ask(command::apply, room.settings().askTimeout())
                .exceptionally(fault -> unavailable(id, concerned.get(), fault));
    }

    private EntityRef<VoiceSession.Command> entity(SessionId id) {
        return sharding.entityRefFor(VoiceSession.KEY, id.value());
    }

    /** Nobody mints ids of other shards, and to ask for one would bring it into being. */
    private boolean exists(SessionId id) {
        return id.shard() < room.settings().shards();
    }

    private static Answer unknown(SessionId id) {
        return new Answer.Refused(Answer.Refusal.UNKNOWN, "no session " + id, null);
    }

    /** A session that cannot be journaled is not begun. */
    private static Answer noJournal() {
        return new Answer.Refused(Answer.Refusal.UNAVAILABLE, "the journal does not answer, try again", JOURNAL_AGAIN);
    }

    private static Answer unavailable(SessionId id, LogFields concerned, Throwable fault) {
        concerned.around(() -> LOG.warn("session {} does not answer: {}", id, fault.toString()));
        return new Answer.Refused(Answer.Refusal.UNAVAILABLE, "the session does not answer, try again", TRY_AGAIN);
    }
}
