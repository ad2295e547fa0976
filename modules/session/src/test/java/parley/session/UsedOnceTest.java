package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** R20: what may be used once is used once, in the whole cluster and across restarts. */
@Tag("cluster")
class UsedOnceTest {
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private final List<UsedOnce> open = new ArrayList<>();

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
        Databases.run(journal, "TRUNCATE used_once");
    }

    @AfterEach
    void close() {
        open.forEach(UsedOnce::close);
    }

    @Test
    void theFirstIsToldYesAndEveryOtherNoOnAnyNodeAndAfterARestart() {
        var here = on(journal, Map.of());
        var there = on(journal, Map.of());

        assertThat(is(here.use("a", soon()))).isTrue();
        assertThat(is(here.use("a", soon()))).isFalse();
        assertThat(is(there.use("a", soon()))).isFalse();
        assertThat(is(there.use("b", soon()))).isTrue();
        assertThat(is(on(journal, Map.of()).use("a", soon()))).isFalse();
    }

    @Test
    void ofManyAtOnceOneIsToldYes() {
        var nodes = List.of(on(journal, Map.of()), on(journal, Map.of()));
        var uses = new ArrayList<CompletionStage<Boolean>>();
        for (int i = 0; i < 200; i++) {
            uses.add(nodes.get(i % 2).use("key-" + i / 20, soon()));
        }

        assertThat(uses.stream().filter(UsedOnceTest::is)).hasSize(10);
    }

    @Test
    void whoCannotBeToldIsToldSoInTimeAndTheNextOneAfterwardsIsServed() throws Exception {
        try (var gate = new Databases.Gate(postgres.getPort())) {
            var used = on(gate.journal(), Map.of("timeout", "1s"));
            assertThat(is(used.use("before", soon()))).isTrue();
            gate.standStill();

            assertThatThrownBy(() -> is(used.use("meanwhile", soon()))).isNotNull();

            gate.open();
            Rig.eventually(() -> answers(used));
            assertThat(is(used.use("before", soon()))).isFalse();
        }
    }

    @Test
    void aConnectionThatBrokeUnnoticedIsReplacedWithoutAnybodyNoticing() throws Exception {
        try (var gate = new Databases.Gate(postgres.getPort())) {
            var used = on(gate.journal(), Map.of("timeout", "30s"));
            assertThat(is(used.use("before", soon()))).isTrue();
            gate.shut();
            gate.open();

            assertThat(is(used.use("after", soon()))).isTrue();
        }
    }

    @Test
    void moreThanMayWaitAreRefusedAtOnce() throws Exception {
        try (var gate = new Databases.Gate(postgres.getPort())) {
            var used = on(gate.journal(), Map.of("timeout", "30s", "waiting", 2));
            assertThat(is(used.use("before", soon()))).isTrue();
            gate.standStill();
            var uses = new ArrayList<CompletionStage<Boolean>>();
            // One batch of up to three is on its way to the database, two more may wait.
            for (int i = 0; i < 10; i++) {
                uses.add(used.use("key-" + i, soon()));
            }

            var refused = uses.stream()
                    .filter(use -> use.toCompletableFuture().isCompletedExceptionally())
                    .toList();
            assertThat(refused).hasSizeBetween(5, 8);
            assertThat(refused)
                    .allSatisfy(
                            use -> assertThatThrownBy(() -> is(use)).rootCause().hasMessage("2 uses wait already"));
        }
    }

    @Test
    void closingFailsWhatWaits() throws Exception {
        try (var gate = new Databases.Gate(postgres.getPort())) {
            var used = on(gate.journal(), Map.of("timeout", "2s"));
            gate.standStill();
            var waits = used.use("a", soon());
            used.close();

            assertThatThrownBy(() -> is(waits)).isNotNull();
            assertThatThrownBy(() -> is(used.use("b", soon()))).rootCause().hasMessage("closed");
        }
    }

    @Test
    void rowsThatEndedLongAgoAreDeletedAndOthersAreNot() throws SQLException {
        var used = on(journal, Map.of("tidy-every", "100ms"));
        used.use("long ago", Instant.now().minus(Duration.ofHours(2)));
        used.use("just now", Instant.now().minus(Duration.ofMinutes(2)));
        assertThat(is(used.use("to come", soon()))).isTrue();

        Rig.eventually(() -> keys().equals(List.of("just now", "to come")));
        assertThat(is(used.use("just now", soon()))).isFalse();
    }

    private UsedOnce on(Journal database, Map<String, ?> settings) {
        var used = UsedOnce.in(
                database,
                JournalSettings.from(ConfigFactory.parseMap(settings)
                        .atPath("parley.session.journal.used-once")
                        .withFallback(ConfigFactory.parseString("parley.session.journal.used-once.timeout = 30s"))
                        .withFallback(ConfigFactory.defaultReference())
                        .resolve()));
        open.add(used);
        return used;
    }

    private static List<String> keys() {
        var keys = new ArrayList<String>();
        try (var connection = journal.connect(Duration.ofSeconds(30));
                var rows = connection.createStatement().executeQuery("SELECT key FROM used_once ORDER BY key")) {
            while (rows.next()) {
                keys.add(rows.getString(1));
            }
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
        return keys;
    }

    private static boolean answers(UsedOnce used) {
        try {
            is(used.use("again", soon()));
            return true;
        } catch (RuntimeException notYet) {
            return false;
        }
    }

    private static boolean is(CompletionStage<Boolean> use) {
        return use.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }

    private static Instant soon() {
        return Instant.now().plusSeconds(60);
    }
}
