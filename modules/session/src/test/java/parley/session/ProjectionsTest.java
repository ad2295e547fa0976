package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Arm;
import parley.session.Sessions.Opening;

/** O9: what is told from the journal, by nodes that come and go. */
@Tag("cluster")
class ProjectionsTest {
    private static final Opening OPENING = new Opening(Facts.ANNA, Face.REALTIME, Arm.VOICE, "usual", null, null);
    private static EmbeddedPostgres postgres;
    private static Journal journal;

    @BeforeAll
    static void start() throws IOException {
        postgres = Databases.start();
        journal = Databases.journal(postgres.getPort());
        journal.migrate();
    }

    @AfterAll
    static void stop() throws IOException {
        postgres.close();
    }

    @BeforeEach
    void empty() throws SQLException {
        Databases.run(
                journal,
                "TRUNCATE event_journal, event_tag, snapshot, sessions, turns, costs, interviews,"
                        + " pekko_projection_offset_store");
    }

    private static List<String> rows(String query) {
        var rows = new ArrayList<String>();
        try (var connection = journal.connect(Duration.ofSeconds(30));
                var statement = connection.createStatement();
                var found = statement.executeQuery(query)) {
            while (found.next()) {
                var row = new ArrayList<String>();
                for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
                    row.add(String.valueOf(found.getString(i)));
                }
                rows.add(String.join(" | ", row));
            }
        } catch (SQLException failed) {
            throw new AssertionError(failed);
        }
        return rows;
    }

    private static void awaits(String query, String... rows) {
        Rig.eventually(() -> rows(query).equals(List.of(rows)));
    }

    /** Three turns that are answered, each for 0.007206 USD; then the caller hangs up. */
    private static void converses(TestNode node, SessionId id) {
        var caller = node.calls(id, TestNode.as(Facts.ANNA, false), 0);
        var provider = node.provider.called().taken();
        provider.says(Events.created());
        for (int turn = 1; turn <= 3; turn++) {
            provider.says(
                    Events.itemDone(Events.userItem("u" + turn, "hello")),
                    Events.begun("r" + turn),
                    Events.audio("r" + turn, "a" + turn, 20),
                    Events.outputItemDone("r" + turn, Events.agentItem("a" + turn, "completed", "hello to you")),
                    Events.done("r" + turn, "completed"));
            caller.hears("response.done");
        }
        caller.hangsUp(1000, "");
        provider.ended();
    }

    private static SessionId ofSlice(TestNode node, int slice) {
        var id = node.sessions.mint();
        while (!Projections.slice(id).equals("sessions-" + slice)) {
            id = node.sessions.mint();
        }
        return id;
    }

    private static String whole(SessionId id) {
        return "SELECT s.end_reason, s.turns, s.cost_usd, i.realtime_cost_usd,"
                + " (SELECT count(*) FROM turns WHERE session = s.id),"
                + " (SELECT count(*) FROM costs WHERE session = s.id)"
                + " FROM sessions s JOIN interviews i ON i.session = s.id WHERE s.id = '" + id + "'";
    }

    private static final String WHOLE = "caller_left | 6 | 0.021618 | 0.021618 | 6 | 3";

    @Test
    void whatIsSaidAndSpentIsSoonInTheTables() {
        try (var node = TestNode.start(journal)) {
            var id = node.sessions.mint();
            converses(node, id);

            awaits(whole(id), WHOLE);
            assertThat(rows("SELECT tenant, user_id, face, arm, model, provider, node FROM sessions"))
                    .containsExactly("acme | anna | realtime | voice | usual | fake | " + node.name());
            var day = LocalDate.now(java.time.ZoneOffset.UTC);
            var report = Rig.await(node.sessions
                    .costs()
                    .report(new Costs.Question(Costs.By.SESSION, day.minusDays(1), day, null, null, 10)));
            assertThat(report.rows()).extracting(Costs.Row::key).containsExactly(id.value());
            assertThat(report.totalUsd()).isEqualTo(new BigDecimal("0.021618"));
            // What the tags cost: each is some 100 bytes with its index.
            int events =
                    Integer.parseInt(rows("SELECT count(*) FROM event_journal").getFirst());
            int tags = Integer.parseInt(rows("SELECT count(*) FROM event_tag WHERE tag LIKE 'sessions-%'")
                    .getFirst());
            assertThat(tags).as("tags of %s events", events).isLessThanOrEqualTo(events);
            assertThat(rows("SELECT count(*) FROM event_tag WHERE tag = 'ended'"))
                    .containsExactly("1");
        }
    }

    @Test
    void whenANodeGoesTheOthersTellOnAndNothingTwice() {
        var sessions = new ArrayList<SessionId>();
        try (var second = startsSecond(sessions)) {
            for (int slice = 0; slice < Projections.SLICES; slice++) {
                var id = ofSlice(second, slice);
                sessions.add(id);
                converses(second, id);
            }

            for (var id : sessions) {
                awaits(whole(id), WHOLE);
            }
        }
        assertThat(rows("SELECT sum(cost_micros) FROM costs")).containsExactly(Integer.toString(8 * 3 * 7206));
    }

    /** Two nodes tell, in the middle of which the first one goes. */
    private static TestNode startsSecond(List<SessionId> sessions) {
        try (var first = TestNode.start(journal)) {
            var second = TestNode.join(first, journal);
            for (int slice = 0; slice < Projections.SLICES; slice++) {
                var id = ofSlice(first, slice);
                sessions.add(id);
                converses(first, id);
            }
            return second;
        }
    }

    @Test
    void afterARestartNothingIsToldTwiceEvenFromTheBeginning() throws Exception {
        SessionId id;
        try (var node = TestNode.start(journal)) {
            id = node.sessions.mint();
            converses(node, id);
            awaits(whole(id), WHOLE);
        }
        Databases.run(journal, "DELETE FROM pekko_projection_offset_store");

        try (var node = TestNode.start(journal)) {
            var another = node.sessions.mint();
            converses(node, another);

            awaits(whole(another), WHOLE);
            awaits("SELECT sum(behind_seconds) FROM projection_lag", "0");
            assertThat(rows(whole(id))).containsExactly(WHOLE);
        }
    }

    @Test
    void aFactThatCannotBeToldHoldsUpItsSliceVisiblyAndNoOther() throws Exception {
        try (var node = TestNode.start(journal)) {
            var held = ofSlice(node, 1);
            var free = ofSlice(node, 2);
            Databases.run(
                    journal,
                    "INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, event_ser_id,"
                            + " event_ser_manifest, event_payload) VALUES ('session|" + ofSlice(node, 1) + "', 1, '',"
                            + " 0, 987654, 'nobody', '')",
                    "INSERT INTO event_tag SELECT max(ordering), 'sessions-1' FROM event_journal");
            Rig.await(node.sessions.open(held, OPENING));
            Rig.await(node.sessions.end(held, Facts.ANNA));
            Rig.await(node.sessions.open(free, OPENING));
            Rig.await(node.sessions.end(free, Facts.ANNA));

            awaits("SELECT id, end_reason FROM sessions", free + " | ended_by_caller");
            assertThat(rows("SELECT slice FROM projection_lag WHERE behind_seconds > 0"))
                    .contains("sessions-1");

            Databases.run(
                    journal,
                    "DELETE FROM event_tag WHERE event_id IN (SELECT ordering FROM event_journal WHERE event_ser_id ="
                            + " 987654)");

            awaits("SELECT end_reason FROM sessions WHERE id = '" + held + "'", "ended_by_caller");
        }
    }

    @Test
    void factsOfEarlierReleasesGetTheirSlice() throws Exception {
        try (var other = Databases.start()) {
            var old = Databases.journal(other.getPort());
            old.migrate();
            // As it was before: no tags but the ends.
            var ids = List.of(
                    "sess_0000000000000000000000", "sess_3e70000000000000000000", "sess_0fa0000000000000000000");
            var insert = new ArrayList<String>();
            for (var id : ids) {
                insert.add("INSERT INTO event_journal (persistence_id, sequence_number, writer, event_ser_id,"
                        + " event_ser_manifest, event_payload) VALUES ('session|" + id + "', 1, '', 0,"
                        + " 'parley.session.SessionEvent$Opened', '')");
            }
            insert.add("INSERT INTO event_journal (persistence_id, sequence_number, writer, event_ser_id,"
                    + " event_ser_manifest, event_payload) VALUES ('flag|voice', 1, '', 0, 'x', '')");
            Databases.run(old, insert.toArray(String[]::new));
            Databases.run(old, backfill());

            var tags = new HashMap<String, String>();
            try (var connection = old.connect(Duration.ofSeconds(30));
                    var statement = connection.createStatement();
                    var found = statement.executeQuery(
                            "SELECT persistence_id, tag FROM event_tag JOIN event_journal ON ordering = event_id")) {
                while (found.next()) {
                    tags.put(found.getString(1), found.getString(2));
                }
            }
            var expected = new HashMap<String, String>();
            ids.forEach(id -> expected.put("session|" + id, Projections.slice(new SessionId(id))));
            assertThat(tags).isEqualTo(Map.copyOf(expected));
        }
    }

    /** The migration's last statement. */
    private static String backfill() throws IOException {
        try (var file = Journal.class.getResourceAsStream("migrations/V4__costs.sql")) {
            var sql = new String(
                    java.util.Objects.requireNonNull(file).readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            return sql.substring(sql.indexOf("INSERT INTO event_tag"));
        }
    }
}
