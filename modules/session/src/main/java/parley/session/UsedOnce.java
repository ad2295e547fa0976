package parley.session;

import java.time.Instant;
import java.util.concurrent.CompletionStage;

/** Knows what has been used, for the whole cluster and across restarts. Thread-safe; never blocks its caller. */
public interface UsedOnce extends AutoCloseable {
    /**
     * Whether this is the first use of a key. Of all who ever ask, on any node, at most one is told yes.
     *
     * @param key up to 255 characters, and nobody's secret: it is stored as it is
     * @param until when the key means nothing any more by itself; it is remembered for an hour longer
     * @return completed on any thread; fails when it cannot be known, within a bounded time. Nobody has been told yes
     *     then, and perhaps nobody ever will
     */
    CompletionStage<Boolean> use(String key, Instant until);

    /** What still waits fails. */
    @Override
    default void close() {}

    /** In the table {@code used_once} of the journal's database, which has been migrated. */
    static UsedOnce in(Journal journal, JournalSettings settings) {
        return UsedOnceTable.start(journal, settings);
    }
}
