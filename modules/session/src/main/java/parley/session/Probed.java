package parley.session;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;

/**
 * What became of the last synthetic session by one way.
 *
 * @param arm whose providers it was for
 * @param provider who answered, or who was asked last
 * @param firstAudio from the question to the first sound of the answer; null when there was none
 * @param why in a word, why there was none, or why the answer failed; empty when it is well
 * @param costMicros in millionths of a US dollar: as the provider counted, or 0
 */
public record Probed(
        Arm arm,
        Instant at,
        @Nullable String provider,
        boolean created,
        @Nullable Duration firstAudio,
        String why,
        long costMicros) {
    /** Whether a caller would have been answered. */
    public boolean success() {
        return why.isEmpty();
    }
}
