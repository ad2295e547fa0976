package parley.admission;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
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
import parley.admission.Rollouts.Refusal;
import parley.admission.SharedTokens.Rotated;
import parley.admission.SharedTokens.Rotation;

/**
 * Who says which shared token is good: one in the cluster, beside the rollout's controller and with a journal of its own,
 * so that a release that knows nothing of it leaves it alone. Knows hashes, never a token.
 */
final class SharedTokenKeeper
        extends EventSourcedBehaviorWithEnforcedReplies<
                SharedTokenKeeper.Command, SharedTokenKeeper.TokenRotated, SharedToken> {
    static final PersistenceId ID = PersistenceId.ofUniqueId("token|voice-ws");

    private static final int LONGEST_REASON = 500;

    /** Beyond it an earlier token has to end before the next one comes. */
    private static final int MOST_EARLIER = 8;

    sealed interface Command extends RolloutSingleton.Command {}

    record Rotate(Rotation rotation, ActorRef<Rotated> replyTo) implements Command, CborSerializable {}

    /** For a node that has just come. */
    record Tell(ActorRef<SharedToken> replyTo) implements Command, CborSerializable {}

    /** Journaled: a field may be added with a default, never renamed, retyped or removed. */
    record TokenRotated(SharedToken now) implements CborSerializable {}

    private final Clock clock;
    private final Consumer<SharedToken> publish;

    /** @param publish tells every node; called with each rotation, and after each start */
    static Behavior<Command> create(Clock clock, Consumer<SharedToken> publish) {
        return Behaviors.setup(context -> new SharedTokenKeeper(clock, publish));
    }

    private SharedTokenKeeper(Clock clock, Consumer<SharedToken> publish) {
        super(
                ID,
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(3), 0.2)
                        .withLoggingEnabled(false));
        this.clock = clock;
        this.publish = publish;
    }

    @Override
    public SharedToken emptyState() {
        return SharedToken.CONFIGURED;
    }

    @Override
    public EventHandler<SharedToken, TokenRotated> eventHandler() {
        return (before, rotated) -> rotated.now();
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(50, 2);
    }

    @Override
    public SignalHandler<SharedToken> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), publish)
                .build();
    }

    @Override
    public CommandHandlerWithReply<Command, TokenRotated, SharedToken> commandHandler() {
        return (now, command) -> switch (command) {
            case Rotate c -> rotate(now, c);
            case Tell c -> Effect().reply(c.replyTo(), now);
        };
    }

    private ReplyEffect<TokenRotated, SharedToken> rotate(SharedToken now, Rotate command) {
        var asked = command.rotation();
        if (asked.expectedRevision() != now.revision()) {
            return refuse(
                    command,
                    Refusal.STALE,
                    "revision: " + asked.expectedRevision() + " (expected: " + now.revision()
                            + (now.by() == null
                                    ? ""
                                    : ", rotated by " + now.by().id() + ": " + now.reason()) + ")");
        }
        if (asked.reason().length() > LONGEST_REASON) {
            return refuse(
                    command,
                    Refusal.INVALID,
                    "reason: " + asked.reason().length() + " characters (expected: at most " + LONGEST_REASON + ")");
        }
        var at = clock.instant();
        var present = now.revision() == 0 ? asked.configured() : now.hash();
        if (asked.hash().equals(present) || now.admits(asked.hash(), at)) {
            return refuse(command, Refusal.INVALID, "token: one that is good already (expected: another)");
        }
        var earlier = asked.overlap().isZero()
                ? List.<SharedToken.Earlier>of()
                : earlier(now, present, at, at.plus(asked.overlap()));
        if (earlier.size() > MOST_EARLIER) {
            return refuse(
                    command,
                    Refusal.NOT_NOW,
                    "overlap: " + MOST_EARLIER
                            + " earlier tokens are still good (expected: to wait for one's end, or no overlap)");
        }
        var next = new SharedToken(now.revision() + 1, asked.hash(), earlier, asked.actor(), at, asked.reason());
        return Effect()
                .persist(new TokenRotated(next))
                .thenRun(rotated -> publish.accept(next))
                .thenReply(command.replyTo(), Rotated.Done::new);
    }

    /** What was promised to those before is kept. */
    private static List<SharedToken.Earlier> earlier(SharedToken now, String present, Instant at, Instant until) {
        var earlier = new ArrayList<SharedToken.Earlier>();
        for (var before : now.earlier()) {
            if (before.until().isAfter(at)) {
                earlier.add(before);
            }
        }
        earlier.add(new SharedToken.Earlier(present, until));
        return earlier;
    }

    private ReplyEffect<TokenRotated, SharedToken> refuse(Rotate command, Refusal why, String detail) {
        return Effect().reply(command.replyTo(), new Rotated.Refused(why, detail));
    }
}
