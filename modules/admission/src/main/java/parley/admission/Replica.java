package parley.admission;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ddata.Key;
import org.apache.pekko.cluster.ddata.LWWRegister;
import org.apache.pekko.cluster.ddata.LWWRegisterKey;
import org.apache.pekko.cluster.ddata.SelfUniqueAddress;
import org.apache.pekko.cluster.ddata.typed.javadsl.DistributedData;
import org.apache.pekko.cluster.ddata.typed.javadsl.Replicator;
import org.apache.pekko.cluster.ddata.typed.javadsl.ReplicatorMessageAdapter;

/**
 * Carries one value to every node of the cluster, those that come later included. One actor per node and value; of two
 * values the one with the higher version counts, whatever anybody's clock says.
 */
final class Replica<T> {
    private static final Duration WRITE_WITHIN = Duration.ofSeconds(1);

    sealed interface Command<T> {}

    /** Every node is to have this, unless it has a later one. */
    record Put<T>(T value) implements Command<T> {}

    private record Told<T>(Replicator.SubscribeResponse<LWWRegister<T>> told) implements Command<T> {}

    private record Written<T>(Replicator.UpdateResponse<LWWRegister<T>> response) implements Command<T> {}

    private final Key<LWWRegister<T>> key;
    private final LWWRegister.Clock<T> versions;
    private final Consumer<T> learn;
    private final ReplicatorMessageAdapter<Command<T>, LWWRegister<T>> replicator;
    private final SelfUniqueAddress node;

    private Replica(
            Key<LWWRegister<T>> key,
            LWWRegister.Clock<T> versions,
            Consumer<T> learn,
            ReplicatorMessageAdapter<Command<T>, LWWRegister<T>> replicator,
            SelfUniqueAddress node) {
        this.key = key;
        this.versions = versions;
        this.learn = learn;
        this.replicator = replicator;
        this.node = node;
    }

    /**
     * @param version of a value; never negative
     * @param learn is told what others put, and what this node put itself
     */
    static <T> Behavior<Command<T>> create(String name, ToLongFunction<T> version, Consumer<T> learn) {
        return Behaviors.setup(context -> DistributedData.withReplicatorMessageAdapter(
                (ReplicatorMessageAdapter<Command<T>, LWWRegister<T>> replicator) -> new Replica<T>(
                                LWWRegisterKey.create(name),
                                (before, value) -> version.applyAsLong(value),
                                learn,
                                replicator,
                                DistributedData.get(context.getSystem()).selfUniqueAddress())
                        .behavior()));
    }

    private Behavior<Command<T>> behavior() {
        replicator.subscribe(key, Told<T>::new);
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Put<T>(var value) -> put(value);
                case Told<T>(var told) -> {
                    if (told instanceof Replicator.Changed<LWWRegister<T>> changed) {
                        learn.accept(changed.get(key).value());
                    }
                }
                // Not written everywhere in time: gossip does the rest.
                case Written<T> written -> {}
            }
            return Behaviors.same();
        });
    }

    private void put(T value) {
        var fresh = LWWRegister.create(node, value, versions);
        replicator.askUpdate(
                (ActorRef<Replicator.UpdateResponse<LWWRegister<T>>> replyTo) -> new Replicator.Update<>(
                        key, fresh, new Replicator.WriteAll(WRITE_WITHIN), replyTo, known -> known.merge(fresh)),
                Written<T>::new);
    }
}
