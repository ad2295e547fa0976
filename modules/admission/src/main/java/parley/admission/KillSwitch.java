package parley.admission;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import parley.admission.Rollouts.Killed;
import parley.meter.Histogram;
import parley.meter.Meters;

/**
 * The kill switch's way from any node to all: nothing of it goes through the controller, the journal or a majority.
 *
 * <p>One actor per node. Whoever is asked tells every other node, again and again until each has said that it knows or is
 * gone from the cluster. What is learned counts at once on that node, and is on its disk before it is acknowledged. Nodes
 * that join later are told when they show up; Distributed Data carries the same besides.
 */
final class KillSwitch extends AbstractBehavior<KillSwitch.Command> {
    static final ServiceKey<Command> KEY = ServiceKey.create(Command.class, "parley-kill-switch");

    private static final Duration AGAIN = Duration.ofMillis(50);
    /** An answer comes by then, complete or not. */
    static final Duration ANSWER_WITHIN = Duration.ofSeconds(1);

    sealed interface Command {}

    /** Somebody on this node says so. */
    record Order(boolean on, Kill.Live live, String by, String reason, ActorRef<Killed> replyTo) implements Command {}

    /** Another node says so. */
    record Spread(Kill kill, ActorRef<Command> from) implements Command, CborSerializable {}

    /** What a node knows now. */
    record Known(String node, Kill kill) implements Command, CborSerializable {}

    private record Others(Receptionist.Listing listing) implements Command {}

    private enum Tick implements Command {
        AGAIN
    }

    /** An order that is not answered yet. */
    private record Waiting(long epoch, long began, ActorRef<Killed> replyTo) {}

    private final TimerScheduler<Command> timers;
    private final Cluster cluster;
    private final Clock clock;
    private final RolloutView view;
    private final Consumer<Kill> replicate;
    private final Histogram propagation;
    private final String self;
    private final Map<String, Long> known = new HashMap<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private Set<ActorRef<Command>> others = Set.of();

    /** @param replicate carries it to nodes that are not there yet; must return at once */
    static Behavior<Command> create(RolloutView view, Consumer<Kill> replicate, Clock clock) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new KillSwitch(context, timers, view, replicate, clock)));
    }

    private KillSwitch(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            RolloutView view,
            Consumer<Kill> replicate,
            Clock clock) {
        super(context);
        this.timers = timers;
        this.cluster = Cluster.get(context.getSystem());
        this.clock = clock;
        this.view = view;
        this.replicate = replicate;
        this.propagation = AdmissionMetrics.killPropagation(Meters.of(context.getSystem()));
        this.self = cluster.selfMember().address().toString();
        var receptionist = context.getSystem().receptionist();
        receptionist.tell(Receptionist.register(KEY, context.getSelf()));
        receptionist.tell(Receptionist.subscribe(KEY, context.messageAdapter(Receptionist.Listing.class, Others::new)));
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
            case Order order -> {
                var kill = new Kill(
                        order.on(), view.kill().epoch() + 1, order.live(), order.by(), order.reason(), clock.instant());
                waiting.add(new Waiting(kill.epoch(), System.nanoTime(), order.replyTo()));
                // The others first: their way is longer than the one to this node's disk.
                others.forEach(other -> other.tell(new Spread(kill, getContext().getSelf())));
                view.learn(kill);
                replicate.accept(kill);
                known.put(self, kill.epoch());
                answer();
                timers.startTimerAtFixedRate(Tick.AGAIN, AGAIN);
            }
            case Spread spread -> {
                view.learn(spread.kill());
                spread.from().tell(new Known(self, view.kill()));
            }
            case Known said -> {
                // Of two orders at the same moment each node keeps the same one; whoever gave the other learns of it.
                view.learn(said.kill());
                known.merge(said.node(), said.kill().epoch(), Math::max);
                answer();
            }
            case Others them -> {
                others = them.listing().getServiceInstances(KEY).stream()
                        .filter(ref -> !ref.equals(getContext().getSelf()))
                        .collect(java.util.stream.Collectors.toSet());
                if (view.kill().epoch() > 0) {
                    spread();
                }
            }
            case Tick again -> {
                if (missing(view.kill().epoch()).isEmpty()) {
                    timers.cancel(Tick.AGAIN);
                } else {
                    spread();
                }
                answer();
            }
        }
    }

    private void spread() {
        others.forEach(other -> other.tell(new Spread(view.kill(), getContext().getSelf())));
    }

    private void answer() {
        waiting.removeIf(order -> {
            var missing = missing(order.epoch());
            var elapsed = Duration.ofNanos(System.nanoTime() - order.began());
            if (!missing.isEmpty() && elapsed.compareTo(ANSWER_WITHIN) < 0) {
                return false;
            }
            if (missing.isEmpty()) {
                propagation.record(elapsed.toNanos());
            }
            var acked = new TreeSet<>(members());
            acked.removeAll(missing);
            order.replyTo().tell(new Killed(view.kill(), List.copyOf(acked), missing, elapsed));
            return true;
        });
    }

    private List<String> missing(long epoch) {
        return members().stream()
                .filter(member -> known.getOrDefault(member, -1L) < epoch)
                .sorted()
                .toList();
    }

    /** Also those that nobody can reach: they serve callers, perhaps. */
    private Set<String> members() {
        var members = new TreeSet<String>();
        cluster.state().getMembers().forEach(member -> {
            if (!member.status().equals(MemberStatus.down()) && !member.status().equals(MemberStatus.removed())) {
                members.add(member.address().toString());
            }
        });
        known.keySet().retainAll(members);
        return members;
    }
}
