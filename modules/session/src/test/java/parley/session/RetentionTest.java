package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("cluster")
class RetentionTest {
    private static final Duration LONGEST = Duration.ofMinutes(30);
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private final BlockingQueue<SessionId> woken = new LinkedBlockingQueue<>();
    private volatile boolean leads = true;
    private Retention retention;

    @BeforeAll
    static void start() throws Exception {
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
        Databases.run(journal, "TRUNCATE event_journal, event_tag, snapshot, durable_state, turns");
    }

    @AfterEach
    void close() {
        if (retention != null) {
            retention.close();
        }
    }

    private void keeps(Journal database, Map<String, ?> settings) {
        var all = new java.util.HashMap<String, Object>();
        settings.forEach((key, value) -> all.put("parley.session.retention." + key, value));
        retention = Retention.start(
                database,
                Rig.privacy(all).retention(),
                new Sweep.Members() {
                    @Override
                    public boolean areLedByThisNode() {
                        return leads;
                    }

                    @Override
                    public Set<String> present() {
                        return Set.of();
                    }
                },
                woken::add,
                LONGEST,
                Clock.systemUTC());
    }

    private static SessionId opened(Duration ago) throws SQLException {
        var id = SessionId.mint(1);
        var key = "session|" + id;
        Databases.run(
                journal,
                row(key, 1, ago),
                row(key, 2, ago),
                "INSERT INTO event_tag SELECT ordering, 'owner:x' FROM event_journal WHERE sequence_number = 1 AND"
                        + " persistence_id = '" + key + "'",
                "INSERT INTO snapshot VALUES ('" + key + "', 2, 0, 0, '', '')",
                "INSERT INTO durable_state VALUES (DEFAULT, '" + key + "', 1, '', 0, '', '', 0)",
                "INSERT INTO turns VALUES ('" + id + "', 'item', 1, 'user', now(), 'hello', 1, 1, false)");
        return id;
    }

    private static SessionId ended(Duration ago) throws SQLException {
        var id = opened(ago.plus(Duration.ofMinutes(5)));
        Databases.run(
                journal,
                row("session|" + id, 3, ago),
                "INSERT INTO event_tag (event_id, tag) SELECT max(ordering), 'ended' FROM event_journal");
        return id;
    }

    private static String row(String persistenceId, int number, Duration ago) {
        return "INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, event_ser_id,"
                + " event_ser_manifest, event_payload) VALUES ('" + persistenceId + "', " + number + ", '', "
                + Instant.now().minus(ago).toEpochMilli() + ", 0, '', '')";
    }

    private static Set<String> in(String query) throws SQLException {
        return in(journal, query);
    }

    private static Set<String> in(Journal database, String query) throws SQLException {
        try (var connection = database.connect(Duration.ofSeconds(30));
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            var found = new HashSet<String>();
            while (rows.next()) {
                found.add(rows.getString(1).replace("session|", ""));
            }
            return found;
        }
    }

    private static Set<String> everywhere() throws SQLException {
        return in("SELECT persistence_id FROM event_journal UNION SELECT persistence_id FROM snapshot"
                + " UNION SELECT persistence_id FROM durable_state UNION SELECT session FROM turns");
    }

    private static Set<String> names(SessionId... ids) {
        var names = new HashSet<String>();
        for (var id : ids) {
            names.add(id.value());
        }
        return names;
    }

    @Test
    void whatEndedBeforeItsTimeIsDeletedEverywhereAndNothingElse() throws Exception {
        ended(Duration.ofDays(31));
        ended(Duration.ofDays(400));
        var young = ended(Duration.ofDays(29));
        var live = opened(Duration.ofMinutes(3));
        Databases.run(journal, row("flag|voice", 1, Duration.ofDays(99)));

        keeps(journal, Map.of());
        Rig.eventually(() -> retention.sessions() == 2);

        assertThat(everywhere())
                .isEqualTo(
                        in("SELECT * FROM (VALUES ('flag|voice'), ('" + young + "'), ('" + live + "')) AS expected"));
        assertThat(in("SELECT tag || event_id FROM event_tag")).hasSize(3);
        Rig.eventually(() -> retention.rows() == 2 * (3 + 2 + 1 + 1 + 1));
        assertThat(retention.failures()).isZero();
        assertThat(woken).isEmpty();
    }

