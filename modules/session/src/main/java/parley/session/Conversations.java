package parley.session;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import parley.wire.Port;

/** The seats of this node's conversations that are kept for a caller under way. Thread-safe. */
final class Conversations {
    private final ConcurrentHashMap<String, Seat> kept = new ConcurrentHashMap<>();

    /**
     * A place in a conversation.
     *
     * @param welcome what the caller hears first; null for nothing
     */
    record Seat(Conversation conversation, @Nullable String welcome) {
        CompletionStage<Port> take(String name) {
            return conversation.seat(name, welcome);
        }
    }

    void keep(String name, Seat seat) {
        kept.put(name, seat);
        // Whoever asked for it is gone: the session's own clock ends what nobody sits in.
        seat.conversation().loop().schedule(() -> kept.remove(name, seat), 30, java.util.concurrent.TimeUnit.SECONDS);
    }

    /** Each seat is taken once; null when it is not there. */
    @Nullable
    Seat take(String name) {
        return kept.remove(name);
    }
}
