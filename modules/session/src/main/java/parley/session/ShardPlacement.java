package parley.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.ShardCoordinator;
import org.apache.pekko.cluster.sharding.ShardRegion;
import org.apache.pekko.cluster.sharding.ShardRegion.ClusterShardingStats;
import org.apache.pekko.cluster.sharding.ShardRegion.CurrentShardRegionState;
import org.apache.pekko.cluster.sharding.typed.ClusterShardingQuery;
import org.apache.pekko.cluster.sharding.typed.GetClusterShardingStats;
import org.apache.pekko.cluster.sharding.typed.GetShardRegionState;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.pattern.Patterns;
import org.apache.pekko.util.Version;
import parley.admission.CallerId;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Where sessions live: on the node that accepted their caller, as long as that node is there.
 *
 * <p>Each node mints ids of shards that fall to it by rendezvous hashing over the members, and a shard without a home
 * goes to whoever asks for it first. A shard that found its home before the members changed stays there as long as it
 * holds a session, and its new owner mints no ids of it; once it is empty it is given up, a few at a time, for its owner.
 * No shard with a session in it is moved for the sake of balance: that would cut a live conversation.
 *
 * <p>A shard moves as a whole, when its slowest session is ready. So a node spreads its sessions: it asks for more of
 * its shards than it has sessions, ahead of time because a shard's first ask is slow, and mints ids of the emptiest.
 *
 * <p>While nodes of two versions are there, a release is under way: shards that need a home get one on a node of the
 * newer version, so that they move once, and none is given up.
 */
final class ShardPlacement {
    private static final Duration LOOK_EVERY = Duration.ofSeconds(5);
    private static final Duration LOOK_FOR = Duration.ofSeconds(3);
    private static final Duration WARM_EVERY = Duration.ofSeconds(1);
    private static final Duration WARM_FOR = Duration.ofSeconds(5);
    private static final Duration SETTLE = Duration.ofMillis(300);
    /** Each new home is one write of the cluster's table of shards. */
    private static final Duration SETTLE_PER_SHARD = Duration.ofMillis(5);

    /** Each is two writes of the cluster's table of shards, which sessions on the move need more. */
    private static final int GIVEN_UP_AT_ONCE = 10;
    /** Of the shards in use, one for so many is asked for before anybody needs it; each costs time when a node leaves. */
    private static final int ONE_WARM_FOR = 4;

    private static final CallerId NOBODY = new CallerId("nobody", "nobody");

    /** A node, as far as shards care. */
    record Place(String address, Version version) {}

    private final Cluster cluster;
    private final int shards;
    private final PlacementSettings settings;
    private final Map<Integer, String> homes = new HashMap<>();
    private final int[] sessions;
    private final Set<Integer> asked = new HashSet<>();
    private Set<String> members = Set.of();
    private List<Integer> own = List.of();
    private boolean leaving;
    /** Whether the last look showed every node. */
    private boolean known;

    ShardPlacement(Cluster cluster, int shards, PlacementSettings settings) {
        this.cluster = cluster;
        this.shards = shards;
        this.settings = settings;
        this.sessions = new int[shards];
    }

    /**
     * Looks where the shards are, from now on again and again, and asks for shards ahead of need; completed, never
     * failed, after the first look and the first asks.
     */
    CompletionStage<Void> watch(ActorSystem<?> system, ClusterSharding sharding) {
        system.scheduler()
                .scheduleWithFixedDelay(
                        LOOK_EVERY, LOOK_EVERY, () -> look(system, sharding), system.executionContext());
        system.scheduler()
                .scheduleWithFixedDelay(
                        WARM_EVERY, WARM_EVERY, () -> warm(system, sharding), system.executionContext());
        return look(system, sharding).thenCompose(looked -> warm(system, sharding));
    }

    /** The id of a session that will live on this node, in the emptiest shard at hand. */
    synchronized SessionId mint() {
        noteMembers();
        var choice = own.stream().filter(this::isHere).toList();
        if (choice.isEmpty()) {
            choice = own.stream().filter(shard -> !isElsewhere(shard)).toList();
        }
        if (choice.isEmpty()) {
            choice = own;
        }
        int shard = choice.isEmpty() ? ThreadLocalRandom.current().nextInt(shards) : emptiest(choice);
        sessions[shard]++;
        return SessionId.mint(shard);
    }

    /** A shard goes to the node that asks for it first, and leaves it when it is empty and another's. */
    ShardCoordinator.ShardAllocationStrategy allocation() {
        return new WhereFirstAsked();
    }

