package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.pekko.util.Version;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.session.ShardPlacement.Place;

class ShardPlacementTest {
    private static final Version OLD = new Version("1.4.0");
    private static final Version NEW = new Version("1.5.0");

    private static Map<String, Place> regions(Version one, Version two, Version three) {
        return Map.of("one", new Place("a:1", one), "two", new Place("b:1", two), "three", new Place("c:1", three));
    }

    @Test
    @Tag("unit")
    void aShardGoesToTheRegionThatAsks() {
        assertThat(ShardPlacement.home("two", 7, regions(OLD, OLD, OLD))).isEqualTo("two");
    }

    @Test
    @Tag("unit")
    void aShardThatNobodyAmongTheRegionsAsksForGoesToItsOwnerAndTheyShareThem() {
        var regions = regions(OLD, OLD, OLD);
        var shares = IntStream.range(0, 300)
                .boxed()
                .collect(Collectors.groupingBy(
                        shard -> ShardPlacement.home("the leaving one", shard, regions), Collectors.toSet()));

        assertThat(shares)
                .hasSize(3)
                .allSatisfy((region, shards) -> assertThat(shards)
                        .as(region)
                        .hasSizeBetween(70, 130)
                        .containsExactlyInAnyOrderElementsOf(ShardPlacement.shardsOf(
                                regions.get(region).address(), java.util.Set.of("a:1", "b:1", "c:1"), 300)));
    }

    @Test
    @Tag("unit")
    void duringAReleaseAShardMovesOnlyToTheNewerVersion() {
        assertThat(ShardPlacement.home("two", 7, regions(NEW, OLD, OLD))).isEqualTo("one");
        assertThat(ShardPlacement.home("two", 7, regions(OLD, NEW, NEW))).isEqualTo("two");
        assertThat(IntStream.range(0, 100).mapToObj(shard -> ShardPlacement.home("one", shard, regions(OLD, NEW, NEW))))
                .containsOnly("two", "three");
    }

    @Test
    @Tag("cluster")
    void sessionsOfANodeDoNotShareShardsThoughTheirsAreWarm() throws Exception {
        try (var postgres = EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start()) {
            var journal = Journal.at("postgresql://postgres:postgres@127.0.0.1:" + postgres.getPort() + "/postgres");
            journal.migrate();
            try (var node = TestNode.start(journal)) {
                // Eight are wanted before there is a session.
                Peer.eventually(Duration.ofSeconds(3), () -> false);
                var shards = new HashSet<Integer>();
                for (int i = 0; i < 6; i++) {
                    var id = node.sessions.mint();
                    Rig.await(node.sessions.open(
                            id, TestNode.as(Facts.ANNA, false).opening()));
                    shards.add(id.shard());
                }

                assertThat(shards).hasSize(6);
            }
        }
    }

    @Test
    @Tag("unit")
    void theDefaultsAreTheDocumentedOnesAndEveryKeyCanBeSet() {
        assertThat(PlacementSettings.from(ConfigFactory.defaultReference().resolve()))
                .isEqualTo(new PlacementSettings(8, 20));
        assertThat(PlacementSettings.from(ConfigFactory.parseMap(Map.of(
                        "parley.session.placement.warm-at-least", 4, "parley.session.placement.warm-per-second", 5))))
                .isEqualTo(new PlacementSettings(4, 5));
        assertThatThrownBy(() -> new PlacementSettings(0, 5))
                .hasMessage("parley.session.placement: warm-at-least 0, warm-per-second 5"
                        + " (expected: at least 1 and 1)");
    }
}
