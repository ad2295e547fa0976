package parley.session;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.apache.pekko.serialization.Serialization;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.CallerId;

/**
 * Erasure in the journal's database.
 *
 * <p>A session is found by the tag of its first fact, which is a hash of its owner; one that an earlier release opened has
 * no such tag, and its first fact is read. Then the session itself is asked to end and to leave memory: it knows its owner,
 * and has the last word. Its rows go when it has answered, a batch of sessions in one transaction. The user may open a
 * session meanwhile, and a table that is made from the journal may be a moment behind: so it is looked again, and deleted
 * again, until nothing is found.
 *
 * <p>One call at a time on this node, on a thread and a connection of its own.
 */
final class JournalErasure implements Erasure, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalErasure.class);
    private static final Duration ANSWER = Duration.ofMinutes(2);
    private static final int WAITING = 100;
    private static final int ROUNDS = 5;
    private static final int BATCH = 100;
    /** Sessions that are asked at the same time. */
    private static final int ASKED = 10;

    private static final String TAGGED = """
            SELECT event_journal.persistence_id FROM event_tag
            JOIN event_journal ON event_journal.ordering = event_tag.event_id
            WHERE event_tag.tag LIKE 'owner:%' AND event_tag.tag = ?""";

    private static final String UNTAGGED = """
            SELECT persistence_id, event_ser_id, event_ser_manifest, event_payload FROM event_journal
            WHERE sequence_number = 1 AND starts_with(persistence_id, ?) AND NOT EXISTS (
              SELECT FROM event_tag
              WHERE event_tag.event_id = event_journal.ordering AND event_tag.tag LIKE 'owner:%')""";

    private final Journal journal;
    private final Serialization serialization;
    private final BiFunction<SessionId, CallerId, CompletionStage<Answer>> forgets;
    private final ThreadPoolExecutor thread = new ThreadPoolExecutor(
            0,
            1,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING),
            Thread.ofPlatform().daemon().name("session-erasure").factory());

    /** @param forgets asks a session to end and to leave memory: {@link Answer.Described} when it was this caller's */
    JournalErasure(
            Journal journal,
            Serialization serialization,
            BiFunction<SessionId, CallerId, CompletionStage<Answer>> forgets) {
        this.journal = journal;
        this.serialization = serialization;
        this.forgets = forgets;
    }

    @Override
    public CompletionStage<Erased> forget(CallerId caller) {
        try {
            return CompletableFuture.supplyAsync(() -> forgetNow(caller), thread);
        } catch (RejectedExecutionException full) {
            return CompletableFuture.failedFuture(new IllegalStateException(
                    "erasures that wait: " + WAITING + " (expected: fewer; ask again later)", full));
        }
    }

    /** What waits is not done. */
    @Override
    public void close() {
        thread.shutdownNow();
    }

    private Erased forgetNow(CallerId caller) {
        var rows = new TreeMap<String, Long>();
        var ended = new LinkedHashSet<SessionId>();
        var others = new HashSet<SessionId>();
        try (var connection = journal.connect(ANSWER)) {
            for (int round = 0; round < ROUNDS; round++) {
                var found = sessionsOf(connection, caller);
                found.removeAll(others);
                var asked = new LinkedHashSet<>(ended);
                asked.addAll(found);
                end(asked, caller, ended, others);
                delete(connection, ended, rows);
                if (found.isEmpty()) {
                    LOG.info("erased {}: {} sessions", caller, ended.size());
                    return new Erased(ended.size(), rows);
                }
            }
        } catch (SQLException failed) {
            throw new CompletionException(new IllegalStateException(
                    "the database does not answer: " + failed.getSQLState() + " (expected: to be repeated)", failed));
        }
        throw new IllegalStateException("sessions are still being opened (expected: to be repeated)");
    }

    // ---- finding

    private Set<SessionId> sessionsOf(Connection connection, CallerId caller) throws SQLException {
        var found = new LinkedHashSet<SessionId>();
        try (var query = connection.prepareStatement(TAGGED)) {
            query.setString(1, VoiceSession.ownerTag(caller));
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    session(rows.getString(1), found);
                }
            }
        }
        try (var query = connection.prepareStatement(UNTAGGED)) {
            // In parts, which the driver only does within a transaction.
            connection.setAutoCommit(false);
            query.setFetchSize(1000);
            query.setString(1, VoiceSession.KEY.name() + "|");
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var first = serialization
                            .deserialize(rows.getBytes(4), rows.getInt(2), rows.getString(3))
                            .get();
                    if (first instanceof SessionEvent.Opened opened
                            && opened.caller().equals(caller)) {
                        session(rows.getString(1), found);
                    }
                }
            }
            connection.commit();
        } finally {
            connection.setAutoCommit(true);
        }
        return found;
    }

    private static void session(String persistenceId, Set<SessionId> found) {
        SessionId.parse(persistenceId.substring(VoiceSession.KEY.name().length() + 1))
                .ifPresent(found::add);
    }

    // ---- ending

    private void end(Collection<SessionId> sessions, CallerId caller, Set<SessionId> ended, Set<SessionId> others) {
        for (var some : batches(sessions, ASKED)) {
            var answers = some.stream()
                    .map(session -> forgets.apply(session, caller).toCompletableFuture())
                    .toList();
            for (int i = 0; i < some.size(); i++) {
                if (isForgotten(answers.get(i).join())) {
                    ended.add(some.get(i));
                } else if (!ended.contains(some.get(i))) {
                    others.add(some.get(i));
                }
            }
        }
    }

    /** One that is unknown was deleted before, or is not this caller's. */
    private static boolean isForgotten(Answer answer) {
        if (answer instanceof Answer.Refused refused && refused.why() != Answer.Refusal.UNKNOWN) {
            throw new IllegalStateException("a session does not answer (expected: to be repeated)");
        }
        return answer instanceof Answer.Described;
    }

    private static void delete(Connection connection, Collection<SessionId> sessions, Map<String, Long> rows)
            throws SQLException {
        for (var some : batches(sessions, BATCH)) {
            Traces.delete(connection, some, true).forEach((table, count) -> rows.merge(table, count, Long::sum));
        }
    }

    private static List<List<SessionId>> batches(Collection<SessionId> sessions, int size) {
        var all = List.copyOf(sessions);
        var batches = new ArrayList<List<SessionId>>();
        for (int from = 0; from < all.size(); from += size) {
            batches.add(all.subList(from, Math.min(all.size(), from + size)));
        }
        return batches;
    }
}
