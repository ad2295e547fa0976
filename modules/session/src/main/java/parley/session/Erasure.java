package parley.session;

import java.util.Map;
import java.util.concurrent.CompletionStage;
import parley.admission.CallerId;

/** Deletes everything of one user that Parley has stored. Thread-safe. */
public interface Erasure {
    /**
     * Ends the live sessions of this user of this tenant, wherever they live, and deletes all there is of all of its
     * sessions: facts, snapshots, tags, states, and what is made from them. Nobody else's are touched.
     *
     * <p>Safe to repeat, and to be repeated when it fails: of a session all is there or nothing, and what was not deleted
     * is found again.
     *
     * @return what was deleted, of this call; fails when the database, or a session, does not answer, or when too many
     *     such calls are waiting
     */
    CompletionStage<Erased> forget(CallerId caller);

    /**
     * What was deleted.
     *
     * @param rows by table
     */
    record Erased(int sessions, Map<String, Long> rows) {
        public Erased {
            rows = Map.copyOf(rows);
        }
    }
}
