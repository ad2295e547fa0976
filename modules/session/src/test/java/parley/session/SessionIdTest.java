package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class SessionIdTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 15, 999, 4095})
    void anIdNamesItsShard(int shard) {
        assertThat(SessionId.mint(shard).shard()).isEqualTo(shard);
    }

    @Test
    void idsAreReadAsTheyAreWritten() {
        var id = SessionId.mint(7);

        assertThat(SessionId.parse(id.value())).contains(id);
        assertThat(id.value()).hasSize(27);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "sess_", "sess_00g0000000000000000000", "sess_0010000000000000000000 ", "../etc/passwd"})
    void anythingElseIsNone(String text) {
        assertThat(SessionId.parse(text)).isEmpty();
        assertThatThrownBy(() -> new SessionId(text)).hasMessageNotContaining("passwd");
    }

    @Test
    void idsDiffer() {
        assertThat(Stream.generate(() -> SessionId.mint(1)).limit(1000)).doesNotHaveDuplicates();
    }

    @Test
    void everyShardHasOneOwnerAndEachNodeAboutAsMany() {
        var nodes = java.util.Set.of(
                "pekko://parley@10.0.0.1:17355", "pekko://parley@10.0.0.2:17355", "pekko://parley@10.0.0.3:17355");
        var owned = new HashSet<Integer>();

        for (var node : nodes) {
            var shards = ShardPlacement.shardsOf(node, nodes, 1000);
            assertThat(shards).hasSizeBetween(270, 400);
            owned.addAll(shards);
        }

        assertThat(owned).hasSize(1000);
    }

    @Test
    void onlyTheShardsOfANodeThatLeftGetANewOwner() {
        var three = java.util.Set.of("a:1", "b:1", "c:1");
        var two = java.util.Set.of("a:1", "b:1");

        assertThat(ShardPlacement.shardsOf("a:1", two, 1000)).containsAll(ShardPlacement.shardsOf("a:1", three, 1000));
        assertThat(ShardPlacement.shardsOf("a:1", java.util.Set.of("a:1"), 100))
                .isEqualTo(IntStream.range(0, 100).boxed().toList());
    }
}
