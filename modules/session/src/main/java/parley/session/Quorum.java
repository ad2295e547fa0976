package parley.session;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent.ClusterDomainEvent;
import org.apache.pekko.cluster.ClusterEvent.MemberEvent;
import org.apache.pekko.cluster.ClusterEvent.ReachableMember;
import org.apache.pekko.cluster.ClusterEvent.UnreachableMember;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;
import org.apache.pekko.remote.FailureDetectorRegistry;

/**
 * Whether this node is on the side of the cluster that goes on.
 *
 * <p>After a cut both sides see the other one unreachable; the split brain resolver keeps the majority, after it has
 * waited. A node that is not on that side must not go on meanwhile: its sessions may be begun again on the other. This
 * tells it as soon as it is known, by the resolver's own rule: more than half of the members, or half of them with the
 * lowest address.
 */
final class Quorum {
    private static final Set<MemberStatus> COUNTED = Set.of(MemberStatus.up(), MemberStatus.leaving());

    private static final Duration LOOK_EVERY = Duration.ofMillis(500);

    private enum Look {
        AGAIN
    }

    private final UniqueAddress self;
    private final FailureDetectorRegistry<Address> heard;
    private final Consumer<Boolean> told;
    private final Map<UniqueAddress, Member> members = new HashMap<>();
    private final Set<UniqueAddress> unreachable = new HashSet<>();
    private boolean held = true;

    private Quorum(UniqueAddress self, FailureDetectorRegistry<Address> heard, Consumer<Boolean> told) {
        this.self = self;
        this.heard = heard;
        this.told = told;
    }

    /**
     * Tells {@code false} when this node loses the majority or is downed, {@code true} when it has it again; nothing at
     * the start, when it is taken to have it.
     *
     * @param told called one at a time, on a thread that must not be held
     */
    static void start(ActorSystem<?> system, Consumer<Boolean> told) {
        var quorum = new Quorum(
                Cluster.get(system).selfMember().uniqueAddress(),
                org.apache.pekko.cluster.Cluster.get(system.classicSystem()).failureDetector(),
                told);
        system.systemActorOf(quorum.watching(), "quorum", Props.empty());
    }

    private Behavior<Object> watching() {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            // What this node itself hears changes without an event.
            timers.startTimerWithFixedDelay(Look.AGAIN, LOOK_EVERY);
            var subscriptions = Cluster.get(context.getSystem()).subscriptions();
            subscriptions.tell(Subscribe.create(context.getSelf().narrow(), MemberEvent.class));
            subscriptions.tell(Subscribe.create(
                    context.getSelf().narrow(), org.apache.pekko.cluster.ClusterEvent.ReachabilityEvent.class));
            return Behaviors.receiveMessage(event -> {
                if (event instanceof ClusterDomainEvent change) {
                    note(change);
                }
                tell();
                return Behaviors.same();
            });
        }));
    }

    private void note(ClusterDomainEvent event) {
        switch (event) {
            case UnreachableMember cut -> unreachable.add(cut.member().uniqueAddress());
            case ReachableMember back -> unreachable.remove(back.member().uniqueAddress());
            case MemberEvent changed
            when changed.member().status().equals(MemberStatus.removed()) -> {
                members.remove(changed.member().uniqueAddress());
                unreachable.remove(changed.member().uniqueAddress());
            }
            case MemberEvent changed -> members.put(changed.member().uniqueAddress(), changed.member());
            default -> {}
        }
    }

    private void tell() {
        var here = members.get(self);
        boolean downed = here != null && here.status().equals(MemberStatus.down());
        var counted = new HashSet<Address>();
        var cut = new HashSet<Address>();
        for (var member : members.values()) {
            if (COUNTED.contains(member.status())) {
                counted.add(member.address());
                if (isCut(member)) {
                    cut.add(member.address());
                }
            }
        }
        boolean holds = !downed && holds(counted, cut);
        if (holds != held) {
            held = holds;
            told.accept(holds);
        }
    }

    /** What others have lost sight of, and this node itself still hears, is on this node's side of whatever is cut. */
    private boolean isCut(Member member) {
        return unreachable.contains(member.uniqueAddress())
                && !(heard.isMonitoring(member.address()) && heard.isAvailable(member.address()));
    }

    /**
     * Whether those of {@code members} that are not {@code unreachable} go on.
     *
     * @param unreachable some of the members
     */
    static boolean holds(Set<Address> members, Set<Address> unreachable) {
        int others = unreachable.size();
        int side = members.size() - others;
        if (side != others) {
            return side > others;
        }
        return members.stream()
                .min(Member.addressOrdering())
                .map(lowest -> !unreachable.contains(lowest))
                .orElse(true);
    }
}
