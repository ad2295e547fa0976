package parley.session;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node leaves at a time: two that hand over their sessions at once would hand them to each other, and each would
 * wait for the other's shards. Only when every node is to end is there nothing to hand over, and nothing to wait for.
 *
 * <p>Locks in the journal's database, on a connection of its own that must not go through a pooler: they end with the
 * connection, and so also when the node that holds them dies. A node that must end ends: without the database, or when
 * it takes too long, it leaves without a permit. Not thread-safe, except that {@link #close} ends a wait.
 */
public final class LeavePermit implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeavePermit.class);
    /** Locked by the node that leaves. Any number that no other program locks in this database. */
    private static final long TURN = 0x7061726c6579L;
    /** With a node's address: locked by each node that wants to leave. */
    private static final int WISH = 0x7061726c;

    private static final Duration ASK_EVERY = Duration.ofMillis(100);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(3);

    private volatile @Nullable Connection connection;
    private boolean held;

    private LeavePermit(@Nullable Connection connection) {
        this.connection = connection;
    }

    /** Says that the node {@code self} wants to leave. Blocks for seconds at most, and never fails. */
    public static LeavePermit ask(Journal journal, String self) {
        var permit = new LeavePermit(null);
        try {
            var connection = journal.connect(ANSWER_WITHIN);
            permit.connection = connection;
            try (var statement = connection.createStatement()) {
                // A node whose machine is lost says no good-bye: the database has to notice.
                statement.execute("SET application_name = 'parley leaving';"
                        + " SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
                        + " SET tcp_keepalives_count = 2; SELECT pg_advisory_lock_shared(" + WISH + ", "
                        + self.hashCode() + ")");
            }
        } catch (SQLException lost) {
            permit.lost(lost);
        }
        return permit;
    }

    /** For a node that is alone. */
    public static LeavePermit none() {
        return new LeavePermit(null);
    }

    /**
     * Blocks until this node may leave: it is its turn, or every node of {@code members} wants to leave, or this has
     * taken {@code atMost}, or the database does not answer.
     *
     * @param members the addresses of those that are up, this node's among them
     */
    public void await(Duration atMost, Supplier<Set<String>> members) {
        long end = System.nanoTime() + atMost.toNanos();
        while (!hasTurn() && connection != null && !isAskedByAll(members.get())) {
            if (System.nanoTime() - end >= 0) {
                LOG.warn("leaves without a permit: another node has been leaving for {}", atMost);
                return;
            }
            LockSupport.parkNanos(ASK_EVERY.toNanos());
        }
    }

    /** Whether each of these nodes wants to leave; no, when the database does not say. */
    public boolean isAskedByAll(Set<String> members) {
        var asking = new HashSet<Integer>();
        query(
                "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid = "
                        + WISH + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                rows -> {
                    while (rows.next()) {
                        asking.add((int) rows.getLong(1));
                    }
                });
        return !asking.isEmpty() && members.stream().map(String::hashCode).allMatch(asking::contains);
    }

    /** Whether no other node is leaving. */
    public boolean isHeld() {
        return held && connection != null;
    }

    /** Lets the next node leave. Safe to repeat. */
    @Override
    public void close() {
        var open = connection;
        connection = null;
        try {
            if (open != null) {
                open.close();
            }
        } catch (SQLException broken) {
            // The locks go with the connection.
        }
    }

    private boolean hasTurn() {
        if (!held) {
            query("SELECT pg_try_advisory_lock(" + TURN + ")", rows -> held = rows.next() && rows.getBoolean(1));
        }
        return held;
    }

    private interface Reader {
        void read(java.sql.ResultSet rows) throws SQLException;
    }

    private void query(String sql, Reader reader) {
        var open = connection;
        if (open == null) {
            return;
        }
        try (var statement = open.createStatement();
                var rows = statement.executeQuery(sql)) {
            reader.read(rows);
        } catch (SQLException lost) {
            lost(lost);
        }
    }

    private void lost(SQLException why) {
        LOG.warn("leaves without a permit: {}", why.getMessage());
        close();
    }
}
