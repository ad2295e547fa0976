package parley.admission;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * How many sessions a user may begin within an hour, counted for the whole cluster. Asked for new sessions only: who comes
 * back to one was counted when it began. Thread-safe; never blocks.
 */
public interface Quotas {
    /**
     * Counts a session that is about to begin. Safe to repeat: a session counts once.
     *
     * @return never fails; completed on any thread
     */
    CompletionStage<Answer> take(CallerId caller, String session);

    /** What {@link #take} would answer to a new session; counts nothing. */
    CompletionStage<Answer> look(CallerId caller);

    /** The session never began, and does not count. Nobody learns whether that was noted. */
    void giveBack(CallerId caller, String session);

    /** Every user may begin any number of sessions. */
    static Quotas unlimited() {
        return new Quotas() {
            @Override
            public CompletionStage<Answer> take(CallerId caller, String session) {
                return CompletableFuture.completedFuture(new Answer.Granted());
            }

            @Override
            public CompletionStage<Answer> look(CallerId caller) {
                return CompletableFuture.completedFuture(new Answer.Granted());
            }

            @Override
            public void giveBack(CallerId caller, String session) {}
        };
    }

    /** Whether a session may begin. */
    sealed interface Answer {
        /** It may, and counts. */
        record Granted() implements Answer, CborSerializable {}

        /**
         * The user has begun as many as are allowed.
         *
         * @param perHour how many that are
         * @param retryAfter until the oldest of them is an hour old
         */
        record Refused(int perHour, Duration retryAfter) implements Answer, CborSerializable {}

        /** Whoever counts did not answer in time, and nobody is let in uncounted. */
        record Unanswered(Duration retryAfter) implements Answer {}
    }
}
