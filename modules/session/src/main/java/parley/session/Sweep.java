package parley.session;

import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds sessions that are not over and that perhaps nobody watches, and wakes them, so that their own clocks end them.
 *
 * <p>A session's clocks run where it lives. When that node is gone and its caller never comes back, nobody would start
 * them again; so one node of the cluster, the one that has been up longest, looks in the journal for sessions that were
 * opened and have not ended: at start, every {@code sweep.every}, and soon after a member is gone. That a session is
 * awake already is not known here: waking it once more does nothing. Nor does it matter that two nodes may sweep for a
 * moment while they disagree who is the oldest.
 *
 * <p>Reads only, on a daemon thread and a connection of its own, with one query per look, of at most {@code
 * sweep.sessions}; where more are found, the next look goes on from there. A look that fails is repeated at the next
 * time. Thread-safe.
 */
final class Sweep implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sweep.class);
    private static final Duration LOOK_AROUND = Duration.ofSeconds(1);
    private static final Duration QUERY = Duration.ofSeconds(10);

    /**
     * A session's first fact is its first row. An end is newer than its beginning, so that of all the ends only those
     * behind the first beginning count. Their sessions are looked up one by one: the planner, who cannot know how few
     * they are, would read the whole journal.
     */
    static final String UNENDED = """
            WITH opened AS (
              SELECT persistence_id, ordering FROM event_journal
              WHERE sequence_number = 1 AND write_timestamp >= ? AND ordering > ?
                AND starts_with(persistence_id, ?)),
            ended AS MATERIALIZED (
              SELECT (SELECT persistence_id FROM event_journal WHERE ordering = event_id) FROM event_tag
              WHERE tag = 'ended' AND event_id > (SELECT min(ordering) FROM opened))
            SELECT persistence_id, ordering FROM opened
            WHERE NOT EXISTS (SELECT FROM ended WHERE ended.persistence_id = opened.persistence_id)
            ORDER BY ordering LIMIT ?""";

    /** The cluster as the sweep sees it; asked on the sweep's thread. */
    interface Members {
        /** Whether this node is the one that sweeps. */
        boolean areLedByThisNode();

        Set<String> present();
    }

    private record Found(SessionId session, long ordering) {}

    private final Journal journal;
    private final JournalSettings settings;
    private final Duration maxLength;
    private final Members members;
    private final Consumer<SessionId> wake;
    private final Clock clock;
    private final LongAdder looks = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder woken = new LongAdder();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("session-sweep").factory());
    // Confined to the thread.
    private Set<String> known = Set.of();
    private boolean leads;
    private boolean lookedBack;
    private Instant next = Instant.MIN;
    private Instant since = Instant.MIN;
    private long after;

    private Sweep(
            Journal journal,
            JournalSettings settings,
            Duration maxLength,
            Members members,
            Consumer<SessionId> wake,
            Clock clock) {
        this.journal = journal;
        this.settings = settings;
        this.maxLength = maxLength;
        this.members = members;
        this.wake = wake;
        this.clock = clock;
    }

    /**
     * Begins to sweep whenever this node is the oldest that is up.
     *
     * @param maxLength of a session
     * @param wake called on the sweep's thread; has to be quick
     */
    static Sweep start(
            Cluster cluster,
            Journal journal,
            JournalSettings settings,
            Duration maxLength,
            Consumer<SessionId> wake,
            Clock clock) {
        return start(journal, settings, maxLength, new Oldest(cluster), wake, clock);
    }

    static Sweep start(
            Journal journal,
            JournalSettings settings,
            Duration maxLength,
            Members members,
            Consumer<SessionId> wake,
            Clock clock) {
        var sweep = new Sweep(journal, settings, maxLength, members, wake, clock);
        sweep.thread.scheduleWithFixedDelay(sweep::lookAround, 0, LOOK_AROUND.toMillis(), TimeUnit.MILLISECONDS);
        return sweep;
    }

    /** Times the journal was asked. */
    long looks() {
        return looks.sum();
    }

    /** Times it did not answer. */
    long failures() {
        return failures.sum();
    }

    /** Sessions that were woken, or were awake. */
    long woken() {
        return woken.sum();
    }

    /** Does not wait for a look that is under way. */
    @Override
    public void close() {
        thread.shutdownNow();
    }

    private void lookAround() {
        try {
            boolean ledBefore = leads;
            var present = members.present();
            leads = members.areLedByThisNode();
            boolean someoneLeft = !present.containsAll(known);
            known = present;
            var now = clock.instant();
            if (!leads || (ledBefore && !someoneLeft && now.isBefore(next))) {
                return;
            }
            if (!ledBefore || someoneLeft) {
                after = 0;
            }
            if (!ledBefore) {
                lookedBack = false;
            }
            if (after == 0) {
                since = now.minus(lookedBack ? maxLength.plus(settings.sweepSlack()) : settings.sweepBack());
            }
            // What fails is tried again at the next time, not at once: the journal may be what is in trouble.
            next = now.plus(settings.sweepEvery());
            look();
        } catch (SQLException | RuntimeException failed) {
            // The schedule would end with an exception.
            failures.increment();
            LOG.warn(
                    "no look for sessions that nobody watches: {}",
                    failed.getClass().getSimpleName());
        }
    }

    private void look() throws SQLException {
        looks.increment();
        var found = unended();
        found.forEach(session -> wake.accept(session.session()));
        woken.add(found.size());
        boolean more = found.size() == settings.sweepSessions();
        after = more ? found.getLast().ordering() : 0;
        if (more) {
            next = Instant.MIN;
        } else {
            lookedBack = true;
        }
    }

    private List<Found> unended() throws SQLException {
        var prefix = VoiceSession.KEY.name() + "|";
        try (var connection = journal.connect(QUERY);
                var query = connection.prepareStatement(UNENDED)) {
            connection.setReadOnly(true);
            query.setLong(1, since.toEpochMilli());
            query.setLong(2, after);
            query.setString(3, prefix);
            query.setInt(4, settings.sweepSessions());
            var found = new ArrayList<Found>();
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    long ordering = rows.getLong(2);
                    SessionId.parse(rows.getString(1).substring(prefix.length()))
                            .ifPresent(session -> found.add(new Found(session, ordering)));
                }
            }
            return found;
        }
    }

    /** Whoever has been up longest: known to every node without asking, and there is one as long as there is a cluster. */
    record Oldest(Cluster cluster) implements Members {
        @Override
        public boolean areLedByThisNode() {
            return up().reduce((one, other) -> one.isOlderThan(other) ? one : other)
                    .map(oldest ->
                            oldest.uniqueAddress().equals(cluster.selfMember().uniqueAddress()))
                    .orElse(false);
        }

        @Override
        public Set<String> present() {
            return up().map(member -> member.uniqueAddress().toString()).collect(Collectors.toSet());
        }

        private Stream<Member> up() {
            return StreamSupport.stream(cluster.state().getMembers().spliterator(), false)
                    .filter(member -> member.status().equals(MemberStatus.up()));
        }
    }
}