    /**
     * Hands this node's shards over to the others, each when its sessions are ready. Completed, never failed, when they
     * have new homes or {@code atMost} is over.
     */
    CompletionStage<Void> handOver(ActorSystem<?> system, Duration atMost) {
        leave();
        var region = org.apache.pekko.cluster.sharding.ClusterSharding.get(system.classicSystem())
                .shardRegion(VoiceSession.KEY.name());
        var settle = isOldest() ? settle() : Duration.ZERO;
        return Patterns.gracefulStop(region, atMost, ShardRegion.gracefulShutdownInstance())
                .exceptionally(late -> false)
                // The coordinator of shards lives on the oldest node. Were it to move at once, shards that have just
                // been given up would wait for it.
                .thenCompose(stopped -> CompletableFuture.runAsync(
                        () -> {}, CompletableFuture.delayedExecutor(settle.toMillis(), TimeUnit.MILLISECONDS)));
    }

    /** No more is asked for, and nothing given up for the sake of order. */
    private synchronized void leave() {
        leaving = true;
    }

    private boolean isOldest() {
        return StreamSupport.stream(cluster.state().getMembers().spliterator(), false)
                .noneMatch(member -> member.isOlderThan(cluster.selfMember()));
    }

    private synchronized Duration settle() {
        var shardsHere = homes.values().stream().filter(self()::equals).count();
        return SETTLE.plus(SETTLE_PER_SHARD.multipliedBy(shardsHere));
    }

    private int emptiest(List<Integer> choice) {
        // From anywhere, so that the first of many empty ones is not always the same.
        int from = ThreadLocalRandom.current().nextInt(choice.size());
        int best = choice.get(from);
        for (int i = 1; i < choice.size() && sessions[best] > 0; i++) {
            int shard = choice.get((from + i) % choice.size());
            if (sessions[shard] < sessions[best]) {
                best = shard;
            }
        }
        return best;
    }

