package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Arm;
import parley.admission.CallerId;

@Tag("cluster")
class SessionTablesTest {
    private static final String ID = "sess_0010000000000000000000";
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private Connection connection;
    private SessionTables tables;
    private long number;

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
        Databases.run(journal, "TRUNCATE sessions, turns, costs, interviews");
        connection = journal.connect(Duration.ofMinutes(1));
        tables = new SessionTables(connection);
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    private void tell(SessionEvent... events) throws SQLException {
        for (var event : events) {
            tables.tell(ID, ++number, event);
        }
    }

    private static SessionEvent.Told told(SessionEvent... facts) {
        return new SessionEvent.Told(1, List.of(facts), Rig.NOON);
    }

    private List<String> rows(String query) throws SQLException {
        var rows = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var found = statement.executeQuery(query)) {
            while (found.next()) {
                var row = new ArrayList<String>();
                for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
                    row.add(String.valueOf(found.getString(i)));
                }
                rows.add(String.join(" | ", row));
            }
        }
        return rows;
    }

    @Test
    void aSessionHasARowFromItsOpeningOn() throws Exception {
        tell(Facts.OPENED, Facts.HOSTED, Facts.UPSTREAM, Facts.ENDED);

        assertThat(rows("SELECT id, tenant, user_id, face, arm, model, provider, node, opened AT TIME ZONE 'UTC',"
                        + " ended AT TIME ZONE 'UTC', end_reason, turns, cost_usd FROM sessions"))
                .containsExactly(ID + " | acme | anna | voice | voice | usual | fake | pekko://here"
                        + " | 2026-11-20 12:00:00 | 2026-11-20 12:00:00 | provider_lost | 0 | 0");
    }

    /** O8. */
    @Test
    void theCostOfAnInterviewIsNeverNull() throws Exception {
        tell(Facts.OPENED);

        assertThat(rows("SELECT id, session, realtime_cost_usd FROM interviews"))
                .containsExactly(ID + " | " + ID + " | 0");
        assertThat(rows("SELECT is_nullable, column_default, data_type FROM information_schema.columns"
                        + " WHERE table_name = 'interviews' AND column_name = 'realtime_cost_usd'"))
                .containsExactly("NO | 0 | numeric");

        tell(told(Facts.SPENT), told(Facts.SPENT));

        assertThat(rows("SELECT realtime_cost_usd, tenant FROM interview_sessions"))
                .containsExactly("0.014412 | acme");
    }

    /** F2, O8: one row, whatever sessions it was held in; and another tenant's of the same name is another. */
    @Test
    void anInterviewHasOneCostForAllItsSessions() throws Exception {
        var second = ID.substring(0, ID.length() - 1) + "2";
        var foreign = ID.substring(0, ID.length() - 1) + "3";
        tables.tell(ID, 1, interview("acme"));
        tables.tell(second, 1, interview("acme"));
        tables.tell(foreign, 1, interview("other"));
        for (var session : List.of(ID, second, foreign, ID)) {
            tables.tell(session, ++number + 1, told(Facts.SPENT));
        }

        assertThat(rows("SELECT tenant, id, session, realtime_cost_usd FROM interviews ORDER BY tenant"))
                .containsExactly(
                        "acme | int-1 | " + second + " | 0.021618", "other | int-1 | " + foreign + " | 0.007206");
        assertThat(rows("SELECT interview, count(*) FROM sessions GROUP BY 1")).containsExactly("int-1 | 3");
    }

    private static SessionEvent interview(String tenant) {
        return new SessionEvent.Opened(
                new CallerId("anna", tenant), Face.VOICE, Arm.VOICE, "usual", Rig.NOON, null, null, "int-1");
    }

    @Test
    void turnsAreToldAsTheyWereSaidAndHeard() throws Exception {
        tell(
                Facts.OPENED,
                told(Facts.USER_SAID, Facts.BEGAN, Facts.AGENT_SAID),
                told(Facts.TRANSCRIBED, Facts.CUT),
                told(Facts.CALLED, Facts.ANSWERED));

        assertThat(rows("SELECT number, item, role, text, spoken_ms, heard_ms, interrupted FROM turns ORDER BY number"))
                .containsExactly(
                        "1 | item_u | user | hello | 1500 | 1500 | f",
                        "2 | item_a | agent | one two three four | 2000 | 1000 | t",
                        "3 | item_c | tool_call | {} | 0 | 0 | f",
                        "4 | item_r | tool_result | noon | 0 | 0 | f");
        assertThat(rows("SELECT turns FROM sessions")).containsExactly("4");

        tell(told(Facts.DELETED));

        assertThat(rows("SELECT turns FROM sessions")).containsExactly("3");
    }

    @Test
    void aCostIsARowAndPartOfTheSessionsSum() throws Exception {
        tell(Facts.OPENED, told(Facts.USER_SAID, Facts.SPENT), told(Facts.SPENT));

        assertThat(rows("SELECT event, part, day, tenant, source, model, price_version, text_in, text_cached, audio_in,"
                        + " audio_cached, image_in, image_cached, text_out, audio_out, transcribed_seconds, cost_micros"
                        + " FROM costs ORDER BY event"))
                .containsExactly(
                        "2 | 1 | 2026-11-20 | acme | resp_1 | usual | v1 | 119 | 64 | 13 | 0 | 0 | 0 | 30 | 91 | 1.5 | 7206",
                        "3 | 0 | 2026-11-20 | acme | resp_1 | usual | v1 | 119 | 64 | 13 | 0 | 0 | 0 | 30 | 91 | 1.5 | 7206");
        assertThat(rows("SELECT text_in, text_cached, audio_in, text_out, audio_out, transcribed_seconds, cost_usd"
                        + " FROM sessions"))
                .containsExactly("238 | 128 | 26 | 60 | 182 | 3 | 0.014412");
    }

    @Test
    void whatIsToldAgainChangesNothing() throws Exception {
        var story = new SessionEvent[] {
            Facts.OPENED, Facts.HOSTED, Facts.TOLD, told(Facts.TRANSCRIBED, Facts.AGENT_SAID, Facts.CUT), Facts.ENDED
        };
        var all = "SELECT s.*, t.*, c.*, i.* FROM sessions s, turns t, costs c, interviews i ORDER BY t.number";
        tell(story);
        var once = rows(all);

        number = 0;
        tell(story);

        assertThat(once).hasSize(2);
        assertThat(rows(all)).isEqualTo(once);
    }

    @Test
    void noTextOrNameHoldsUpTheOthers() throws Exception {
        var odd = "\0" + "x".repeat(20_000);
        tell(
                new SessionEvent.Opened(new CallerId(odd, odd), Face.REALTIME, Arm.CONTROL, odd, Rig.NOON, null, null),
                new SessionEvent.Hosted("", Rig.NOON),
                told(
                        new SessionEvent.UserSaid(odd, odd, 1, Rig.NOON),
                        new SessionEvent.UserTranscribed(odd, "\0\ud800 lone", Rig.NOON),
                        new SessionEvent.AgentSaid("\0", odd, 10, Rig.NOON),
                        new SessionEvent.AgentCut(odd, -1, Rig.NOON),
                        new SessionEvent.ItemDeleted("nobody", Rig.NOON),
                        new SessionEvent.Spent(odd, Tokens.NONE, odd, odd, 0, Rig.NOON)));

        assertThat(rows("SELECT turns, length(tenant) < 200 FROM sessions")).containsExactly("2 | t");
        assertThat(rows("SELECT count(*) FROM costs")).containsExactly("1");
    }

    @Test
    void aCostOfASessionWhoseOpeningIsNotKnownIsKept() throws Exception {
        tell(told(Facts.SPENT));

        assertThat(rows("SELECT tenant, cost_micros FROM costs")).containsExactly("unknown | 7206");
    }

    @Test
    void onlyWhatHasARowIsTaggedForIt() {
        var silent = List.of(
                Facts.HANDED_OVER,
                Facts.ATTACHED,
                Facts.DETACHED,
                Facts.LOST,
                Facts.CONFIGURED,
                Facts.BEGAN,
                Facts.HEARD,
                Facts.ENDED_ANSWER,
                Facts.WARNED);

        assertThat(Facts.ALL.stream().filter(fact -> !SessionTables.tellOf(fact)))
                .containsExactlyInAnyOrderElementsOf(silent);
        assertThat(SessionTables.tellOf(told(Facts.BEGAN, Facts.HEARD))).isFalse();
        assertThat(SessionTables.tellOf(told(Facts.BEGAN, Facts.SPENT))).isTrue();
    }
}
