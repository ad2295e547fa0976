package parley.session;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows whether the journal's database takes writes, so that nobody has to wait for a write to learn it.
 *
 * <p>Asks on a connection and a daemon thread of its own, every {@code watch-every}, and gives up on an answer after
 * {@code watch-timeout}. A database that cannot be reached, does not answer or is read-only (a standby, for one) failed;
 * the question is then asked once more, at once and on a new connection. Two failures in a row: down. One answer: up. It
 * writes nothing, so a database that answers and cannot write, its disk being full, counts as up.
 *
 * <p>Thread-safe; asking it never waits. It is up until it was seen down: a node starts with its migrations.
 */
public final class JournalWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalWatch.class);

    private final Journal journal;
    private final JournalSettings settings;
    private final List<Consumer<Boolean>> listeners = new CopyOnWriteArrayList<>();
    private final LongAdder checks = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder outages = new LongAdder();
    private final Thread thread;
    /** When the failures began that made it be down, in nanoseconds; null while it is up. */
    private volatile @Nullable Long downSince;

    private volatile boolean closed;
    private @Nullable Connection connection;

    private JournalWatch(Journal journal, JournalSettings settings) {
        this.journal = journal;
        this.settings = settings;
        thread = Thread.ofPlatform().daemon().name("journal-watch").unstarted(this::watch);
    }

    public static JournalWatch start(Journal journal, JournalSettings settings) {
        var watch = new JournalWatch(journal, settings);
        watch.thread.start();
        return watch;
    }

    public boolean isUp() {
        return downSince == null;
    }

    /** Since its first failure; zero while it is up. */
    public Duration downFor() {
        var since = downSince;
        return since == null ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - since);
    }

    /** Called on the watch's thread with whether it is up, each time that changes; has to be quick. */
    public void onChange(Consumer<Boolean> listener) {
        listeners.add(listener);
    }

    /** Times the database was asked. */
    public long checks() {
        return checks.sum();
    }

    /** Times it did not answer, or not as one that takes writes. */
    public long failures() {
        return failures.sum();
    }

    /** Times it went down. */
    public long outages() {
        return outages.sum();
    }

    /** Ends within {@code watch-timeout}; does not wait for that. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void watch() {
        long firstFailure = 0;
        int inARow = 0;
        while (!closed) {
            long began = System.nanoTime();
            boolean good = takesWrites();
            if (good) {
                inARow = 0;
                turn(null);
            } else if (++inARow == 1) {
                firstFailure = began;
            } else {
                turn(firstFailure);
            }
            if (good || inARow > 1) {
                pause();
            }
        }
        hangUp();
    }

    private boolean takesWrites() {
        checks.increment();
        try {
            var open = connection;
            if (open == null) {
                open = journal.connect(settings.watchTimeout());
                connection = open;
            }
            try (var statement = open.createStatement();
                    var answer = statement.executeQuery("SHOW transaction_read_only")) {
                if (answer.next() && "off".equals(answer.getString(1))) {
                    return true;
                }
            }
        } catch (SQLException failed) {
            LOG.debug("the journal does not answer: {}", failed.getSQLState());
        }
        failures.increment();
        // A standby that is promoted, or an address that moves, shows on a new connection first.
        hangUp();
        return false;
    }

    private void turn(@Nullable Long since) {
        boolean wasUp = downSince == null;
        boolean up = since == null;
        if (wasUp == up || closed) {
            return;
        }
        if (up) {
            LOG.info("the journal is back after {} ms", downFor().toMillis());
        } else {
            outages.increment();
            LOG.warn("the journal is down: {} does not take writes", journal.place());
        }
        downSince = since;
        for (var listener : listeners) {
            try {
                listener.accept(up);
            } catch (RuntimeException failed) {
                LOG.error("a listener of the journal's watch failed", failed);
            }
        }
    }

    private void pause() {
        try {
            Thread.sleep(settings.watchEvery());
        } catch (InterruptedException woken) {
            // Only close interrupts, and the loop sees it.
            Thread.currentThread().interrupt();
        }
    }

    private void hangUp() {
        var open = connection;
        connection = null;
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (SQLException alreadyGone) {
            LOG.debug("the connection was gone: {}", alreadyGone.getSQLState());
        }
    }
}
