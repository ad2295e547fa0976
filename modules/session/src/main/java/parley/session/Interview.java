package parley.session;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityContext;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.jspecify.annotations.Nullable;

/**
 * Which session an interview is held in: the cluster has one of it per interview of a tenant, whichever node is asked.
 *
 * <p>It only names the session. Whether somebody is on the line, whose it is and whether it is over, the session knows;
 * whoever found it over asks for the next one. Its own name is a hash, and it remembers nobody. {@link Retention} deletes it
 * with its sessions; then it names a new one, as it did at first.
 */
final class Interview
        extends EventSourcedBehaviorWithEnforcedReplies<Interview.Command, Interview.Began, Interview.Present> {
    static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "interview");

    /** Whoever was given a new session's name opens it within this time, or never. */
    static final Duration TO_OPEN = Duration.ofMinutes(1);

    private static final Duration KEPT_IN_MEMORY = Duration.ofMinutes(1);

    sealed interface Command {}

    /**
     * Safe to repeat.
     *
     * @param over a session of the interview that is over; null: not known
     * @param fresh the name of the next one, where there is none, or it is {@code over}
     */
    record Name(@Nullable SessionId over, SessionId fresh, ActorRef<Named> replyTo)
            implements Command, CborSerializable {}

    private enum Timeout implements Command {
        PASSIVATE
    }

    /** @param recent whether somebody may be about to open it */
    record Named(SessionId session, boolean recent) implements CborSerializable {}

    /** Journaled: a field may be added with a default, never renamed, retyped or removed. */
    record Began(SessionId session, Instant at) implements CborSerializable {}

    /** @param last what began last; null: nothing yet */
    record Present(@Nullable Began last) implements CborSerializable {}

    private final Clock clock;
    private final ActorContext<Command> context;
    private final ActorRef<ClusterSharding.ShardCommand> shard;

    static Behavior<Command> create(EntityContext<Command> entity, Clock clock) {
        return Behaviors.setup(context -> {
            context.setReceiveTimeout(KEPT_IN_MEMORY, Timeout.PASSIVATE);
            return new Interview(entity, clock, context);
        });
    }

    private Interview(EntityContext<Command> entity, Clock clock, ActorContext<Command> context) {
        super(
                PersistenceId.of(KEY.name(), entity.getEntityId()),
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(1), 0.2)
                        .withLoggingEnabled(false));
        this.clock = clock;
        this.context = context;
        this.shard = entity.getShard();
    }

    /** The entity of an interview, which may be called anything. */
    static String entityOf(String tenant, String interview) {
        return Secret.hash(tenant.length() + ":" + tenant + interview);
    }

    @Override
    public Present emptyState() {
        return new Present(null);
    }

    @Override
    public EventHandler<Present, Began> eventHandler() {
        return (before, began) -> new Present(began);
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        // The first fact stays, by which the retention finds it.
        return RetentionCriteria.snapshotEvery(10, 1);
    }

    @Override
    public CommandHandlerWithReply<Command, Began, Present> commandHandler() {
        return (present, command) -> switch (command) {
            case Name c -> name(present.last(), c);
            case Timeout timeout -> {
                shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
                yield Effect().noReply();
            }
        };
    }

    private ReplyEffect<Began, Present> name(@Nullable Began last, Name command) {
        var now = clock.instant();
        if (last == null || last.session().equals(command.over())) {
            return Effect()
                    .persist(new Began(command.fresh(), now))
                    .thenReply(command.replyTo(), present -> new Named(command.fresh(), true));
        }
        return Effect()
                .reply(
                        command.replyTo(),
                        new Named(last.session(), now.isBefore(last.at().plus(TO_OPEN))));
    }
}
