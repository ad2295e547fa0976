package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.ShardRegion.CurrentShardRegionState;
import org.apache.pekko.cluster.sharding.typed.ClusterShardingQuery;
import org.apache.pekko.cluster.sharding.typed.GetShardRegionState;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.session.Answer.Refusal;

/**
 * Real nodes, a real cluster, a real database: what has to hold between them.
 *
 * <p>B12: sessions across nodes.
 */
@Tag("cluster")
class ClusterSessionsTest {
    private static final CallerId BERT = new CallerId("bert", "acme");
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private static TestNode one;
    private static TestNode two;

    @BeforeAll
    static void start() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start();
        journal = Journal.at("postgresql://postgres:postgres@127.0.0.1:" + postgres.getPort() + "/postgres");
        journal.migrate();
        journal.migrate();
        one = TestNode.start(journal);
        two = TestNode.join(one, journal);
    }

    @AfterAll
    static void stop() throws IOException {
        two.close();
        one.close();
        postgres.close();
    }

    @Test
    void aSessionLivesOnTheNodeThatMintedItsName() {
        for (var node : Set.of(one, two)) {
            for (int i = 0; i < 20; i++) {
                var id = node.sessions.mint();
                Rig.await(node.sessions.open(id, TestNode.as(Facts.ANNA, false).opening()));

                assertThat(node.describes(id, Facts.ANNA).session().node()).isEqualTo(node.name());
                Rig.await(node.sessions.end(id, Facts.ANNA));
            }
        }
    }

    @Test
    void shardsAreSharedOutAndFoundFromEverywhere() {
        var id = one.sessions.mint();
        Rig.await(one.sessions.open(id, TestNode.as(Facts.ANNA, false).opening()));

        assertThat(two.describes(id, Facts.ANNA).session().node()).isEqualTo(one.name());
        assertThat(two.asks(id, TestNode.as(BERT, true), 0))
                .isEqualTo(new Answer.Refused(Refusal.UNKNOWN, "no session " + id, null));
        Rig.await(two.sessions.end(id, Facts.ANNA));
        assertThat(one.describes(id, Facts.ANNA).session().phase()).isEqualTo("over");
    }

    @Test
    void toAskForASessionOfAShardThatDoesNotExistDoesNotBringItIntoBeing() {
        var id = new SessionId("sess_fff" + "0".repeat(19));
        var unknown = new Answer.Refused(Refusal.UNKNOWN, "no session " + id, null);

        for (var node : List.of(one, two)) {
            assertThat(Rig.await(node.sessions.describe(id, Facts.ANNA))).isEqualTo(unknown);
            assertThat(node.asks(id, TestNode.as(Facts.ANNA, false), 0)).isEqualTo(unknown);
            assertThat(node.asks(id, TestNode.as(Facts.ANNA, true), 0)).isEqualTo(unknown);
            assertThat(Rig.await(node.sessions.end(id, Facts.ANNA))).isEqualTo(unknown);
        }
        assertThat(shardsOf(one)).isNotEmpty().doesNotContain("4095");
        assertThat(shardsOf(two)).doesNotContain("4095");
        // Is ready when it has looked at all shards.
        try (var three = TestNode.join(one, journal)) {
            assertThat(Rig.await(three.sessions.describe(id, Facts.ANNA))).isEqualTo(unknown);
        }
    }

    private static List<String> shardsOf(TestNode node) {
        var state = Rig.await(AskPattern.<ClusterShardingQuery, CurrentShardRegionState>ask(
                ClusterSharding.get(node.system).shardState(),
                replyTo -> new GetShardRegionState(VoiceSession.KEY, replyTo),
                Duration.ofMinutes(1),
                node.system.scheduler()));
        return state.getShards().stream().map(shard -> shard.shardId()).toList();
    }

    @Test
    void aCallerOnAnotherLoopOfTheSameNodeIsConnectedToo() {
        var id = one.sessions.mint();
        var caller = one.calls(id, TestNode.as(Facts.ANNA, false), 0);
        var provider = one.provider.called().taken();
        provider.says(Events.created());
        caller.hears("session.created");
        caller.hangsUp(1006, "");

        var again = one.calls(id, TestNode.as(Facts.ANNA, true), 1);

        assertThat(again.hears()).contains("session.created");
        again.says(Events.append(20));
        assertThat(provider.hears()).isEqualTo(Events.append(20));
        Rig.await(one.sessions.end(id, Facts.ANNA));
        assertThat(again.ended().code()).isEqualTo(1000);
    }

    @Test
    void fiveThousandFramesCrossTheNodesOnceInOrderAndASlowNeighbourDoesNotMatter() throws Exception {
        var slowId = one.sessions.mint();
        one.calls(slowId, TestNode.as(BERT, false), 0).hangsUp(1006, "");
        var slowProvider = one.provider.called().taken();
        slowProvider.says(Events.created());
        var slow = two.calls(slowId, TestNode.as(BERT, true), 0);
        slow.hears("session.created");
        slow.stopsReading();
        for (int i = 0; i < 500; i++) {
            slowProvider.says(numbered("slow", i));
        }

        var id = one.sessions.mint();
        one.calls(id, TestNode.as(Facts.ANNA, false), 0).hangsUp(1006, "");
        var provider = one.provider.called().taken();
        provider.says(Events.created());
        var caller = two.calls(id, TestNode.as(Facts.ANNA, true), 0);
        caller.hears("session.created");

        int frames = 5000;
        var down = CompletableFuture.supplyAsync(() -> heard(caller, frames));
        var up = CompletableFuture.supplyAsync(() -> heard(provider, frames));
        var expected = digest();
        for (int i = 0; i < frames; i++) {
            var frame = numbered("down", i);
            expected.update(frame.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            provider.says(frame);
            caller.says(numbered("down", i));
        }
        var sum = HexFormat.of().formatHex(expected.digest());

        assertThat(Rig.await(down)).isEqualTo(sum);
        assertThat(Rig.await(up)).isEqualTo(sum);
        assertThat(slowProvider.untaken())
                .as("left in the slow session's provider's socket")
                .isGreaterThan(300);
        slow.readsOn();
        for (int i = 0; i < 500; i++) {
            assertThat(slow.hears()).isEqualTo(numbered("slow", i));
        }
        Rig.await(two.sessions.end(id, Facts.ANNA));
        Rig.await(two.sessions.end(slowId, BERT));
        assertThat(caller.ended().code()).isEqualTo(1000);
    }

    private static String numbered(String name, int number) {
        return "{\"type\":\"vendor." + name + "\",\"n\":" + number + ",\"pad\":\"" + "x".repeat(6360) + "\"}";
    }

    private static String heard(FakePort port, int frames) {
        var digest = digest();
        for (int i = 0; i < frames; i++) {
            digest.update(port.hears().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Test
    void theLargestFrameCrossesTheNodesThoughItGetsANumber() {
        var id = one.sessions.mint();
        var guided = new Sessions.Opening(Facts.ANNA, Face.VOICE, Arm.VOICE, "usual", null, null);
        Rig.await(one.sessions.open(id, guided));
        var caller = two.calls(id, new Sessions.Join(guided, true, null, Sessions.Join.NOT_TOLD), 1);
        var provider = one.provider.called().taken();
        provider.says(Events.created());
        caller.hears("session.created");
        int max = Rig.wire().maxMessageBytes();
        var frame = "{\"type\":\"vendor.big\",\"x\":\"" + "x".repeat(max - 29) + "\"}";
        assertThat(frame).hasSizeBetween(max - 2, max);

        provider.says(frame);

        assertThat(caller.hears("vendor.big")).hasSizeGreaterThan(max);
        caller.says(frame);
        assertThat(provider.hears("vendor.big")).isEqualTo(frame);
        Rig.await(one.sessions.end(id, Facts.ANNA));
    }

    @Test
    void whatWasSaidSurvivesARestartAndTheConversationGoesOn() {
        var id = Restarted.run(journal);
        assertThat(id).isNotNull();
    }

    /** A cluster of its own, which is stopped and started on the same database. */
    private static final class Restarted {
        static SessionId run(Journal journal) {
            SessionId id;
            try (var node = TestNode.start(journal)) {
                id = node.sessions.mint();
                var caller = node.calls(id, TestNode.as(Facts.ANNA, false), 0);
                var provider = node.provider.called().taken();
                provider.says(
                        Events.created(),
                        Events.updated().replace("\"model\"", "\"instructions\":\"be kind\",\"model\""),
                        Events.itemDone(Events.userItem("item_u", "what is up")),
                        Events.begun("r1"),
                        Events.outputItemDone("r1", Events.agentItem("item_a", "completed", "not much")),
                        Events.done("r1", "completed"));
                caller.hears("response.done");
                Rig.eventually(() -> node.describes(id, Facts.ANNA).session().costUsd() > 0);
            }
            try (var node = TestNode.start(journal)) {
                var described = node.describes(id, Facts.ANNA);
                assertThat(described.transcript()).extracting(Turn::text).containsExactly("what is up", "not much");
                assertThat(described.session().costUsd()).isEqualTo(0.007206);
                assertThat(described.session().phase()).isEqualTo("live");
                assertThat(described.session().attached()).isFalse();

                var caller = node.calls(id, TestNode.as(Facts.ANNA, true), 0);
                var provider = node.provider.called().taken();
                provider.says(Events.created());
                assertThat(provider.hears("session.update")).contains("be kind");
                assertThat(provider.hears()).contains("item_u", "what is up", "input_text");
                assertThat(provider.hears()).contains("item_a", "not much", "output_text");
                provider.says(
                        Events.updated(),
                        Events.itemDone(Events.userItem("item_u", "what is up")),
                        Events.itemDone(Events.agentItem("item_a", "completed", "not much")));
                assertThat(caller.hears()).contains("session.created", id.value());
                provider.says(Events.itemDone(Events.userItem("item_v", "go on")));
                Rig.eventually(() -> node.describes(id, Facts.ANNA).transcript().size() == 3);
                Rig.await(node.sessions.end(id, Facts.ANNA));
            }
            return id;
        }
    }

    @Test
    void whatANodeThatJoinsLateMintsLivesOnItAsARule() {
        for (int i = 0; i < 40; i++) {
            for (var node : Set.of(one, two)) {
                var id = node.sessions.mint();
                Rig.await(node.sessions.open(id, TestNode.as(Facts.ANNA, false).opening()));
                Rig.await(node.sessions.end(id, Facts.ANNA));
            }
        }

        try (var three = TestNode.join(one, journal)) {
            int atHome = 0;
            for (int i = 0; i < 20; i++) {
                var id = three.sessions.mint();
                Rig.await(three.sessions.open(id, TestNode.as(Facts.ANNA, false).opening()));
                atHome += three.describes(id, Facts.ANNA).session().node().equals(three.name()) ? 1 : 0;
                Rig.await(three.sessions.end(id, Facts.ANNA));
            }

            // Another node may have asked for a shard before it saw this one: its sessions live one hop away.
            assertThat(atHome).isGreaterThan(14);
        }
    }

    @Test
    void idsDoNotRepeatAcrossNodes() {
        var ids = new HashSet<SessionId>();
        IntStream.range(0, 500).forEach(i -> {
            ids.add(one.sessions.mint());
            ids.add(two.sessions.mint());
        });

        assertThat(ids).hasSize(1000);
    }
}