    @Test
    void whatWasOpenedLongAgoAndNeverEndedIsWokenAndStays() throws Exception {
        var forgotten = opened(Duration.ofDays(90));

        keeps(journal, Map.of());

        assertThat(woken.poll(60, TimeUnit.SECONDS)).isEqualTo(forgotten);
        Rig.eventually(() -> retention.runs() == 1);
        assertThat(everywhere()).isEqualTo(names(forgotten));
    }

    /** Opened before the time, but ended after it. */
    @Test
    void theEndCountsAndNotTheBeginning() throws Exception {
        var id = opened(Duration.ofDays(31));
        Databases.run(
                journal,
                row("session|" + id, 3, Duration.ofDays(29)),
                "INSERT INTO event_tag (event_id, tag) SELECT max(ordering), 'ended' FROM event_journal");
        ended(Duration.ofDays(30).plusMinutes(1));

        keeps(journal, Map.of());
        Rig.eventually(() -> retention.sessions() == 1);

        assertThat(everywhere()).isEqualTo(names(id));
        assertThat(woken).isEmpty();
    }

    /** By its name a caller finds the session; the name outlives it by no more than one session. */
    @Test
    void anInterviewGoesWithItsLastSession() throws Exception {
        var month = Duration.ofDays(30);
        for (int i = 0; i < 5; i++) {
            named("old-" + i, month.plus(LONGEST).plusMinutes(2));
        }
        named("young", Duration.ofDays(29));
        // Its session may have ended less than a month ago.
        named("perhaps", month.plus(LONGEST).minusMinutes(1));
        named("again", Duration.ofDays(90), Duration.ofDays(60), Duration.ofDays(2));

        keeps(journal, Map.of("batch", 2));
        Rig.eventually(() -> retention.rows() == 5 * 2);

        assertThat(in("SELECT persistence_id || sequence_number FROM event_journal"))
                .isEqualTo(Set.of(
                        "interview|young1",
                        "interview|perhaps1",
                        "interview|again1",
                        "interview|again2",
                        "interview|again3"));
        assertThat(in("SELECT persistence_id FROM snapshot"))
                .isEqualTo(Set.of("interview|young", "interview|perhaps", "interview|again"));
        assertThat(retention.failures()).isZero();
    }

    /** @param ago when it named its first session, its second one … */
    private static void named(String interview, Duration... ago) throws SQLException {
        var key = "interview|" + interview;
        for (int i = 0; i < ago.length; i++) {
            Databases.run(journal, row(key, i + 1, ago[i]));
        }
        Databases.run(
                journal,
                "INSERT INTO snapshot VALUES ('" + key + "', 1, "
                        + Instant.now().minus(ago[0]).toEpochMilli() + ", 0, '', '')");
    }

    @Test
    void manyAreDeletedInBatches() throws Exception {
        for (int i = 0; i < 7; i++) {
            ended(Duration.ofDays(31 + i));
        }
        var live = opened(Duration.ofDays(33));

        keeps(journal, Map.of("batch", 2));
        Rig.eventually(() -> retention.sessions() == 7);

        assertThat(everywhere()).isEqualTo(names(live));
        assertThat(retention.runs()).isEqualTo(1);
    }

    @Test
    void wordsOutsideTheJournalMayGoEarlier() throws Exception {
        var young = ended(Duration.ofDays(3));
        var old = ended(Duration.ofDays(8));
        var open = opened(Duration.ofDays(8));

        keeps(journal, Map.of("transcripts", "7d", "every", "1s"));
        Rig.eventually(() -> retention.rows() == 1);

        assertThat(in("SELECT session FROM turns")).isEqualTo(names(young, open));
        assertThat(in("SELECT persistence_id FROM event_journal")).isEqualTo(names(young, old, open));
        // The open one is looked at until it has ended; what is behind it as well.
        Databases.run(
                journal,
                row("session|" + open, 3, Duration.ofDays(7).plusMinutes(1)),
                "INSERT INTO event_tag (event_id, tag) SELECT max(ordering), 'ended' FROM event_journal");
        Rig.eventually(() -> retention.rows() == 2);
        assertThat(in("SELECT session FROM turns")).isEqualTo(names(young));
    }

