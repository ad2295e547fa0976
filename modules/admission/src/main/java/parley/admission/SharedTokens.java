package parley.admission;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The door to the {@link SharedToken}, on every node: what is read comes from this node's memory, what is changed goes to
 * the one keeper of the cluster. Thread-safe.
 */
public interface SharedTokens {
    /** No earlier token is good for longer. */
    Duration LONGEST_OVERLAP = Duration.ofDays(7);

    /** As this node knows it; null: nobody has told it yet, and it cannot say which token is good. */
    @Nullable
    SharedToken current();

    /** Puts another token in the place of the present one, on every node. Completed, never failed. */
    CompletionStage<Rotated> rotate(Rotation rotation);

    /**
     * From now on {@code changed} is run whenever {@link #current} is another.
     *
     * @return stops it
     */
    Runnable watch(Runnable changed);

    /**
     * What is asked for.
     *
     * @param hash of the token to come
     * @param configured hash of the one that this node's configuration names: the present one where none was rotated
     * @param overlap how long the present one stays good; zero: not at all, and none before it either
     * @param expectedRevision what whoever asks has seen: of two who ask at once the second is refused
     */
    record Rotation(String hash, String configured, Duration overlap, Actor actor, String reason, long expectedRevision)
            implements CborSerializable {
        @Override
        public String toString() {
            return "Rotation[overlap=" + overlap + ", expectedRevision=" + expectedRevision + "]";
        }
    }

    /** What became of it. */
    sealed interface Rotated extends CborSerializable {
        record Done(SharedToken now) implements Rotated {}

        record Refused(Rollouts.Refusal why, String detail) implements Rotated {}
    }
}
