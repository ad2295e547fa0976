package parley.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/** Counts the cluster's live sessions by asking each node for those that run on it. Thread-safe. */
final class SessionCensus {
    private static final ServiceKey<Count> KEY = ServiceKey.create(Count.class, "parley-session-census");
    /** A node that takes longer is left out, and named. */
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(2);

    /** A node is asked for its sessions behind {@code after}, in order, at most {@code limit}. */
    record Count(String after, int limit, ActorRef<Counted> replyTo) implements CborSerializable {}

    record Counted(String node, List<Answer.View> sessions) implements CborSerializable {}

    private final ActorSystem<?> system;

    private SessionCensus(ActorSystem<?> system) {
        this.system = system;
    }

    /** From now on this node can be asked, and can ask. */
    static SessionCensus start(ActorSystem<?> system, Room room) {
        var counter = system.systemActorOf(counter(room), "parley-session-census", Props.empty());
        system.receptionist().tell(Receptionist.register(KEY, counter));
        return new SessionCensus(system);
    }

    CompletionStage<Answer.Census> take(String after, int limit) {
        return AskPattern.<Receptionist.Command, Receptionist.Listing>ask(
                        system.receptionist(),
                        replyTo -> Receptionist.find(KEY, replyTo),
                        ANSWER_WITHIN,
                        system.scheduler())
                .thenCompose(listing -> ask(listing.getServiceInstances(KEY), after, limit));
    }

    private CompletionStage<Answer.Census> ask(Set<ActorRef<Count>> counters, String after, int limit) {
        var silent = new ArrayList<String>();
        var answers = new ArrayList<CompletableFuture<List<Answer.View>>>();
        for (var counter : counters) {
            answers.add(AskPattern.<Count, Counted>ask(
                            counter, replyTo -> new Count(after, limit, replyTo), ANSWER_WITHIN, system.scheduler())
                    .thenApply(Counted::sessions)
                    .exceptionally(late -> {
                        synchronized (silent) {
                            silent.add(counter.path().address().toString());
                        }
                        return List.of();
                    })
                    .toCompletableFuture());
        }
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(all -> new Answer.Census(
                        answers.stream()
                                .flatMap(answer -> answer.join().stream())
                                .sorted(Comparator.comparing(view -> view.id().value()))
                                .limit(limit)
                                .toList(),
                        silent));
    }

    private static Behavior<Count> counter(Room room) {
        return Behaviors.receiveMessage(count -> {
            count.replyTo().tell(new Counted(room.node(), room.conversations().views(count.after(), count.limit())));
            return Behaviors.same();
        });
    }
}
