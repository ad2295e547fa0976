package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
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
class JournalWatchTest {
    private static EmbeddedPostgres postgres;
    private final BlockingQueue<Boolean> changes = new LinkedBlockingQueue<>();
    private Databases.Gate gate;
    private JournalWatch watch;

    @BeforeAll
    static void startDatabase() throws IOException {
        postgres = Databases.start();
    }

    @AfterAll
    static void stopDatabase() throws IOException {
        postgres.close();
    }

    @BeforeEach
    void start() throws IOException {
        gate = new Databases.Gate(postgres.getPort());
        watch("10s");
    }

    /** Watches, and is connected. */
    private void watch(String timeout) {
        watch = JournalWatch.start(
                gate.journal(),
                JournalSettings.from(ConfigFactory.parseMap(Map.of(
                                "parley.session.journal.watch-every",
                                "100ms",
                                "parley.session.journal.watch-timeout",
                                timeout))
                        .withFallback(ConfigFactory.defaultReference())
                        .resolve()));
        watch.onChange(up -> {
            throw new IllegalStateException("a listener that fails");
        });
        watch.onChange(changes::add);
        Rig.eventually(() -> watch.checks() >= 2);
        assertThat(watch.isUp()).isTrue();
        assertThat(watch.downFor()).isZero();
    }

    @AfterEach
    void stop() throws IOException {
        watch.close();
        gate.close();
    }

    private void turns(boolean up) throws InterruptedException {
        assertThat(changes.poll(60, TimeUnit.SECONDS)).isEqualTo(up);
        assertThat(watch.isUp()).isEqualTo(up);
    }

    @Test
    void aDatabaseThatRefusesIsDownUntilItTakesConnectionsAgain() throws Exception {
        gate.shut();
        turns(false);
        assertThat(watch.downFor()).isPositive();
        assertThat(watch.outages()).isEqualTo(1);
        assertThat(watch.failures()).isGreaterThanOrEqualTo(2);

        gate.open();
        turns(true);

        assertThat(watch.downFor()).isZero();
        assertThat(changes).isEmpty();
    }

    @Test
    void aDatabaseThatDoesNotAnswerIsDown() throws Exception {
        watch.close();
        watch("2s");
        gate.standStill();
        turns(false);

        gate.open();
        turns(true);
    }

    @Test
    void aDatabaseThatTakesNoWritesIsDown() throws Exception {
        readOnly("on");
        try {
            turns(false);
        } finally {
            readOnly("off");
        }
        turns(true);
    }

    private void readOnly(String value) throws SQLException {
        Databases.run(
                Databases.journal(postgres.getPort()),
                "ALTER SYSTEM SET default_transaction_read_only = " + value,
                "SELECT pg_reload_conf()");
    }

    @Test
    void oneLostConnectionIsNoOutage() throws Exception {
        gate.standStill();
        gate.open();

        assertThat(changes.poll(1, TimeUnit.SECONDS)).isNull();
        assertThat(watch.outages()).isZero();
    }

    @Test
    void nobodyIsAskedAnyMoreOnceItIsClosed() throws Exception {
        watch.close();
        TimeUnit.MILLISECONDS.sleep(Duration.ofSeconds(1).toMillis());
        long checks = watch.checks();

        assertThat(changes.poll(500, TimeUnit.MILLISECONDS)).isNull();
        assertThat(watch.checks()).isEqualTo(checks);
    }
}
