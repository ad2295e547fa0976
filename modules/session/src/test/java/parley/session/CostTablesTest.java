package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.session.Costs.By;
import parley.session.Costs.Question;

/** O9. */
@Tag("cluster")
class CostTablesTest {
    private static final LocalDate FIRST = LocalDate.of(2026, 5, 1);
    private static final LocalDate LAST = LocalDate.of(2026, 5, 31);
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private CostTables costs;

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
    void fill() throws SQLException {
        costs = new CostTables(journal);
        Databases.run(
                journal,
                "TRUNCATE costs, event_journal, event_tag, pekko_projection_offset_store",
                cost("s1", 1, "2026-04-30", "acme", 1),
                cost("s1", 2, "2026-05-01", "acme", 10),
                cost("s1", 3, "2026-05-02", "acme", 100),
                cost("s2", 1, "2026-05-02", "Zeta", 1000),
                cost("s3", 1, "2026-05-31", "ärger", 10000),
                cost("s3", 2, "2026-06-01", "ärger", 100000));
    }

    @AfterEach
    void close() {
        costs.close();
    }

    private static String cost(String session, int event, String day, String tenant, long micros) {
        return "INSERT INTO costs VALUES ('" + session + "', " + event + ", 0, '" + day + "T12:00:00Z', '" + day
                + "', '" + tenant + "', 'r', 'm', 'v', 9, 8, 7, 6, 5, 4, 3, 2, 1.5, " + micros + ")";
    }

    private Costs.Report asks(By by, @Nullable String tenant, @Nullable String after, int rows) {
        return Rig.await(costs.report(new Question(by, FIRST, LAST, tenant, after, rows)));
    }

    private static Costs.Row row(String key, @Nullable String tenant, long sessions, int times, String usd) {
        return new Costs.Row(
                key,
                tenant,
                sessions,
                9L * times,
                8L * times,
                7L * times,
                6L * times,
                5L * times,
                4L * times,
                3L * times,
                2L * times,
                1.5 * times,
                new BigDecimal(usd));
    }

    @Test
    void daysTenantsAndSessionsAreSummedFromTheFirstDayToTheLast() {
        assertThat(asks(By.DAY, null, null, 10).rows())
                .containsExactly(
                        row("2026-05-01", null, 1, 1, "0.000010"),
                        row("2026-05-02", null, 2, 2, "0.001100"),
                        row("2026-05-31", null, 1, 1, "0.010000"));
        assertThat(asks(By.TENANT, null, null, 10).rows())
                .containsExactly(
                        row("Zeta", null, 1, 1, "0.001000"),
                        row("acme", null, 1, 2, "0.000110"),
                        row("ärger", null, 1, 1, "0.010000"));
        var bySession = asks(By.SESSION, null, null, 10);
        assertThat(bySession.rows())
                .containsExactly(
                        row("s1", "acme", 1, 2, "0.000110"),
                        row("s2", "Zeta", 1, 1, "0.001000"),
                        row("s3", "ärger", 1, 1, "0.010000"));
        assertThat(bySession.totalUsd()).isEqualByComparingTo("0.01111");
        assertThat(bySession.next()).isNull();
        assertThat(bySession.behind()).isZero();
    }

    @Test
    void oneTenantsCostsMayBeAskedFor() {
        var report = asks(By.DAY, "acme", null, 10);

        assertThat(report.rows()).extracting(Costs.Row::key).containsExactly("2026-05-01", "2026-05-02");
        assertThat(report.totalUsd()).isEqualByComparingTo("0.00011");
        assertThat(asks(By.DAY, "' OR 1=1 --", null, 10).rows()).isEmpty();
    }

    @Test
    void pagesFollowEachOtherAndEachHasTheTotalOfAll() {
        for (var by : By.values()) {
            var keys = new ArrayList<String>();
            String after = null;
            do {
                var page = asks(by, null, after, 1);
                assertThat(page.rows()).hasSize(1);
                assertThat(page.totalUsd()).isEqualByComparingTo("0.01111");
                keys.add(page.rows().getFirst().key());
                after = page.next();
            } while (after != null);

            assertThat(keys)
                    .isEqualTo(asks(by, null, null, 10).rows().stream()
                            .map(Costs.Row::key)
                            .toList());
        }
    }

    @Test
    void aReportSaysHowOldTheOldestFactIsThatIsNotInIt() throws Exception {
        Databases.run(
                journal,
                "INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, event_ser_id,"
                        + " event_ser_manifest, event_payload) VALUES ('session|x', 1, '',"
                        + " (extract(epoch FROM now()) * 1000)::bigint - 90000, 0, '', '')",
                "INSERT INTO event_tag SELECT ordering, 'sessions-2' FROM event_journal");

        assertThat(asks(By.DAY, null, null, 10).behind()).isBetween(Duration.ofSeconds(89), Duration.ofMinutes(30));

        Databases.run(
                journal,
                "INSERT INTO pekko_projection_offset_store SELECT 'sessions', 'sessions-2', ordering::text, 'SEQ',"
                        + " false, 0 FROM event_journal");

        assertThat(asks(By.DAY, null, null, 10).behind()).isZero();
    }

    @Test
    void tooManyAtOnceAreTurnedAway() throws Exception {
        try (var gate = new Databases.Gate(postgres.getPort());
                var slow = new CostTables(gate.journal())) {
            gate.standStill();
            var asked = new ArrayList<CompletionStage<Costs.Report>>();
            for (int i = 0; i < 11; i++) {
                asked.add(slow.report(new Question(By.DAY, FIRST, LAST, null, null, 1)));
            }

            assertThatThrownBy(() -> Rig.await(asked.getLast())).hasCauseInstanceOf(Costs.Busy.class);
        }
    }

    @Test
    void aQuestionThatMakesNoSenseIsRefused() {
        assertThatThrownBy(() -> new Question(By.DAY, LAST, FIRST, null, null, 1))
                .hasMessage("to: 2026-05-01 (expected: not before from, 2026-05-31)");
        assertThatThrownBy(() -> new Question(By.DAY, FIRST, LAST, null, null, 1001))
                .hasMessage("limit: 1001 (expected: 1..1000)");
        assertThatThrownBy(() -> new Question(By.DAY, FIRST, LAST, "\0", null, 1))
                .hasMessage("tenant, after: with the character 0 (expected: without)");
    }
}
