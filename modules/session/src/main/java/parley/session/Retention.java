package parley.session;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes sessions whose time is over: so long after their end, {@code retention.journal}, everything there is of them, and
 * after {@code retention.transcripts} their words outside the journal.
 *
 * <p>Only a session that has ended is deleted. One that was opened before that time and never ended is woken, so that its
 * own clocks end it; it is deleted when its time has come after that. Each batch is one transaction, so that of a session
 * all is there or nothing. What an {@link Interview} knows goes when the last session that it named is over for so long.
 * Done by one node of the cluster, the one that has been up longest; it does no harm when two do
 * it for a moment. On a daemon thread and a connection of its own. What fails is tried again at the next time. Thread-safe.
 */
final class Retention implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Retention.class);
    private static final Duration LOOK_AROUND = Duration.ofSeconds(1);
    private static final Duration ANSWER = Duration.ofMinutes(1);

    /** Sessions by their first fact, which is their first row, and when they ended. */
    static final String OPENED_BEFORE = """
            SELECT opened.persistence_id, opened.write_timestamp,
              (SELECT max(event_journal.write_timestamp) FROM event_journal
               JOIN event_tag ON event_tag.event_id = event_journal.ordering AND event_tag.tag = 'ended'
               WHERE event_journal.persistence_id = opened.persistence_id)
            FROM event_journal opened
            WHERE opened.sequence_number = 1 AND opened.write_timestamp < ?
              AND (opened.write_timestamp, opened.persistence_id) > (?, ?)
              AND starts_with(opened.persistence_id, ?)
            ORDER BY opened.write_timestamp, opened.persistence_id LIMIT ?""";

    /** Interviews by their first fact, of which none is newer. */
    static final String LAST_HELD_BEFORE = """
            SELECT opened.persistence_id
            FROM event_journal opened
            WHERE opened.sequence_number = 1 AND opened.write_timestamp < ? AND starts_with(opened.persistence_id, ?)
              AND NOT EXISTS (SELECT FROM event_journal later
                WHERE later.persistence_id = opened.persistence_id AND later.write_timestamp >= ?)
            ORDER BY opened.write_timestamp, opened.persistence_id LIMIT ?""";

    /** @param ended null: it has not */
    private record Opened(
            String persistenceId, long at, @Nullable Instant ended) {}

    private record Position(long at, String persistenceId) {
        static final Position START = new Position(Long.MIN_VALUE, "");
    }

    private interface Deletion {
        Map<String, Long> delete(Connection connection, List<SessionId> sessions) throws SQLException;
    }

    private final Journal journal;
    private final PrivacySettings.Retention settings;
    private final Sweep.Members members;
    private final Consumer<SessionId> wake;
    private final Duration longest;
    private final Clock clock;
    private final LongAdder runs = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder sessions = new LongAdder();
    private final LongAdder rows = new LongAdder();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("session-retention").factory());
    private volatile boolean closed;
    // Confined to the thread.
    private Instant next = Instant.MIN;
    private Position wordless = Position.START;

    private Retention(
            Journal journal,
            PrivacySettings.Retention settings,
            Sweep.Members members,
            Consumer<SessionId> wake,
            Duration longest,
            Clock clock) {
        this.journal = journal;
        this.settings = settings;
        this.members = members;
        this.wake = wake;
        this.longest = longest;
        this.clock = clock;
    }

    /**
     * @param wake called on the retention's thread; has to be quick
     * @param longest no session lives longer
     */
    static Retention start(
            Journal journal,
            PrivacySettings.Retention settings,
            Sweep.Members members,
            Consumer<SessionId> wake,
            Duration longest,
            Clock clock) {
        var retention = new Retention(journal, settings, members, wake, longest, clock);
        if (!settings.journal().isZero() || !settings.transcripts().isZero()) {
            retention.thread.scheduleWithFixedDelay(
                    retention::lookAround, 0, LOOK_AROUND.toMillis(), TimeUnit.MILLISECONDS);
        }
        return retention;
    }

    /** Times it looked for sessions whose time is over. */
    long runs() {
        return runs.sum();
    }

    /** Times it could not finish. */
    long failures() {
        return failures.sum();
    }

    /** Sessions that were deleted. */
    long sessions() {
        return sessions.sum();
    }

    /** Rows that were deleted, of all tables. */
    long rows() {
        return rows.sum();
    }

    /** Does not wait for a batch that is under way. */
    @Override
    public void close() {
        closed = true;
        thread.shutdownNow();
    }

    private void lookAround() {
        try {
            var now = clock.instant();
            if (now.isBefore(next) || !members.areLedByThisNode()) {
                return;
            }
            next = now.plus(settings.every());
            run(now);
        } catch (SQLException | RuntimeException failed) {
            // The schedule would end with an exception. The message may hold what could not be deleted.
            failures.increment();
            LOG.warn(
                    "sessions whose time is over were not deleted: {}",
                    failed.getClass().getSimpleName());
        }
    }

    private void run(Instant now) throws SQLException {
        runs.increment();
        try (var connection = journal.connect(ANSWER)) {
            if (!settings.journal().isZero()) {
                long before = sessions.sum();
                walk(connection, now.minus(settings.journal()), Position.START, this::deleteAll);
                if (sessions.sum() > before) {
                    LOG.info(
                            "{} sessions deleted, ended longer than {} ago",
                            sessions.sum() - before,
                            settings.journal());
                }
                // Named, it is opened within its time, and ended after the longest: by then its session may be deleted.
                forgetInterviews(
                        connection, now.minus(settings.journal()).minus(longest).minus(Interview.TO_OPEN));
            }
            if (!settings.transcripts().isZero() && !settings.transcripts().equals(settings.journal())) {
                wordless = walk(connection, now.minus(settings.transcripts()), wordless, Traces::deleteWords);
            }
        }
    }

    private Map<String, Long> deleteAll(Connection connection, List<SessionId> ended) throws SQLException {
        var deleted = Traces.delete(connection, ended, false);
        sessions.add(ended.size());
        return deleted;
    }

    /**
     * Deletes of the sessions that ended before, from a position on, batch by batch.
     *
     * @return up to where all have ended, and need not be looked at again
     */
    private Position walk(Connection connection, Instant before, Position from, Deletion deletion) throws SQLException {
        var done = from;
        var at = from;
        boolean gapless = true;
        List<Opened> batch;
        do {
            batch = openedBefore(connection, before, at);
            var ended = new ArrayList<SessionId>();
            for (var opened : batch) {
                at = new Position(opened.at(), opened.persistenceId());
                var session = SessionId.parse(
                        opened.persistenceId().substring(VoiceSession.KEY.name().length() + 1));
                if (opened.ended() == null) {
                    session.ifPresent(wake);
                } else if (opened.ended().isBefore(before)) {
                    session.ifPresent(ended::add);
                }
                gapless &= opened.ended() != null && opened.ended().isBefore(before);
                done = gapless ? at : done;
            }
            if (!ended.isEmpty()) {
                deletion.delete(connection, ended).values().forEach(rows::add);
            }
        } while (batch.size() == settings.batch() && !closed && members.areLedByThisNode());
        return done;
    }

    private void forgetInterviews(Connection connection, Instant before) throws SQLException {
        List<String> held;
        do {
            held = lastHeldBefore(connection, before);
            if (!held.isEmpty()) {
                Traces.deleteWritten(connection, held, before).values().forEach(rows::add);
            }
        } while (held.size() == settings.batch() && !closed && members.areLedByThisNode());
    }

    private List<String> lastHeldBefore(Connection connection, Instant before) throws SQLException {
        try (var query = connection.prepareStatement(LAST_HELD_BEFORE)) {
            query.setLong(1, before.toEpochMilli());
            query.setString(2, Interview.KEY.name() + "|");
            query.setLong(3, before.toEpochMilli());
            query.setInt(4, settings.batch());
            var held = new ArrayList<String>();
            try (var found = query.executeQuery()) {
                while (found.next()) {
                    held.add(found.getString(1));
                }
            }
            return held;
        }
    }

    private List<Opened> openedBefore(Connection connection, Instant before, Position after) throws SQLException {
        try (var query = connection.prepareStatement(OPENED_BEFORE)) {
            query.setLong(1, before.toEpochMilli());
            query.setLong(2, after.at());
            query.setString(3, after.persistenceId());
            query.setString(4, VoiceSession.KEY.name() + "|");
            query.setInt(5, settings.batch());
            var opened = new ArrayList<Opened>();
            try (var found = query.executeQuery()) {
                while (found.next()) {
                    var ended = found.getObject(3, Long.class);
                    opened.add(new Opened(
                            found.getString(1), found.getLong(2), ended == null ? null : Instant.ofEpochMilli(ended)));
                }
            }
            return opened;
        }
    }
}
