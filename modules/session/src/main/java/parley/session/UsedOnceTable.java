package parley.session;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link UsedOnce} as rows of a table: a key is used by whoever inserts it.
 *
 * <p>All uses that wait are inserted by one statement, on a daemon thread and a connection of its own: however many
 * come, the database is asked one thing at a time. At most {@code used-once.waiting} wait, and each for {@code
 * used-once.timeout} at most; who comes on top of that fails at once.
 *
 * <p>A connection that breaks is opened again and the statement repeated once. Perhaps the first one was done and only
 * its answer lost: then nobody is told yes.
 */
final class UsedOnceTable implements UsedOnce {
    private static final Logger LOG = LoggerFactory.getLogger(UsedOnceTable.class);

    private static final String INSERT =
            "INSERT INTO used_once (key, until) SELECT * FROM unnest(?, ?) ON CONFLICT DO NOTHING RETURNING key";

    /** Long after its end, because what one node's clock calls past may not be past for another's. */
    private static final String TIDY = "DELETE FROM used_once WHERE until < now() - interval '1 hour'";

    private static final int MAX_KEY = 255;

    private record Use(String key, Instant until, long asked, CompletableFuture<Boolean> first) {}

    private final Journal journal;
    private final JournalSettings settings;
    private final BlockingQueue<Use> waiting;
    private final Thread thread;
    private volatile boolean closed;
    // Confined to the thread.
    private @Nullable Connection connection;
    private long tidied = System.nanoTime();

    private UsedOnceTable(Journal journal, JournalSettings settings) {
        this.journal = journal;
        this.settings = settings;
        this.waiting = new ArrayBlockingQueue<>(settings.onceWaiting());
        this.thread = Thread.ofPlatform().daemon().name("used-once").unstarted(this::run);
    }

    static UsedOnceTable start(Journal journal, JournalSettings settings) {
        var table = new UsedOnceTable(journal, settings);
        table.thread.start();
        return table;
    }

    @Override
    public CompletionStage<Boolean> use(String key, Instant until) {
        if (key.length() > MAX_KEY) {
            throw new IllegalArgumentException(
                    "key: " + key.length() + " characters (expected: at most " + MAX_KEY + ")");
        }
        var use = new Use(key, until, System.nanoTime(), new CompletableFuture<>());
        if (closed || !waiting.offer(use)) {
            return CompletableFuture.failedFuture(
                    new IllegalStateException(closed ? "closed" : settings.onceWaiting() + " uses wait already"));
        }
        if (closed) {
            failAll(new IllegalStateException("closed"));
        }
        // The caller waits no longer than this, wherever the statement is stuck; the thread gives up soon after.
        return use.first().orTimeout(settings.onceTimeout().toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Does not wait for a statement that is under way. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        failAll(new IllegalStateException("closed"));
    }

    private void run() {
        while (!closed) {
            try {
                var first = waiting.poll(settings.onceTidyEvery().toMillis(), TimeUnit.MILLISECONDS);
                if (first != null) {
                    serve(first);
                }
                tidy();
            } catch (InterruptedException ended) {
                // Only close interrupts, and the loop sees it.
                Thread.currentThread().interrupt();
            }
        }
        hangUp();
    }

    private void serve(Use first) {
        var uses = new ArrayList<>(List.of(first));
        waiting.drainTo(uses);
        // Who has been told already that it cannot be known shall not use the key up.
        uses.removeIf(use -> use.first().isDone());
        if (uses.isEmpty()) {
            return;
        }
        try {
            var inserted = insert(uses);
            // Two of the same key in one statement: the row is the first one's.
            uses.forEach(use -> use.first().complete(inserted.remove(use.key())));
        } catch (SQLException failed) {
            LOG.warn("the database does not tell what was used: {}", failed.getSQLState());
            uses.forEach(use -> use.first().completeExceptionally(failed));
        }
    }

    private Set<String> insert(List<Use> uses) throws SQLException {
        boolean wasOpen = connection != null;
        try {
            return insert(open(), uses);
        } catch (SQLException failed) {
            hangUp();
            if (!wasOpen
                    || System.nanoTime() - uses.getFirst().asked()
                            > settings.onceTimeout().toNanos()) {
                throw failed;
            }
        }
        try {
            return insert(open(), uses);
        } catch (SQLException again) {
            hangUp();
            throw again;
        }
    }

    private static Set<String> insert(Connection connection, List<Use> uses) throws SQLException {
        try (var statement = connection.prepareStatement(INSERT)) {
            statement.setArray(
                    1,
                    connection.createArrayOf(
                            "varchar", uses.stream().map(Use::key).toArray()));
            statement.setArray(
                    2,
                    connection.createArrayOf(
                            "timestamptz",
                            uses.stream().map(use -> use.until().toString()).toArray()));
            var inserted = new HashSet<String>();
            try (var rows = statement.executeQuery()) {
                while (rows.next()) {
                    inserted.add(rows.getString(1));
                }
            }
            return inserted;
        }
    }

    private void tidy() {
        if (System.nanoTime() - tidied < settings.onceTidyEvery().toNanos()) {
            return;
        }
        tidied = System.nanoTime();
        try (var statement = open().createStatement()) {
            statement.executeUpdate(TIDY);
        } catch (SQLException failed) {
            LOG.debug("the rows that ended remain for now: {}", failed.getSQLState());
            hangUp();
        }
    }

    private Connection open() throws SQLException {
        var open = connection;
        if (open == null) {
            open = journal.connect(settings.onceTimeout());
            connection = open;
        }
        return open;
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

    private void failAll(RuntimeException why) {
        var left = new ArrayList<Use>();
        waiting.drainTo(left);
        left.forEach(use -> use.first().completeExceptionally(why));
    }
}
