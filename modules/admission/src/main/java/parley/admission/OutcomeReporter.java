package parley.admission;

import java.time.Duration;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Brings what this node has seen to the keeper of the evidence, wherever that is.
 *
 * <p>One numbered batch a second, also an empty one, which says that the node lives. The next goes when the last was
 * acknowledged; until then the same goes again, so that nothing is lost and the keeper can tell what it has. A batch is
 * small enough for one frame of the wire; where more waits, the next follows at once.
 */
final class OutcomeReporter extends AbstractBehavior<OutcomeReporter.Command> {
    static final int BATCH = 500;

    private static final Duration EVERY = Duration.ofSeconds(1);
    static final Duration AGAIN_AFTER = Duration.ofSeconds(5);

    sealed interface Command {}

    /** The keeper has it in its journal. */
    record Acknowledged(String life, long number) implements Command, CborSerializable {}

    /**
     * Brings all that waits at once, because the node leaves.
     *
     * @param replyTo is told when the keeper has everything
     */
    record Flush(ActorRef<Done> replyTo) implements Command {}

    private enum Tick implements Command {
        REPORT
    }

    private final UnsentOutcomes unsent;
    private final String node;
    private final ActorRef<EvidenceKeeper.Command> keeper;
    private final String life = UUID.randomUUID().toString();
    private long number;
    private EvidenceKeeper.@Nullable Batch underWay;
    private Duration waited = Duration.ZERO;
    private long lost;
    private @Nullable ActorRef<Done> flushing;

    /** @param node its address, as the members of the cluster have it */
    static Behavior<Command> create(UnsentOutcomes unsent, String node, ActorRef<EvidenceKeeper.Command> keeper) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Tick.REPORT, EVERY);
            return new OutcomeReporter(context, unsent, node, keeper);
        }));
    }

    private OutcomeReporter(
            ActorContext<Command> context,
            UnsentOutcomes unsent,
            String node,
            ActorRef<EvidenceKeeper.Command> keeper) {
        super(context);
        this.unsent = unsent;
        this.node = node;
        this.keeper = keeper;
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onMessage(Command.class, command -> {
                    handle(command);
                    return this;
                })
                .build();
    }

    private void handle(Command command) {
        switch (command) {
            case Tick report -> {
                tellOfLoss();
                if (underWay == null) {
                    sendNext();
                } else {
                    waited = waited.plus(EVERY);
                    if (flushing != null || waited.compareTo(AGAIN_AFTER) >= 0) {
                        send(underWay);
                    }
                }
            }
            case Acknowledged(var of, var acknowledged) -> {
                if (underWay != null && of.equals(life) && acknowledged == underWay.number()) {
                    underWay = null;
                    if (unsent.size() >= (flushing == null ? BATCH : 1)) {
                        sendNext();
                    } else if (flushing != null) {
                        flushing.tell(Done.getInstance());
                        flushing = null;
                    }
                }
            }
            case Flush(var replyTo) -> {
                flushing = replyTo;
                if (underWay == null) {
                    // Also when nothing waits: the keeper's word is the answer.
                    sendNext();
                }
            }
        }
    }

    private void sendNext() {
        number++;
        var taken = unsent.take(BATCH);
        send(new EvidenceKeeper.Batch(
                life,
                node,
                number,
                taken.stream().map(UnsentOutcomes.Noted::observation).toList(),
                taken.stream()
                        .flatMap(noted -> Stream.ofNullable(noted.arrival()))
                        .toList(),
                getContext().getSelf()));
    }

    private void send(EvidenceKeeper.Batch batch) {
        underWay = batch;
        waited = Duration.ZERO;
        keeper.tell(batch);
    }

    private void tellOfLoss() {
        long now = unsent.lost();
        if (now > lost) {
            getContext()
                    .getLog()
                    .warn("{} session outcomes went unreported, because nobody took them: {} in all", now - lost, now);
            lost = now;
        }
    }
}
