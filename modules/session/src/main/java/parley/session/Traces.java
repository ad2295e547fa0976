package parley.session;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Every table that holds something of a session, and how to delete it there. A table that is not in this database is passed
 * over, so that what another release makes is known here before it is there.
 */
final class Traces {
    /**
     * @param column holds {@code key}
     * @param words whether what was said stands there, outside the journal
     * @param money whether it says what was spent, and not by whom: it outlives the journal
     */
    record Place(String table, String column, Key key, boolean words, boolean money) {
        private String deletion() {
            return "DELETE FROM " + table + " WHERE " + column + " = ANY(?)";
        }
    }

    /** What a table calls a session. */
    enum Key {
        SESSION_ID,
        PERSISTENCE_ID
    }

    /** In the order in which they refer to each other; tags go by the events that they belong to. */
    static final List<Place> PLACES = List.of(
            new Place("turns", "session", Key.SESSION_ID, true, false),
            new Place("interviews", "session", Key.SESSION_ID, false, true),
            new Place("costs", "session", Key.SESSION_ID, false, true),
            new Place("sessions", "id", Key.SESSION_ID, false, false),
            new Place("snapshot", "persistence_id", Key.PERSISTENCE_ID, false, false),
            new Place("durable_state", "persistence_id", Key.PERSISTENCE_ID, false, false),
            new Place("event_journal", "persistence_id", Key.PERSISTENCE_ID, false, false));

    static final String TAGS = "event_tag";

    private static final String DELETE_TAGS = "DELETE FROM " + TAGS
            + " WHERE event_id IN (SELECT ordering FROM event_journal WHERE persistence_id = ANY(?))";

    private static final String DELETE_SNAPSHOTS = "DELETE FROM snapshot WHERE persistence_id = ANY(?) AND created < ?";
    private static final String DELETE_FACTS =
            "DELETE FROM event_journal WHERE persistence_id = ANY(?) AND write_timestamp < ?";

    private Traces() {}

    static String persistenceId(SessionId session) {
        return VoiceSession.KEY.name() + "|" + session;
    }

    /**
     * Deletes all there is of these sessions, in one transaction.
     *
     * @param money what was spent as well
     * @return rows by table, of those that are there
     */
    static Map<String, Long> delete(Connection connection, Collection<SessionId> sessions, boolean money)
            throws SQLException {
        return inTransaction(connection, () -> {
            var rows = new LinkedHashMap<String, Long>();
            rows.put(TAGS, update(connection, DELETE_TAGS, keys(Key.PERSISTENCE_ID, sessions)));
            for (var place : PLACES) {
                if (money || !place.money()) {
                    delete(connection, place, sessions, rows);
                }
            }
            return rows;
        });
    }

    /**
     * Deletes what was written of entities before a time, in one transaction: one that begins anew meanwhile keeps what it
     * writes.
     *
     * @param persistenceIds of any entity that only the journal and its snapshots know
     */
    static Map<String, Long> deleteWritten(Connection connection, Collection<String> persistenceIds, Instant before)
            throws SQLException {
        return inTransaction(connection, () -> {
            var rows = new LinkedHashMap<String, Long>();
            rows.put("snapshot", update(connection, DELETE_SNAPSHOTS, persistenceIds, before));
            rows.put("event_journal", update(connection, DELETE_FACTS, persistenceIds, before));
            return rows;
        });
    }

    private static long update(Connection connection, String sql, Collection<String> keys, Instant before)
            throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            statement.setArray(1, connection.createArrayOf("varchar", keys.toArray()));
            statement.setLong(2, before.toEpochMilli());
            return statement.executeLargeUpdate();
        }
    }

    /** Deletes their words outside the journal, in one transaction. */
    static Map<String, Long> deleteWords(Connection connection, Collection<SessionId> sessions) throws SQLException {
        return inTransaction(connection, () -> {
            var rows = new LinkedHashMap<String, Long>();
            for (var place : PLACES) {
                if (place.words()) {
                    delete(connection, place, sessions, rows);
                }
            }
            return rows;
        });
    }

    private static void delete(
            Connection connection, Place place, Collection<SessionId> sessions, Map<String, Long> rows)
            throws SQLException {
        if (exists(connection, place.table())) {
            rows.put(place.table(), update(connection, place.deletion(), keys(place.key(), sessions)));
        }
    }

    private static boolean exists(Connection connection, String table) throws SQLException {
        try (var query = connection.prepareStatement("SELECT to_regclass(?) IS NOT NULL")) {
            query.setString(1, table);
            try (var answer = query.executeQuery()) {
                return answer.next() && answer.getBoolean(1);
            }
        }
    }

    private static String[] keys(Key key, Collection<SessionId> sessions) {
        return sessions.stream()
                .map(session -> switch (key) {
                    case SESSION_ID -> session.value();
                    case PERSISTENCE_ID -> persistenceId(session);
                })
                .toArray(String[]::new);
    }

    private static long update(Connection connection, String sql, String[] keys) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            statement.setArray(1, connection.createArrayOf("varchar", keys));
            return statement.executeLargeUpdate();
        }
    }

    private interface Work {
        Map<String, Long> run() throws SQLException;
    }

    private static Map<String, Long> inTransaction(Connection connection, Work work) throws SQLException {
        connection.setAutoCommit(false);
        try {
            var rows = work.run();
            connection.commit();
            return rows;
        } catch (SQLException failed) {
            connection.rollback();
            throw failed;
        } finally {
            connection.setAutoCommit(true);
        }
    }
}
