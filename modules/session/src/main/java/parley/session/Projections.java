package parley.session;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ShardedDaemonProcess;
import org.apache.pekko.japi.function.Function;
import org.apache.pekko.persistence.jdbc.query.javadsl.JdbcReadJournal;
import org.apache.pekko.persistence.query.Offset;
import org.apache.pekko.projection.Projection;
import org.apache.pekko.projection.ProjectionBehavior;
import org.apache.pekko.projection.ProjectionId;
import org.apache.pekko.projection.eventsourced.EventEnvelope;
import org.apache.pekko.projection.eventsourced.javadsl.EventSourcedProvider;
import org.apache.pekko.projection.javadsl.SourceProvider;
import org.apache.pekko.projection.jdbc.JdbcSession;
import org.apache.pekko.projection.jdbc.javadsl.JdbcHandler;
import org.apache.pekko.projection.jdbc.javadsl.JdbcProjection;

/**
 * Tells the tables {@code sessions}, {@code turns}, {@code costs} and {@code interviews} from the journal.
 *
 * <p>A session belongs to one of {@value #SLICES} slices, by its shard. Each slice is told by one process, somewhere in the
 * cluster, in the order of the journal; when its node is gone, another node goes on. Rows and how far they are told are
 * written in one transaction, so each fact is told exactly once; telling it again, after somebody has set a slice back,
 * changes nothing.
 *
 * <p>A fact that cannot be told is not left out, for a sum with a hole is worse than an old one: its slice is tried again
 * with backoff and falls behind, the log says why each time, and the view {@code projection_lag} and each {@link
 * Costs.Report} say how far. The other slices, and conversations, go on.
 *
 * <p>Uses at most {@value #THREADS} connections of a pool of its own, and the journal's for reading.
 */
final class Projections implements AutoCloseable {
    static final String NAME = "sessions";

    /** Of all sessions, whatever the cluster's size; the slice is in the journal, so the number never changes. */
    static final int SLICES = 4;

    /** As many as pekko.projection.jdbc's dispatcher has, in journal.conf. */
    private static final int THREADS = 2;

    private final HikariDataSource pool;

    private Projections(HikariDataSource pool) {
        this.pool = pool;
    }

    /** The tag of a session's facts, and the key of the process that tells them. */
    static String slice(SessionId id) {
        return slice(id.shard() % SLICES);
    }

    private static String slice(int number) {
        return NAME + "-" + number;
    }

    /** Tells from now on, wherever in the cluster each slice's turn is. */
    static Projections start(ActorSystem<?> system, Journal journal, ProjectionSettings settings) {
        var projections = new Projections(pool(journal));
        ShardedDaemonProcess.get(system)
                .init(
                        ProjectionBehavior.Command.class,
                        NAME,
                        SLICES,
                        number -> ProjectionBehavior.create(projections.projection(system, slice(number), settings)),
                        ProjectionBehavior.stopMessage());
        return projections;
    }

    private static HikariDataSource pool(Journal journal) {
        var config = new HikariConfig();
        config.setPoolName("projections");
        config.setJdbcUrl(journal.url());
        config.setUsername(journal.user());
        config.setPassword(journal.password());
        config.setAutoCommit(false);
        config.setMaximumPoolSize(THREADS);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(5_000);
        // A database that is away at this moment is no reason not to start.
        config.setInitializationFailTimeout(-1);
        config.setConnectionInitSql("SET statement_timeout = 10000; SET idle_in_transaction_session_timeout = 10000");
        config.addDataSourceProperty("connectTimeout", "2");
        config.addDataSourceProperty("socketTimeout", "15");
        config.addDataSourceProperty("tcpKeepAlive", "true");
        return new HikariDataSource(config);
    }

    private Projection<EventEnvelope<SessionEvent>> projection(
            ActorSystem<?> system, String slice, ProjectionSettings settings) {
        SourceProvider<Offset, EventEnvelope<SessionEvent>> facts =
                EventSourcedProvider.eventsByTag(system, JdbcReadJournal.Identifier(), slice);
        return JdbcProjection.groupedWithin(ProjectionId.of(NAME, slice), facts, this::begin, TableWriter::new, system)
                .withGroup(settings.batch(), settings.batchWithin());
    }

    private Transaction begin() {
        try {
            return new Transaction(pool.getConnection());
        } catch (SQLException away) {
            throw new IllegalStateException("no connection for a projection: " + away.getSQLState(), away);
        }
    }

    /** Processes end with the actor system. */
    @Override
    public void close() {
        pool.close();
    }

    private record Transaction(Connection connection) implements JdbcSession {
        @Override
        public <T> T withConnection(Function<Connection, T> action) throws Exception {
            return action.apply(connection);
        }

        @Override
        public void commit() throws SQLException {
            connection.commit();
        }

        @Override
        public void rollback() throws SQLException {
            connection.rollback();
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }

    private static final class TableWriter extends JdbcHandler<List<EventEnvelope<SessionEvent>>, Transaction> {
        @Override
        public void process(Transaction transaction, List<EventEnvelope<SessionEvent>> batch) throws SQLException {
            var tables = new SessionTables(transaction.connection());
            for (var envelope : batch) {
                var id = envelope.persistenceId()
                        .substring(VoiceSession.KEY.name().length() + 1);
                tables.tell(id, envelope.sequenceNr(), envelope.event());
            }
        }
    }
}