    @Test
    void forEverIsForEver() throws Exception {
        var old = ended(Duration.ofDays(4000));

        keeps(journal, Map.of("journal", "0", "transcripts", "0"));

        assertThat(woken.poll(1500, TimeUnit.MILLISECONDS)).isNull();
        assertThat(retention.runs()).isZero();
        assertThat(everywhere()).isEqualTo(names(old));
    }

    @Test
    void onlyTheNodeThatLeadsDeletes() throws Exception {
        leads = false;
        ended(Duration.ofDays(31));
        keeps(journal, Map.of());
        assertThat(woken.poll(1500, TimeUnit.MILLISECONDS)).isNull();
        assertThat(retention.runs()).isZero();

        leads = true;

        Rig.eventually(() -> retention.sessions() == 1);
    }

    @Test
    void whatFailsIsDoneAtTheNextTime() throws Exception {
        ended(Duration.ofDays(31));
        try (var gate = new Databases.Gate(postgres.getPort())) {
            gate.shut();
            keeps(gate.journal(), Map.of("every", "1s"));
            Rig.eventually(() -> retention.failures() > 0);

            gate.open();

            Rig.eventually(() -> retention.sessions() == 1);
        }
    }

    @Test
    void theLookStaysOnItsIndexHoweverLongTheHistoryIs() throws Exception {
        Databases.run(
                journal,
                "INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, event_ser_id,"
                        + " event_ser_manifest, event_payload)"
                        + " SELECT 'session|sess_000' || lpad(s::text, 19, '0'), e, '',"
                        + " (extract(epoch FROM now()) * 1000)::bigint - (20000 - s) * 10000::bigint, 0, '', ''"
                        + " FROM generate_series(1, 20000) s, generate_series(1, 3) e ORDER BY s, e",
                "INSERT INTO event_tag (event_id, tag) SELECT ordering, 'ended' FROM event_journal"
                        + " WHERE sequence_number = 3",
                "ANALYZE event_journal",
                "ANALYZE event_tag");
        long before = Instant.now().minus(Duration.ofDays(30)).toEpochMilli();

        assertThat(plan(Retention.OPENED_BEFORE, before, Long.MIN_VALUE, "", "session|", 500))
                .contains("event_journal_first_idx", "event_journal_pkey")
                .doesNotContain("Seq Scan");
        assertThat(plan(Retention.LAST_HELD_BEFORE, before, "interview|", before, 500))
                .contains("event_journal_first_idx", "event_journal_pkey")
                .doesNotContain("Seq Scan");
    }

    private static String plan(String query, Object... parameters) throws SQLException {
        var plan = new ArrayList<String>();
        try (var connection = journal.connect(Duration.ofSeconds(30));
                var explained = connection.prepareStatement("EXPLAIN " + query)) {
            for (int i = 0; i < parameters.length; i++) {
                explained.setObject(i + 1, parameters[i]);
            }
            try (var rows = explained.executeQuery()) {
                while (rows.next()) {
                    plan.add(rows.getString(1));
                }
            }
        }
        return String.join("\n", plan);
    }

    /** In a database that has what the migrations make, and nothing else. */
    @Test
    void everyTableIsKnown() throws Exception {
        Databases.run(journal, "CREATE DATABASE migrated");
        var migrated = Journal.at("postgresql://postgres:postgres@127.0.0.1:" + postgres.getPort() + "/migrated");
        migrated.migrate();
        var places = new HashSet<>(Set.of(Traces.TAGS + ".event_id"));
        Traces.PLACES.forEach(place -> places.add(place.table() + "." + place.column()));
        var tables = in(
                migrated,
                "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
                        + " AND table_type = 'BASE TABLE'");
        var columns = in(
                migrated,
                "SELECT table_name || '.' || column_name FROM information_schema.columns"
                        + " WHERE table_schema = current_schema()");
        tables.removeAll(HOLD_NOBODY);

        assertThat(tables)
                .allSatisfy(table -> assertThat(places.stream().filter(place -> place.startsWith(table + ".")))
                        .as("a table is named in Traces, with its column, or holds nobody")
                        .isNotEmpty()
                        .allMatch(columns::contains));
    }

    /** Tables that hold nothing of a session or a user. */
    private static final List<String> HOLD_NOBODY =
            List.of("session_migrations", "used_once", "pekko_projection_offset_store", "pekko_projection_management");
}
