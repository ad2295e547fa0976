package parley.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import org.apache.pekko.cluster.sharding.ShardRegion.ClusterShardingStats;
import org.apache.pekko.cluster.sharding.typed.GetClusterShardingStats;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.typed.Cluster;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Where sessions live: on the node that accepted their caller, as long as that node is there.
 *
 * <p>Each node mints ids of shards that fall to it by rendezvous hashing over the members, and a shard without a home
 * goes to whoever asks for it first. A shard that found its home before the members changed stays there as long as it
 * holds a session, and its new owner mints no ids of it; once it is empty it is given up, a few at a time, for its owner
 * to ask for. No shard with a session in it is moved for the sake of balance: that would cut a live conversation.
 */
final class ShardPlacement {
    private static final Duration LOOK_EVERY = Duration.ofSeconds(5);
    private static final Duration LOOK_FOR = Duration.ofSeconds(3);
    private static final int GIVEN_UP_AT_ONCE = 100;
    /** A node spreads its new sessions over so many shards: a caller waits whenever a shard is the first time asked for. */
    private static final int IN_USE = 32;

    /** Where a shard is, and how many sessions were in it when it was looked at. */
    private record Home(String node, int sessions) {}

    private final Cluster cluster;
    private final int shards;
    private Set<String> members = Set.of();
    private List<Integer> own = List.of();
    private List<Integer> here = List.of();
    private volatile Map<Integer, Home> homes = Map.of();

    ShardPlacement(Cluster cluster, int shards) {
        this.cluster = cluster;
        this.shards = shards;
    }

    /** Looks where the shards are, from now on again and again; completed, never failed, after the first look. */
    CompletionStage<Void> watch(ActorSystem<?> system, ClusterSharding sharding) {
        system.scheduler()
                .scheduleWithFixedDelay(
                        LOOK_EVERY, LOOK_EVERY, () -> look(system, sharding), system.executionContext());
        return look(system, sharding);
    }

    private CompletionStage<Void> look(ActorSystem<?> system, ClusterSharding sharding) {
        return AskPattern.<org.apache.pekko.cluster.sharding.typed.ClusterShardingQuery, ClusterShardingStats>ask(
                        sharding.shardState(),
                        replyTo -> new GetClusterShardingStats(VoiceSession.KEY, LOOK_FOR, replyTo),
                        LOOK_FOR.plusSeconds(1),
                        system.scheduler())
                .handle((stats, silence) -> {
                    // Without an answer the last look is the best there is.
                    if (stats != null) {
                        looked(stats);
                    }
                    return null;
                });
    }

    private void looked(ClusterShardingStats stats) {
        var found = new HashMap<Integer, Home>();
        stats.getRegions()
                .forEach((address, region) -> region.getStats()
                        .forEach((shard, sessions) -> found.put(
                                Integer.valueOf(shard),
                                new Home(address.toString(), Integer.parseInt(String.valueOf(sessions))))));
        synchronized (this) {
            homes = Map.copyOf(found);
            members = Set.of();
        }
    }

    synchronized SessionId mint() {
        var present = present();
        if (!present.equals(members)) {
            members = present;
            own = shardsOf(self(), present, shards);
            here = own.stream().filter(this::isNotElsewhere).limit(IN_USE).toList();
        }
        var choice = here.isEmpty() ? own : here;
        var random = ThreadLocalRandom.current();
        return SessionId.mint(choice.isEmpty() ? random.nextInt(shards) : choice.get(random.nextInt(choice.size())));
    }

    /** A shard goes to the node that asks for it first, and leaves it when it is empty and another's. */
    ShardCoordinator.ShardAllocationStrategy allocation() {
        return new WhereFirstAsked();
    }

    private boolean isNotElsewhere(int shard) {
        var home = homes.get(shard);
        return home == null || home.node().equals(self());
    }

    private String self() {
        return cluster.selfMember().address().toString();
    }

    private Set<String> present() {
        var addresses = new HashSet<String>();
        for (var member : cluster.state().getMembers()) {
            if (member.status().equals(MemberStatus.up()) || member.status().equals(MemberStatus.weaklyUp())) {
                addresses.add(member.address().toString());
            }
        }
        addresses.add(self());
        return addresses;
    }

    private Set<String> misplaced() {
        var present = present();
        return homes.entrySet().stream()
                .filter(shard -> shard.getValue().sessions() == 0
                        && !shard.getValue().node().equals(ownerOf(shard.getKey(), present)))
                .limit(GIVEN_UP_AT_ONCE)
                .map(shard -> String.valueOf(shard.getKey()))
                .collect(Collectors.toSet());
    }

    static List<Integer> shardsOf(String node, Set<String> present, int shards) {
        var mine = new ArrayList<Integer>();
        for (int shard = 0; shard < shards; shard++) {
            if (ownerOf(shard, present).equals(node)) {
                mine.add(shard);
            }
        }
        return mine;
    }

    /** The same on every node that sees the same members. */
    private static String ownerOf(int shard, Set<String> present) {
        var owner = "";
        for (var candidate : present) {
            int heavier = owner.isEmpty() ? 1 : Long.compare(weight(candidate, shard), weight(owner, shard));
            if (heavier > 0 || (heavier == 0 && candidate.compareTo(owner) > 0)) {
                owner = candidate;
            }
        }
        return owner;
    }

    private static long weight(String address, int shard) {
        long mixed = (address.hashCode() * 0x9E3779B97F4A7C15L) ^ (shard * 0xBF58476D1CE4E5B9L);
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    private final class WhereFirstAsked extends ShardCoordinator.AbstractShardAllocationStrategy {
        @Override
        public Future<ActorRef> allocateShard(
                ActorRef requester, String shardId, Map<ActorRef, IndexedSeq<String>> currentShardAllocations) {
            return Future.successful(requester);
        }

        @Override
        public Future<Set<String>> rebalance(
                Map<ActorRef, IndexedSeq<String>> currentShardAllocations, Set<String> rebalanceInProgress) {
            if (!rebalanceInProgress.isEmpty()) {
                return Future.successful(Set.of());
            }
            var allocated = new HashSet<String>();
            currentShardAllocations.values().forEach(shards -> allocated.addAll(CollectionConverters.asJava(shards)));
            var given = misplaced();
            given.retainAll(allocated);
            return Future.successful(given);
        }
    }

    /** Reads the shard from the session's id. */
    static final class ById
            extends ShardingMessageExtractor<ShardingEnvelope<VoiceSession.Command>, VoiceSession.Command> {
        @Override
        public String entityId(ShardingEnvelope<VoiceSession.Command> envelope) {
            return envelope.entityId();
        }

        @Override
        public String shardId(String entityId) {
            return Integer.toString(new SessionId(entityId).shard());
        }

        @Override
        public VoiceSession.Command unwrapMessage(ShardingEnvelope<VoiceSession.Command> envelope) {
            return envelope.message();
        }
    }
}
