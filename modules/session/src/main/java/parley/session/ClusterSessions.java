package parley.session;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.stream.Materializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.CallerId;
import parley.provider.Provider;
import parley.session.VoiceSession.Seating;
import parley.tool.Tools;
import parley.wire.Loops;
import parley.wire.Port;
import parley.wire.WireSettings;

/** Sessions as sharded entities of a Pekko cluster. */
public final class ClusterSessions implements Sessions {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterSessions.class);
    private static final Duration TRY_AGAIN = Duration.ofSeconds(2);

    private final ClusterSharding sharding;
    private final ShardPlacement placement;
    private final Room room;
    private final SessionLink link;

    private ClusterSessions(ClusterSharding sharding, ShardPlacement placement, Room room, SessionLink link) {
        this.sharding = sharding;
        this.placement = placement;
        this.room = room;
        this.link = link;
    }

    /**
     * Makes this node a home of sessions. Before it joins its cluster, whose other nodes would wait for it otherwise;
     * {@link #ready} tells when it is one. The journal's tables must be there.
     *
     * @return fails with {@link java.net.BindException} when the link's port is taken
     */
    public static CompletionStage<ClusterSessions> start(
            ActorSystem<?> system,
            Loops loops,
            Provider provider,
            Tools tools,
            Prices prices,
            SessionSettings settings,
            WireSettings wire) {
        var materializer = Materializer.createMaterializer(system);
        var conversations = new Conversations();
        return SessionLink.start(loops, settings, wire.maxMessageBytes(), conversations, materializer)
                .thenApply(link -> {
                    var cluster = Cluster.get(system);
                    var room = new Room(
                            cluster.selfMember().address().toString(),
                            loops,
                            materializer,
                            provider,
                            tools,
                            prices,
                            settings,
                            new SessionMetrics(),
                            java.time.Clock.systemUTC(),
                            conversations);
                    var sharding = ClusterSharding.get(system);
                    var placement = new ShardPlacement(cluster, settings.shards());
                    sharding.init(Entity.of(VoiceSession.KEY, entity -> VoiceSession.create(entity, room, link))
                            .withMessageExtractor(new ShardPlacement.ById())
                            .withAllocationStrategy(placement.allocation()));
                    return new ClusterSessions(sharding, placement, room, link);
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

    /** What this node's conversations count. */
    public SessionMetrics metrics() {
        return room.metrics();
    }

    /** Stops the links to other nodes. */
    public void close() {
        link.close();
    }

    @Override
    public SessionId mint() {
        return placement.mint();
    }

    @Override
    public CompletionStage<Answer> open(SessionId id, Opening opening) {
        return ask(id, replyTo -> new VoiceSession.Open(opening, replyTo));
    }

    @Override
    public CompletionStage<Answer> conversation(SessionId id, Join join, EventLoop loop) {
        return entity(id)
                .<Seating>ask(
                        replyTo -> new VoiceSession.TakeSeat(
                                join, room.node(), room.loops().numberOf(loop), replyTo),
                        room.settings().askTimeout())
                .thenCompose(seating -> switch (seating) {
                    case Seating.Denied(var why) -> CompletableFuture.<Answer>completedFuture(why);
                    case Seating.Taken taken ->
                        line(taken, loop).<Answer>thenApply(port -> new Answer.Joined(id, port.flow()));
                })
                .exceptionally(fault -> unavailable(id, fault));
    }

    @Override
    public CompletionStage<Answer> describe(SessionId id, CallerId caller) {
        return ask(id, replyTo -> new VoiceSession.Describe(caller, replyTo));
    }

    @Override
    public CompletionStage<Answer> end(SessionId id, CallerId caller) {
        return ask(id, replyTo -> new VoiceSession.End(caller, replyTo));
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

    private CompletionStage<Answer> ask(SessionId id, Function<ActorRef<Answer>, VoiceSession.Command> command) {
        return entity(id)
                .ask(command::apply, room.settings().askTimeout())
                .exceptionally(fault -> unavailable(id, fault));
    }

    private EntityRef<VoiceSession.Command> entity(SessionId id) {
        return sharding.entityRefFor(VoiceSession.KEY, id.value());
    }

    private static Answer unavailable(SessionId id, Throwable fault) {
        LOG.warn("session {} does not answer: {}", id, fault.toString());
        return new Answer.Refused(Answer.Refusal.UNAVAILABLE, "the session does not answer, try again", TRY_AGAIN);
    }
}
