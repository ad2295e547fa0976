package parley.provider.simulator;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one connection lived through, as the simulator saw it up to the moment it was asked: the testimony of a test.
 *
 * <p>No sound and no words: what was said is told by its length and its pitch, what was written by its length.
 *
 * @param caller     the pseudonym in {@code OpenAI-Safety-Identifier}; empty when there was none
 * @param model      as asked for
 * @param frozen     since when it is mute and deaf; null when it is not
 * @param closed     null while it is open
 * @param closeCode  of the WebSocket; 1006 when it was lost or cut, 0 while it is open
 * @param firstAudio when input audio first arrived; null when none has. In load mode none is noticed
 * @param turns      what was heard, committed by either side, in order
 * @param items      what the client put into the conversation by itself, in order
 * @param forgotten  turns, responses and items that are missing at the front because there were too many
 */
public record ConnectionStory(
        String caller,
        String model,
        Moment opened,
        @Nullable Moment frozen,
        @Nullable Moment closed,
        int closeCode,
        @Nullable Moment firstAudio,
        @Nullable Moment lastAudio,
        long audioMillis,
        List<Heard> turns,
        List<Answered> responses,
        List<Given> items,
        long forgotten) {

    public ConnectionStory {
        turns = List.copyOf(turns);
        responses = List.copyOf(responses);
        items = List.copyOf(items);
    }

    /**
     * A point in time by two clocks.
     *
     * @param nanos of {@link System#nanoTime} in this process
     */
    public record Moment(long nanos, Instant at) {}

    /**
     * A spoken turn.
     *
     * @param at           of its commit
     * @param audioMillis  all of it
     * @param speechMillis from its first loud sound to its last
     * @param hertz        the pitch of what was loud: half of its changes of sign per second; 0 when there were few
     * @param tone         whether it was a tone of that pitch and nothing else
     */
    public record Heard(String itemId, Moment at, long audioMillis, long speechMillis, int hertz, boolean tone) {}

    /**
     * A response.
     *
     * @param done   null while it runs, and for good when the connection ended or froze before it
     * @param status as in {@code response.done}; null as {@code done} is
     * @param callId of the function call that it made; null for words
     */
    public record Answered(
            String id,
            Moment created,
            @Nullable Moment done,
            @Nullable String status,
            @Nullable String callId) {}

    /**
     * An item that came by {@code conversation.item.create}.
     *
     * @param type    as on the wire
     * @param role    of a message
     * @param letters of its texts, or of a function's arguments or output
     * @param callId  of a function call or its output
     */
    public record Given(
            String itemId,
            Moment at,
            String type,
            @Nullable String role,
            long letters,
            @Nullable String callId) {}
}
