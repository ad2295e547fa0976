package parley.admission;

import java.time.Clock;
import java.time.Duration;
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
import parley.admission.QuotaEvent.GivenBack;
import parley.admission.QuotaEvent.Taken;
import parley.admission.Quotas.Answer;

/**
 * The sessions that one user has begun lately: the cluster has one of it per user, wherever the user calls from.
 *
 * <p>A session that was granted is in the journal before anybody is told. What is kept is small: events behind the last
 * snapshot are deleted. A user who is quiet costs no memory. Its name tells nothing of who the user is.
 */
final class UserQuota extends EventSourcedBehaviorWithEnforcedReplies<UserQuota.Command, QuotaEvent, LastHour> {
    static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "quota");

    /** A state is a few hundred bytes: reading more events than this takes longer than reading it. */
    private static final int SNAPSHOT_EVERY = 10;

    sealed interface Command {}

    /** Safe to repeat. */
    record Take(String session, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    record Look(ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** Safe to repeat. */
    record GiveBack(String session) implements Command, CborSerializable {}

    enum Timeout implements Command {
        /** Nobody has asked for a while. */
        PASSIVATE
    }

    private final QuotaSettings settings;
    private final Clock clock;
    private final ActorContext<Command> context;
    private final ActorRef<ClusterSharding.ShardCommand> shard;

    static Behavior<Command> create(EntityContext<Command> entity, QuotaSettings settings, Clock clock) {
        return Behaviors.setup(context -> {
            context.setReceiveTimeout(settings.passivateAfter(), Timeout.PASSIVATE);
            return new UserQuota(entity, settings, clock, context);
        });
    }

    private UserQuota(
            EntityContext<Command> entity, QuotaSettings settings, Clock clock, ActorContext<Command> context) {
        super(
                PersistenceId.of(KEY.name(), entity.getEntityId()),
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(1), 0.2)
                        .withLoggingEnabled(false));
        this.settings = settings;
        this.clock = clock;
        this.context = context;
        this.shard = entity.getShard();
    }

    @Override
    public LastHour emptyState() {
        return LastHour.EMPTY;
    }

    @Override
    public EventHandler<LastHour, QuotaEvent> eventHandler() {
        return LastHour::after;
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(SNAPSHOT_EVERY, 1).withDeleteEventsOnSnapshot();
    }

    @Override
    public CommandHandlerWithReply<Command, QuotaEvent, LastHour> commandHandler() {
        return (hour, command) -> switch (command) {
            case Take c when hour.has(c.session()) -> Effect().reply(c.replyTo(), new Answer.Granted());
            case Take c -> take(hour, c);
            case Look c -> Effect().reply(c.replyTo(), answer(hour));
            case GiveBack c
            when hour.has(c.session()) ->
                Effect().persist(new GivenBack(c.session(), clock.instant())).thenNoReply();
            case GiveBack c -> Effect().noReply();
            case Timeout timeout -> {
                shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
                yield Effect().noReply();
            }
        };
    }

    private ReplyEffect<QuotaEvent, LastHour> take(LastHour hour, Take command) {
        return switch (answer(hour)) {
            case Answer.Granted granted ->
                Effect()
                        .persist(new Taken(command.session(), clock.instant()))
                        .thenReply(command.replyTo(), state -> granted);
            case Answer other -> Effect().reply(command.replyTo(), other);
        };
    }

    private Answer answer(LastHour hour) {
        if (settings.sessionsPerHour() == 0) {
            return new Answer.Granted();
        }
        var wait = hour.untilNext(settings.sessionsPerHour(), clock.instant());
        return wait.isPositive() ? new Answer.Refused(settings.sessionsPerHour(), wait) : new Answer.Granted();
    }
}
