package parley.session;

import com.typesafe.config.ConfigFactory;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;

/**
 * What one PostgreSQL of this machine takes: run by {@code scripts/measure-scale}, described in docs/scale.md. Prints lines
 * of the form of scripts/lib/scale.properties.
 */
public final class JournalExperiment {
    private static final Duration WARM = Duration.ofSeconds(5);
    private static final Duration SLOW = Duration.ofMinutes(10);

    private JournalExperiment() {}

    /** @param arguments {@code writes}, sessions and seconds; {@code tables} and seconds; {@code sweep}, opened and live */
    public static void main(String[] arguments) {
        Experiment.runToTheEnd(JournalExperiment::run, arguments);
    }

    private static void run(String[] arguments) throws Exception {
        var what = arguments.length == 0 ? "" : arguments[0];
        if (what.equals("writes") && arguments.length == 3) {
            for (var fsync : List.of("on", "off")) {
                writes(fsync, Integer.parseInt(arguments[1]), Duration.ofSeconds(Integer.parseInt(arguments[2])));
            }
        } else if (what.equals("tables") && arguments.length == 2) {
            tables(Duration.ofSeconds(Integer.parseInt(arguments[1])));
        } else if (what.equals("sweep") && arguments.length == 3) {
            sweep(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
        } else {
            throw new IllegalArgumentException(String.join(" ", arguments)
                    + " (expected: writes SESSIONS SECONDS | tables SECONDS | sweep OPENED LIVE)");
        }
    }

    private static EmbeddedPostgres database(String fsync) throws IOException {
        return EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                .setServerConfig("fsync", fsync)
                .setServerConfig("synchronous_commit", fsync)
                .setServerConfig("shared_buffers", "512MB")
                .setServerConfig("max_wal_size", "4GB")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start();
    }

    private static double one(Journal journal, String query) throws SQLException {
        try (var connection = journal.connect(SLOW);
                var statement = connection.createStatement();
                var row = statement.executeQuery(query)) {
            row.next();
            return row.getDouble(1);
        }
    }

    private static void pause(Duration time) {
        long until = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < until) {
            LockSupport.parkNanos(until - System.nanoTime());
        }
    }

    private static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    // ---- writes

    /** What a turn tells of one side, as it is journaled in one fact. */
    private static SessionEvent.Told told(long number) {
        return new SessionEvent.Told(
                number,
                List.of(
                        new SessionEvent.UserSaid("item_CcQo7Yb2Kx0aTzWn5LrE" + number, null, 2400, Instant.now()),
                        new SessionEvent.UserTranscribed(
                                "item_CcQo7Yb2Kx0aTzWn5LrE" + number,
                                "I would like to know when the next train leaves for the coast, please.",
                                Instant.now()),
                        new SessionEvent.Spent(
                                "resp_CcQo7Yb2Kx0aTzWn5LrE" + number,
                                Facts.SOME,
                                "usual",
                                "2026-11",
                                7206,
                                Instant.now())),
                Instant.now());
    }

    private static final class Teller extends EventSourcedBehavior<Long, SessionEvent, Long> {
        private final String session;
        private final ActorRef<Long> self;
        private final LongAdder written;

        private Teller(String session, ActorRef<Long> self, LongAdder written) {
            super(PersistenceId.of(VoiceSession.KEY.name(), session));
            this.session = session;
            this.self = self;
            this.written = written;
        }

        static Behavior<Long> create(String session, LongAdder written) {
            return Behaviors.setup(context -> new Teller(session, context.getSelf(), written));
        }

        @Override
        public Long emptyState() {
            return 0L;
        }

        @Override
        public CommandHandler<Long, SessionEvent, Long> commandHandler() {
            return (told, next) -> Effect().persist(told(told + 1)).thenRun(after -> {
                written.increment();
                self.tell(after);
            });
        }

        @Override
        public EventHandler<Long, SessionEvent> eventHandler() {
            return (told, event) -> told + 1;
        }

        @Override
        public Set<String> tagsFor(SessionEvent event) {
            return Set.of(Projections.slice(new SessionId(session)));
        }
    }

    private static void writes(String fsync, int sessions, Duration time) throws Exception {
        try (var postgres = database(fsync)) {
            var journal = Databases.journal(postgres.getPort());
            journal.migrate();
            var system = ActorSystem.<Void>create(
                    Behaviors.empty(),
                    "writes",
                    ConfigFactory.parseMap(Map.of("pekko.loglevel", "WARNING"))
                            .withFallback(journal.config())
                            .withFallback(ConfigFactory.defaultReference())
                            .resolve());
            var written = new LongAdder();
            IntStream.range(0, sessions).forEach(number -> {
                var teller = system.systemActorOf(
                        Teller.create(SessionId.mint(number % 4096).value(), written),
                        "teller-" + number,
                        Props.empty());
                teller.tell(0L);
            });
            pause(WARM);
            long before = written.sum();
            var commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'";
            var wal = "SELECT pg_current_wal_lsn() - '0/0'";
            double committed = one(journal, commits);
            double logged = one(journal, wal);
            long cpu = postgresCpu(postgres);
            long began = System.nanoTime();
            pause(time);
            double seconds = (System.nanoTime() - began) / 1e9;
            double facts = written.sum() - before;
            System.out.printf(Locale.ROOT, "journal.fsync.%s.facts.per.second=%.0f%n", fsync, facts / seconds);
            System.out.printf(
                    Locale.ROOT,
                    "# commits/s %.0f, WAL bytes per fact %.0f, PostgreSQL's CPU us per fact %.0f and %.0f %% of one core, load %.1f%n",
                    (one(journal, commits) - committed) / seconds,
                    (one(journal, wal) - logged) / facts,
                    (postgresCpu(postgres) - cpu) / 1000.0 / facts,
                    (postgresCpu(postgres) - cpu) / 1e7 / seconds,
                    load());
            system.terminate();
            system.getWhenTerminated().toCompletableFuture().get(1, TimeUnit.MINUTES);
        }
    }

