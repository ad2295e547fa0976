package parley.admission;

import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * What there is once in a cluster: the controller, the keeper of the evidence it acts by, and that of the shared token.
 * Apart, because the journal of the first is the audit; together, because they are to be on one node. Passes on what it is
 * told, and says once a second that it is time to judge.
 */
final class RolloutSingleton {
    private static final Duration JUDGED_EVERY = Duration.ofSeconds(1);

    sealed interface Command permits RolloutController.Command, EvidenceKeeper.Command, SharedTokenKeeper.Command {}

    /** Makes the keeper, which tells the controller. */
    @FunctionalInterface
    interface Keeper {
        Behavior<EvidenceKeeper.Command> beside(ActorRef<RolloutController.Command> controller);
    }

    private RolloutSingleton() {}

    static Behavior<Command> create(
            Behavior<RolloutController.Command> controlling,
            Keeper keeping,
            Behavior<SharedTokenKeeper.Command> tokenKeeping) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            var controller = context.spawn(controlling, "controller");
            var keeper = context.spawn(keeping.beside(controller), "evidence");
            var tokenKeeper = context.spawn(tokenKeeping, "shared-token");
            timers.startTimerWithFixedDelay(new EvidenceKeeper.Weigh(), JUDGED_EVERY);
            return Behaviors.receiveMessage(command -> {
                switch (command) {
                    case RolloutController.Command forController -> controller.tell(forController);
                    case EvidenceKeeper.Command forKeeper -> keeper.tell(forKeeper);
                    case SharedTokenKeeper.Command forTokenKeeper -> tokenKeeper.tell(forTokenKeeper);
                }
                return Behaviors.same();
            });
        }));
    }
}
