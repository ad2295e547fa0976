package parley.load.chaos;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one caller lived through. Written on its event loop; read by others after it has hung up.
 *
 * <p>The notes are for people: the last {@value #MOST_NOTES} are kept. No sound and no words are in them.
 */
final class Diary {
    private static final int MOST_NOTES = 400;

    final int caller;
    final List<Turn> turns = new ArrayList<>();
    final List<Long> seatings = new ArrayList<>();
    final Pauses pauses = new Pauses();
    final Map<Resume, Integer> resumes = new EnumMap<>(Resume.class);
    /** Ends of sockets that the caller came back from, and error events, with their number. */
    final Map<String, Integer> trouble = new TreeMap<>();
    /** Output tokens of every response that was heard of. */
    long outputTokens;
    /** Answers that the server said were lost: paid for, it may be, and not heard. */
    int answersLost;

    private final Deque<String> notes = new ArrayDeque<>();
    private final long beganAt;
    private int moves;
    private long missing;
    private long doubled;
    private @Nullable String sessionId;
    private @Nullable Ending lost;

    /** @param beganAt when the run began: notes count from it */
    Diary(int caller, long beganAt) {
        this.caller = caller;
        this.beganAt = beganAt;
    }

    void note(String what) {
        if (notes.size() == MOST_NOTES) notes.removeFirst();
        notes.add(String.format(Locale.ROOT, "%8.2f s  ", (System.nanoTime() - beganAt) / 1e9) + what);
    }

    void sessionId(String id) {
        sessionId = id;
    }

    /** @param nanos from dialling until the session was there */
    void resumed(Resume how, boolean beforeTheBreak, long nanos) {
        seatings.add(nanos);
        resumes.merge(how, 1, Integer::sum);
        if (beforeTheBreak) moves++;
    }

    void ended(Ending ending) {
        trouble.merge("closed " + ending, 1, Integer::sum);
    }

    void error(String code) {
        trouble.merge("error " + code, 1, Integer::sum);
        note("hears error %s".formatted(code));
    }

    /** A connection is over: what its numbers were like counts. */
    void numbered(Numbering numbering) {
        if (numbering.missing() + numbering.doubled() > 0) {
            note("numbers: %d missing, %d doubled".formatted(numbering.missing(), numbering.doubled()));
        }
        missing += numbering.missing();
        doubled += numbering.doubled();
    }

    /** The session ended, and the caller had not asked for it. */
    void lost(Ending ending) {
        lost = ending;
        note("has lost the session: %s".formatted(ending));
    }

    @Nullable
    Ending lost() {
        return lost;
    }

    @Nullable
    String sessionId() {
        return sessionId;
    }

    /** Resumes that were made before the old connection broke. */
    int moves() {
        return moves;
    }

    long missingNumbers() {
        return missing;
    }

    long doubledNumbers() {
        return doubled;
    }

    List<String> notes() {
        return List.copyOf(notes);
    }
}
