package parley.session;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;
import org.apache.pekko.cluster.typed.Cluster;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;

/**
 * Where sessions live: on the node that accepted their caller, as long as that node is there.
 *
 * <p>Each node mints ids of shards that fall to it by rendezvous hashing over the members, and a shard without a home
 * goes to whoever asks for it first. No shard is moved for the sake of balance: that would cut the live sessions in it.
 */
final class ShardPlacement {
    private final Cluster cluster;
    private final int shards;
    private @Nullable Set<Member> members;
    private List<Integer> own = List.of();

    ShardPlacement(Cluster cluster, int shards) {
        this.cluster = cluster;
        this.shards = shards;
    }

    synchronized SessionId mint() {
        var present = new HashSet<Member>();
        cluster.state().getMembers().forEach(present::add);
        if (!present.equals(members)) {
            members = present;
            own = shardsOf(cluster.selfMember().uniqueAddress().toString(), present);
        }
        var random = ThreadLocalRandom.current();
        return SessionId.mint(own.isEmpty() ? random.nextInt(shards) : own.get(random.nextInt(own.size())));
    }

    private List<Integer> shardsOf(String self, Set<Member> present) {
        var addresses = present.stream()
                .filter(member -> member.status().equals(MemberStatus.up())
                        || member.status().equals(MemberStatus.weaklyUp()))
                .map(member -> member.uniqueAddress().toString())
                .toList();
        var mine = new ArrayList<Integer>();
        for (int shard = 0; shard < shards; shard++) {
            int candidate = shard;
            long best = weight(self, shard);
            if (addresses.stream().noneMatch(other -> !other.equals(self) && weight(other, candidate) > best)) {
                mine.add(shard);
            }
        }
        return mine;
    }

    private static long weight(String address, int shard) {
        long mixed = (address.hashCode() * 0x9E3779B97F4A7C15L) ^ (shard * 0xBF58476D1CE4E5B9L);
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    /** A shard goes to the node that asks for it, and stays. */
    static final class WhereFirstAsked extends ShardCoordinator.AbstractShardAllocationStrategy {
        @Override
        public Future<ActorRef> allocateShard(
                ActorRef requester, String shardId, Map<ActorRef, IndexedSeq<String>> currentShardAllocations) {
            return Future.successful(requester);
        }

        @Override
        public Future<Set<String>> rebalance(
                Map<ActorRef, IndexedSeq<String>> currentShardAllocations, Set<String> rebalanceInProgress) {
            return Future.successful(Set.of());
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