    /** Of all its processes that live, in nanoseconds. */
    private static long postgresCpu(EmbeddedPostgres postgres) throws IOException {
        long ticks = 0;
        var roots = ProcessHandle.allProcesses()
                .filter(process -> process.info()
                        .arguments()
                        .map(arguments -> List.of(arguments).contains(Integer.toString(postgres.getPort())))
                        .orElse(false))
                .toList();
        for (var root : roots) {
            for (var process : root.descendants().toList()) {
                var stat = Path.of("/proc/" + process.pid() + "/stat");
                if (Files.exists(stat)) {
                    var fields =
                            Files.readString(stat).replaceFirst(".*\\) ", "").split(" ", -1);
                    ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                }
            }
        }
        return ticks * 10_000_000;
    }

    // ---- tables

    /** How many turns one slice of the projections tells in a second: by the statements it runs, in its transactions. */
    private static void tables(Duration time) throws Exception {
        try (var postgres = database("on")) {
            var journal = Databases.journal(postgres.getPort());
            journal.migrate();
            try (var connection = journal.connect(SLOW)) {
                connection.setAutoCommit(false);
                var tables = new SessionTables(connection);
                int sessions = 1000;
                for (int session = 0; session < sessions; session++) {
                    tables.tell(id(session), 1, Facts.OPENED);
                }
                connection.commit();
                long until = System.nanoTime() + time.toNanos();
                long began = System.nanoTime();
                long cpu = postgresCpu(postgres);
                long turns = 0;
                while (System.nanoTime() < until) {
                    for (int i = 0; i < 50; i++, turns++) {
                        long number = 2 + turns / sessions * 2;
                        var session = id((int) (turns % sessions));
                        tables.tell(session, number, told(number));
                        tables.tell(
                                session,
                                number + 1,
                                new SessionEvent.Told(
                                        number + 1,
                                        List.of(
                                                new SessionEvent.AgentSaid(
                                                        "item_a" + number,
                                                        "It leaves at ten past nine, from the second platform.",
                                                        3000,
                                                        Instant.now()),
                                                new SessionEvent.Spent(
                                                        "resp_" + number,
                                                        Facts.SOME,
                                                        "usual",
                                                        "2026-11",
                                                        7206,
                                                        Instant.now())),
                                        Instant.now()));
                    }
                    connection.commit();
                }
                System.out.printf(
                        Locale.ROOT,
                        "projection.turns.per.second.per.slice=%.0f%n",
                        turns / ((System.nanoTime() - began) / 1e9));
                System.out.printf(
                        Locale.ROOT, "tables.cpu.us.per.turn=%.0f%n", (postgresCpu(postgres) - cpu) / 1000.0 / turns);
                System.out.printf(Locale.ROOT, "# load %.1f%n", load());
            }
        }
    }

    private static String id(int session) {
        return String.format(Locale.ROOT, "sess_%03x%019d", session % 4096, session);
    }

    // ---- sweep

    /** How long one look for sessions that nobody watches takes, and one for those whose time is over. */
    private static void sweep(int opened, int live) throws Exception {
        try (var postgres = database("off")) {
            var journal = Databases.journal(postgres.getPort());
            journal.migrate();
            fill(journal, opened, live);
            for (int time = 0; time < 2; time++) {
                long began = System.nanoTime();
                try (var connection = journal.connect(SLOW);
                        var query = connection.prepareStatement(Sweep.UNENDED)) {
                    query.setLong(1, 0);
                    query.setLong(2, 0);
                    query.setString(3, "session|");
                    query.setInt(4, 1000);
                    try (var rows = query.executeQuery()) {
                        int found = 0;
                        while (rows.next()) {
                            found++;
                        }
                        System.out.printf(
                                Locale.ROOT,
                                "sweep.ms.%d.%d=%d%n",
                                opened,
                                live,
                                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
                        System.out.printf(Locale.ROOT, "# %d found of %d, load %.1f%n", found, live, load());
                    }
                }
            }
        }
    }

    /** A first fact of each, and an end of all but the last. */
    private static void fill(Journal journal, int opened, int live) throws SQLException {
        var row = """
                INSERT INTO event_journal (persistence_id, sequence_number, writer, write_timestamp, event_ser_id,
                  event_ser_manifest, event_payload)
                SELECT 'session|sess_' || lpad(to_hex(n %% 4096), 3, '0') || lpad(n::text, 19, '0'), %d, 'w', n, 33, 'm',
                  decode(repeat('ab', 200), 'hex')
                FROM generate_series(1, %d) n""";
        try (var connection = journal.connect(SLOW);
                var statement = connection.createStatement()) {
            statement.execute(String.format(Locale.ROOT, row, 1, opened));
            statement.execute(String.format(Locale.ROOT, row, 2, opened - live));
            statement.execute(
                    "INSERT INTO event_tag SELECT ordering, 'ended' FROM event_journal WHERE sequence_number = 2");
            statement.execute(
                    "INSERT INTO event_tag SELECT ordering, 'sessions-' || (ordering % 4) FROM event_journal");
            statement.execute("ANALYZE");
        }
    }
}
