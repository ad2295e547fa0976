package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.session.Erasure.Erased;

/** A user is forgotten: real nodes, a real cluster, a real database. */
@Tag("cluster")
class ErasureTest {
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private static TestNode one;
    private static TestNode two;

    @BeforeAll
    static void start() throws Exception {
        postgres = Databases.start();
        journal = Databases.journal(postgres.getPort());
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

    private static SessionId opens(TestNode node, CallerId caller) throws SQLException {
        var id = node.sessions.mint();
        assertThat(Rig.await(node.sessions.open(id, TestNode.as(caller, false).opening())))
                .isInstanceOf(Answer.Opened.class);
        Databases.run(
                journal, "INSERT INTO turns VALUES ('" + id + "', 'item', 1, 'user', now(), 'hello', 1, 1, false)");
        return id;
    }

    private static long rows(SessionId id) throws SQLException {
        try (var connection = journal.connect(Duration.ofSeconds(30));
                var statement = connection.createStatement();
                var counted = statement.executeQuery(
                        "SELECT (SELECT count(*) FROM event_journal WHERE persistence_id LIKE '%" + id + "')"
                                + " + (SELECT count(*) FROM snapshot WHERE persistence_id LIKE '%" + id + "')"
                                + " + (SELECT count(*) FROM event_tag t WHERE NOT EXISTS (SELECT FROM event_journal j"
                                + " WHERE j.ordering = t.event_id))"
                                + " + (SELECT count(*) FROM turns WHERE session = '" + id + "')")) {
            counted.next();
            return counted.getLong(1);
        }
    }

    /** The query of docs/operations.md. */
    private static long foundByHand(String tenant, String user) throws SQLException {
        try (var connection = journal.connect(Duration.ofSeconds(30));
                var statement = connection.createStatement();
                var counted = statement.executeQuery(
                        "SELECT count(*) FROM event_tag t JOIN event_journal j ON j.ordering = t.event_id"
                                + " WHERE t.tag LIKE 'owner:%' AND t.tag = 'owner:' || encode(sha256(convert_to('"
                                + tenant + "' || E'\\n' || '" + user + "', 'UTF8')), 'hex')")) {
            counted.next();
            return counted.getLong(1);
        }
    }

    private static Erased forget(TestNode node, CallerId caller) {
        return Rig.await(node.sessions.erasure().forget(caller));
    }

    @Test
    void allSessionsOfAUserGoAndNobodyElses() throws Exception {
        var carla = new CallerId("carla", "acme");
        var namesake = new CallerId("carla", "other");
        var live = opens(one, carla);
        var caller = one.calls(live, TestNode.as(carla, true), 0);
        var provider = one.provider.called().taken();
        provider.says(Events.created());
        caller.hears("session.created");
        provider.says(Events.itemDone(Events.userItem("item_u", "I am Carla")));
        Rig.eventually(() -> one.describes(live, carla).transcript().size() == 1);
        var elsewhere = opens(two, carla);
        var over = opens(two, carla);
        Rig.await(two.sessions.end(over, carla));
        var others = opens(one, new CallerId("carl", "acme"));
        var sameName = opens(two, namesake);
        long kept = rows(others) + rows(sameName);

        assertThat(foundByHand("acme", "carla")).isEqualTo(3);

        var erased = forget(one, carla);

        assertThat(erased.sessions()).isEqualTo(3);
        assertThat(erased.rows()).containsEntry("turns", 3L).containsKeys("event_journal", "event_tag", "snapshot");
        assertThat(caller.ended().code()).isEqualTo(1000);
        for (var id : new SessionId[] {live, elsewhere, over}) {
            assertThat(rows(id)).isZero();
            assertThat(Rig.await(two.sessions.describe(id, carla)))
                    .isEqualTo(new Answer.Refused(Answer.Refusal.UNKNOWN, "no session " + id, null));
        }
        assertThat(rows(others) + rows(sameName)).isEqualTo(kept);
        assertThat(two.describes(sameName, namesake).session().phase()).isEqualTo("opening");
        assertThat(forget(two, carla)).isEqualTo(new Erased(0, Map.of()));
        assertThat(foundByHand("acme", "carla")).isZero();
        assertThat(rows(live)).as("what the conversation told behind its end").isZero();
    }

    /** A session of an earlier release says whose it is in its first fact alone. */
    @Test
    void aSessionWithoutATagIsFoundToo() throws Exception {
        var dora = new CallerId("dora", "acme");
        var id = opens(one, dora);
        var others = opens(one, new CallerId("dorian", "acme"));
        Databases.run(journal, "DELETE FROM event_tag WHERE tag LIKE 'owner:%'");

        assertThat(forget(two, dora).sessions()).isEqualTo(1);

        assertThat(rows(id)).isZero();
        assertThat(rows(others)).isPositive();
    }

    @Test
    void whatBrokeHalfWayIsDoneWhenItIsRepeated() throws Exception {
        var emil = new CallerId("emil", "acme");
        var first = opens(one, emil);
        var second = opens(one, emil);
        try (var broken = new JournalErasure(
                journal,
                SerializationExtension.get(one.system),
                (session, caller) -> session.equals(first) ? one.sessions.end(session, caller) : silence())) {
            assertThatThrownBy(() -> Rig.await(broken.forget(emil)))
                    .hasRootCauseMessage("gone")
                    .hasMessageNotContaining("emil");
        }
        assertThat(rows(first)).as("nothing goes before all have ended").isPositive();

        assertThat(forget(one, emil).sessions()).isEqualTo(2);
        assertThat(rows(first) + rows(second)).isZero();
    }

    private static CompletionStage<Answer> silence() {
        return CompletableFuture.failedFuture(new IllegalStateException("gone"));
    }

    @Test
    void aDatabaseThatIsGoneIsToldAndTheCallMayBeRepeated() throws Exception {
        var fritz = new CallerId("fritz", "acme");
        var id = opens(one, fritz);
        try (var gate = new Databases.Gate(postgres.getPort());
                var erasure = new JournalErasure(
                        gate.journal(), SerializationExtension.get(one.system), (session, caller) -> silence())) {
            gate.shut();

            assertThatThrownBy(() -> Rig.await(erasure.forget(fritz)))
                    .hasMessageContaining("the database does not answer")
                    .hasMessageNotContaining("fritz");
        }
        assertThat(rows(id)).isPositive();
    }

    /** The session itself has the last word. */
    @Test
    void aSessionThatSaysItIsSomebodyElsesIsNotEnded() throws Exception {
        var gerd = new CallerId("gerd", "acme");
        var hans = new CallerId("hans", "acme");
        var id = opens(one, gerd);
        Databases.run(
                journal,
                "UPDATE event_tag SET tag = '" + VoiceSession.ownerTag(hans) + "' WHERE tag = '"
                        + VoiceSession.ownerTag(gerd) + "'");

        forget(one, hans);

        assertThat(one.describes(id, gerd).session().phase()).isEqualTo("opening");
        assertThat(rows(id)).isPositive();
    }
}