    private CompletionStage<Void> look(ActorSystem<?> system, ClusterSharding sharding) {
        return AskPattern.<ClusterShardingQuery, ClusterShardingStats>ask(
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

    /** A region that is busy or gone is missing from an answer: what is not the whole truth is none. */
    private synchronized void looked(ClusterShardingStats stats) {
        var answered = new HashSet<String>();
        stats.getRegions().forEach((address, region) -> {
            if (region.getFailed().isEmpty()) {
                answered.add(address.toString());
            }
        });
        known = answered.containsAll(present());
        if (!known) {
            return;
        }
        homes.clear();
        Arrays.fill(sessions, 0);
        stats.getRegions()
                .forEach((address, region) -> region.getStats()
                        .forEach((name, count) ->
                                note(name, address.toString(), Integer.parseInt(String.valueOf(count)))));
    }

    private void note(String name, String home, int count) {
        int shard = Integer.parseInt(name);
        if (shard < shards) {
            homes.put(shard, home);
            sessions[shard] = count;
        }
    }

    private CompletionStage<Void> warm(ActorSystem<?> system, ClusterSharding sharding) {
        var asks = new ArrayList<CompletableFuture<?>>();
        for (int shard : toWarm()) {
            asks.add(sharding.entityRefFor(
                            VoiceSession.KEY, SessionId.mint(shard).value())
                    .<Answer>ask(replyTo -> new VoiceSession.Describe(NOBODY, replyTo), WARM_FOR)
                    .handle((answer, silence) -> {
                        warmed(shard);
                        return answer;
                    })
                    .toCompletableFuture());
        }
        // Where an asked shard is, its region knows: another node may have asked for it first.
        return CompletableFuture.allOf(asks.toArray(CompletableFuture[]::new))
                .thenCompose(
                        asked -> asks.isEmpty() ? CompletableFuture.completedFuture(null) : lookHere(system, sharding));
    }

    private CompletionStage<Void> lookHere(ActorSystem<?> system, ClusterSharding sharding) {
        return AskPattern.<ClusterShardingQuery, CurrentShardRegionState>ask(
                        sharding.shardState(),
                        replyTo -> new GetShardRegionState(VoiceSession.KEY, replyTo),
                        LOOK_FOR,
                        system.scheduler())
                .handle((state, silence) -> {
                    if (state != null) {
                        lookedHere(state);
                    }
                    return null;
                });
    }

    private synchronized void lookedHere(CurrentShardRegionState state) {
        // Those that are too busy to say are still here.
        homes.entrySet()
                .removeIf(home ->
                        home.getValue().equals(self()) && !state.getFailed().contains(String.valueOf(home.getKey())));
        state.getShards()
                .forEach(shard ->
                        note(shard.shardId(), self(), shard.getEntityIds().size()));
    }

    private synchronized List<Integer> toWarm() {
        noteMembers();
        if (leaving || !isNewest()) {
            return List.of();
        }
        var here = own.stream().filter(this::isHere).toList();
        int busy = here.stream().mapToInt(shard -> sessions[shard]).sum();
        // Some are left for the next node to join: it can only have at once what has no home yet.
        long free =
                own.size() * 3L / 4 - own.stream().filter(homes::containsKey).count();
        long wanted = Math.min(free, busy + Math.max(settings.warmAtLeast(), busy / ONE_WARM_FOR) - here.size());
        var cold = own.stream()
                .filter(shard -> !homes.containsKey(shard) && !asked.contains(shard))
                .limit(Math.max(0L, Math.min(wanted, settings.warmPerSecond()) - asked.size()))
                .toList();
        asked.addAll(cold);
        return cold;
    }

    private synchronized void warmed(int shard) {
        asked.remove(shard);
    }

    private void noteMembers() {
        var present = present();
        if (!present.equals(members)) {
            members = present;
            own = shardsOf(self(), present, shards);
            homes.values().removeIf(home -> !present.contains(home));
        }
    }

    private boolean isHere(int shard) {
        return self().equals(homes.get(shard));
    }

    private boolean isElsewhere(int shard) {
        var home = homes.get(shard);
        return home != null && !home.equals(self());
    }

    private String self() {
        return cluster.selfMember().address().toString();
    }

    private boolean isNewest() {
        return newest(places().values()).equals(cluster.selfMember().appVersion());
    }

    private Set<String> present() {
        var addresses = new HashSet<>(places().keySet());
        addresses.add(self());
        return addresses;
    }

    /** The members that take sessions, by their addresses. */
    private Map<String, Place> places() {
        var places = new HashMap<String, Place>();
        for (var member : cluster.state().getMembers()) {
            if (member.status().equals(MemberStatus.up()) || member.status().equals(MemberStatus.weaklyUp())) {
                var address = member.address().toString();
                places.put(address, new Place(address, member.appVersion()));
            }
        }
        return places;
    }

    /** Of all members, whatever they are about to do: a region may be there before its member is seen to be up. */
    private Map<String, Version> versions() {
        var versions = new HashMap<String, Version>();
        for (var member : cluster.state().getMembers()) {
            versions.put(member.address().toString(), member.appVersion());
        }
        return versions;
    }

    /** Those of {@code allocated}, shards by their regions' addresses, that are empty and another's. */
    private synchronized Set<String> misplaced(Map<String, String> allocated) {
        noteMembers();
        if (leaving || !known) {
            return Set.of();
        }
        return homes.entrySet().stream()
                .filter(shard -> sessions[shard.getKey()] == 0
                        && shard.getValue().equals(allocated.get(String.valueOf(shard.getKey())))
                        && !shard.getValue().equals(ownerOf(shard.getKey(), members)))
                .limit(GIVEN_UP_AT_ONCE)
                .map(shard -> String.valueOf(shard.getKey()))
                .collect(Collectors.toSet());
    }

    private static Version newest(Collection<Place> places) {
        return places.stream()
                .map(Place::version)
                .max(Comparator.naturalOrder())
                .orElse(Version.Zero());
    }

    /**
     * Where a shard without a home goes: to a region of the newest version, to the one that asks if it is one of them,
     * else to the shard's owner among them. Somebody who is not among the regions asks when a shard was handed over, or
     * when it leaves itself.
     *
     * @param regions at least one
     */
    static <R> R home(R asking, int shard, Map<R, Place> regions) {
        var newest = newest(regions.values());
        var candidates = new HashMap<String, R>();
        regions.forEach((region, place) -> {
            if (place.version().equals(newest)) {
                candidates.put(place.address(), region);
            }
        });
        if (candidates.containsValue(asking)) {
            return asking;
        }
        return Objects.requireNonNull(candidates.get(ownerOf(shard, candidates.keySet())));
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
            var versions = versions();
            var regions = new HashMap<ActorRef, Place>();
            for (var region : currentShardAllocations.keySet()) {
                var address = addressOf(region);
                regions.put(region, new Place(address, versions.getOrDefault(address, Version.Zero())));
            }
            return Future.successful(
                    regions.isEmpty() ? requester : home(requester, Integer.parseInt(shardId), regions));
        }

        @Override
        public Future<Set<String>> rebalance(
                Map<ActorRef, IndexedSeq<String>> currentShardAllocations, Set<String> rebalanceInProgress) {
            boolean released =
                    places().values().stream().map(Place::version).distinct().count() == 1;
            if (!released || isSomebodyLeaving() || !rebalanceInProgress.isEmpty()) {
                return Future.successful(Set.of());
            }
            var allocated = new HashMap<String, String>();
            currentShardAllocations.forEach((region, shards) ->
                    CollectionConverters.asJava(shards).forEach(shard -> allocated.put(shard, addressOf(region))));
            return Future.successful(misplaced(allocated));
        }

        private boolean isSomebodyLeaving() {
            return StreamSupport.stream(cluster.state().getMembers().spliterator(), false)
                    .anyMatch(member -> member.status().equals(MemberStatus.leaving())
                            || member.status().equals(MemberStatus.exiting()));
        }

        private String addressOf(ActorRef region) {
            // The coordinator's own region has no host in its path.
            var address = region.path().address();
            return address.hasLocalScope() ? self() : address.toString();
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
