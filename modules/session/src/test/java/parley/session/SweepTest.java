package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
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
class SweepTest {
    private static final Duration MAX_LENGTH = Duration.ofMinutes(30);
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private final BlockingQueue<SessionId> woken = new LinkedBlockingQueue<>();
    private final FakeMembers members = new FakeMembers();
    private Sweep sweep;

    /** What the test says of the cluster. */
    private static final class FakeMembers implements Sweep.Members {
        private volatile boolean led = true;
        private volatile Set<String> present = Set.of("one", "two");

        @Override
        public boolean areLedByThisNode() {
            return led;
        }

        @Override
        public Set<String> present() {
            return present;
        }
    }

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
        Databases.run(journal, "TRUNCATE event_journal, event_tag");
    }

    @AfterEach
    void close() {
        if (sweep != null) {
            sweep.close();
        }
    }

    private void sweeps(Journal database, Map<String, ?> settings) {
        sweep = Sweep.start(
                database,
                JournalSettings.from(ConfigFactory.parseMap(settings)
                        .atPath("parley.session.journal.sweep")
                        .withFallback(ConfigFactory.defaultReference())
                        .resolve()),
                MAX_LENGTH,
                members,
                woken::add,
                Clock.systemUTC());
    }

    private static SessionId opened(Duration ago) throws SQLException {
        var id = SessionId.mint(1);
        Databases.run(journal, row("session|" + id, 1, ago), row("session|" + id, 2, ago));
        return id;
    }

    private static void end(SessionId id) throws SQLException {
        Databases.run(
                journal,
                row("session|" + id, 3, Duration.ZERO),
                "INSERT INTO event_tag (event_id, tag) SELECT max(ordering), 'ended' FROM event_journal");
    }

    private static String row(String persistenceId, int number, Duration ago) {
        return "INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, event_ser_id,"
                + " event_ser_manifest, event_payload) VALUES ('" + persistenceId + "', " + number + ", '', "
                + Instant.now().minus(ago).toEpochMilli() + ", 0, '', '')";
    }

    private Set<SessionId> wakes(int count) throws InterruptedException {
        var ids = new HashSet<SessionId>();
        for (int i = 0; i < count; i++) {
            var id = woken.poll(60, TimeUnit.SECONDS);
            assertThat(id).isNotNull();
            ids.add(id);
        }
        return ids;
    }

    private void wakesNobodyElse() throws InterruptedException {
        assertThat(woken.poll(1500, TimeUnit.MILLISECONDS)).isNull();
    }

    @Test
    void whatWasOpenedAndHasNotEndedIsWoken() throws Exception {
        var open = opened(Duration.ofMinutes(3));
        end(opened(Duration.ofMinutes(2)));
        var another = opened(Duration.ZERO);
        Databases.run(journal, row("flag|voice", 1, Duration.ZERO), row("session|not-one", 1, Duration.ZERO));

        sweeps(journal, Map.of());

        assertThat(wakes(2)).containsExactlyInAnyOrder(open, another);
        wakesNobodyElse();
        assertThat(sweep.woken()).isEqualTo(2);
        assertThat(sweep.looks()).isEqualTo(1);
    }

    @Test
    void theFirstLookGoesBackADayAndTheOthersOnlyAsFarAsASessionCanLive() throws Exception {
        var forgotten = opened(Duration.ofHours(3));
        var open = opened(Duration.ofMinutes(3));
        opened(Duration.ofDays(2));

        sweeps(journal, Map.of("every", "1s", "slack", "1s"));

        assertThat(wakes(2)).containsExactlyInAnyOrder(forgotten, open);
        assertThat(wakes(1)).containsExactly(open);
    }

    @Test
    void aMemberThatLeavesIsAReasonToLook() throws Exception {
        var before = opened(Duration.ofMinutes(3));
        sweeps(journal, Map.of());
        assertThat(wakes(1)).containsExactly(before);
        var open = opened(Duration.ZERO);
        members.present = Set.of("one", "two", "three");
        wakesNobodyElse();

        members.present = Set.of("one", "three");

        assertThat(wakes(2)).containsExactlyInAnyOrder(before, open);
    }

    @Test
    void onlyTheNodeThatLeadsLooks() throws Exception {
        members.led = false;
        var open = opened(Duration.ZERO);
        sweeps(journal, Map.of());
        wakesNobodyElse();
        assertThat(sweep.looks()).isZero();

        members.led = true;

        assertThat(wakes(1)).containsExactly(open);
    }

    @Test
    void ofManyItTakesSomeAtATimeUntilItHasThemAll() throws Exception {
        var all = new ArrayList<SessionId>();
        for (int i = 0; i < 7; i++) {
            all.add(opened(Duration.ofMinutes(7 - i)));
        }

        sweeps(journal, Map.of("sessions", 3));

        var found = new ArrayList<SessionId>();
        for (int i = 0; i < 7; i++) {
            found.addAll(wakes(1));
        }
        assertThat(found).isEqualTo(all);
        wakesNobodyElse();
        assertThat(sweep.looks()).isEqualTo(3);
    }

    @Test
    void aLookThatFailsIsRepeatedAndReachesAsFarBack() throws Exception {
        var forgotten = opened(Duration.ofHours(3));
        try (var gate = new Databases.Gate(postgres.getPort())) {
            gate.shut();
            sweeps(gate.journal(), Map.of("every", "1s", "slack", "1s"));
            for (int i = 0; i < 200 && sweep.failures() == 0; i++) {
                assertThat(woken.poll(100, TimeUnit.MILLISECONDS)).isNull();
            }
            assertThat(sweep.failures()).isPositive();

            gate.open();

            assertThat(wakes(1)).containsExactly(forgotten);
        }
    }

    @Test
    void theLookStaysOnItsIndexesHoweverLongTheHistoryIs() throws Exception {
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
        var plan = new ArrayList<String>();
        try (var connection = journal.connect(Duration.ofSeconds(10));
                var query = connection.prepareStatement("EXPLAIN " + Sweep.UNENDED)) {
            query.setLong(1, Instant.now().minus(MAX_LENGTH).toEpochMilli());
            query.setLong(2, 0);
            query.setString(3, "session|");
            query.setInt(4, 1000);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    plan.add(rows.getString(1));
                }
            }
        }

        assertThat(String.join("\n", plan))
                .contains("event_journal_first_idx", "event_journal_ordering_idx", "event_tag_pkey")
                .doesNotContain("Seq Scan on event_journal");
    }

    @Test
    void aMigrationMayRunOnSeveralNodesWhileOthersWrite() throws Exception {
        try (var other = Databases.start()) {
            var database = Databases.journal(other.getPort());
            var failures = new ArrayList<Throwable>();
            var nodes = new ArrayList<Thread>();
            for (int i = 0; i < 3; i++) {
                nodes.add(Thread.ofPlatform()
                        .uncaughtExceptionHandler((thread, failed) -> {
                            synchronized (failures) {
                                failures.add(failed);
                            }
                        })
                        .start(database::migrate));
            }
            for (var node : nodes) {
                assertThat(node.join(Duration.ofMinutes(1))).isTrue();
            }

            assertThat(failures).isEqualTo(List.of());
        }
    }
}
