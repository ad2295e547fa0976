package parley.admission;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** What is journaled of the evidence, until the next snapshot. A field may be added with a default, and nothing else. */
sealed interface EvidenceEvent extends CborSerializable {
    /**
     * A node has seen something.
     *
     * @param life of the node: another after each start
     * @param number rises with each batch of a life
     * @param voiceUsers so many users of {@link Arm#VOICE} had not been met before, and {@code controlUsers} of the other
     */
    record Seen(
            String life, long number, List<Observation> observations, Instant at, long voiceUsers, long controlUsers)
            implements EvidenceEvent {
        public Seen {
            observations = List.copyOf(observations);
        }
    }

    /** For so long some node said nothing: what happened there was not measured in time. */
    record Blind(Duration time) implements EvidenceEvent {}

    /** What was seen before counts no longer: the rollout has moved on. */
    record Begun(long era) implements EvidenceEvent {}
}
