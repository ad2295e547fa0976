package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the journal's settings promise an entity whose database goes and comes back.
 *
 * <p>B12: the database goes away and comes back.
 */
@Tag("cluster")
class JournalOutageTest {
    private static EmbeddedPostgres postgres;
    private final BlockingQueue<String> written = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> failures = new LinkedBlockingQueue<>();
    private Databases.Gate gate;
    private ActorTestKit node;
    private ActorRef<String> entity;

    /** Writes what it is told. */
    private final class Writer extends EventSourcedBehavior<String, String, Integer> {
        private Writer(String name) {
            super(
                    PersistenceId.ofUniqueId(name),
                    SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(1), 0.2)
                            .withLoggingEnabled(false));
        }

        @Override
        public Integer emptyState() {
            return 0;
        }

        @Override
        public CommandHandler<String, String, Integer> commandHandler() {
            return (count, word) -> Effect().persist(word).thenRun(now -> written.add(word + now));
        }

        @Override
        public EventHandler<Integer, String> eventHandler() {
            return (count, word) -> count + 1;
        }

        @Override
        public SignalHandler<Integer> signalHandler() {
            return newSignalHandlerBuilder()
                    .onSignal(PreRestart.instance(), count -> failures.add("failed"))
                    .build();
        }
    }

    @BeforeAll
    static void startDatabase() throws IOException {
        postgres = Databases.start();
        Databases.journal(postgres.getPort()).migrate();
    }

    @AfterAll
    static void stopDatabase() throws IOException {
        postgres.close();
    }

    @BeforeEach
    void start() throws Exception {
        gate = new Databases.Gate(postgres.getPort());
        node = ActorTestKit.create(ConfigFactory.parseString("pekko.actor.provider = local")
                .withFallback(gate.journal().config())
                .withFallback(ConfigFactory.load()));
        entity = node.spawn(Behaviors.setup(context -> new Writer("writer-" + Instant.now())));
        entity.tell("one");
        assertThat(written.poll(60, TimeUnit.SECONDS)).isEqualTo("one1");
    }

    @AfterEach
    void stop() throws IOException {
        node.shutdownTestKit();
        gate.close();
    }

    @Test
    void whatIsToldDuringAnOutageIsWrittenSoonAfterItsEnd() throws Exception {
        gate.shut();
        entity.tell("lost with the write that failed");
        assertThat(failures.poll(30, TimeUnit.SECONDS)).isNotNull();
        entity.tell("two");
        assertThat(written.poll(6, TimeUnit.SECONDS)).isNull();

        gate.open();

        assertThat(written.poll(15, TimeUnit.SECONDS)).isEqualTo("two2");
    }

    @Test
    void aDatabaseThatStandsStillIsNoticed() throws Exception {
        gate.standStill();
        entity.tell("lost with the write that failed");

        assertThat(failures.poll(30, TimeUnit.SECONDS)).isNotNull();

        entity.tell("two");
        gate.open();
        assertThat(written.poll(30, TimeUnit.SECONDS)).isEqualTo("two2");
    }

    @Test
    void aWriteThatTakesTwoSecondsSucceeds() throws Exception {
        Databases.run(
                Databases.journal(postgres.getPort()),
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
                        + " $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$",
                "CREATE TRIGGER slow AFTER INSERT ON event_journal FOR EACH STATEMENT EXECUTE FUNCTION slow()");
        try {
            entity.tell("two");
            entity.tell("three");

            assertThat(written.poll(30, TimeUnit.SECONDS)).isEqualTo("two2");
            assertThat(written.poll(30, TimeUnit.SECONDS)).isEqualTo("three3");
            assertThat(failures).isEmpty();
        } finally {
            Databases.run(
                    Databases.journal(postgres.getPort()),
                    "DROP TRIGGER slow ON event_journal",
                    "DROP FUNCTION slow()");
        }
    }
}
