package parley.session;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parley.admission.Kill;
import parley.wire.Port;

/** This node's conversations, and the seats in them that are kept for callers under way. Thread-safe. */
final class Conversations {
    /** How somebody comes to a seat. */
    enum Manner {
        /** For the first time. */
        FIRST,
        /** After the connection was lost. */
        BACK,
        /** Never left: the session moved, or the link to it broke. */
        MOVED
    }

    /** What a node that has just started takes in without falling behind. */
    private static final Duration HAND_OVER_EVERY = Duration.ofMillis(100);

    private final ConcurrentHashMap<String, Seat> kept = new ConcurrentHashMap<>();
    private final Set<Conversation> running = ConcurrentHashMap.newKeySet();
    /** Those that are to let go, and have not told everything yet. */
    private final ConcurrentHashMap<Conversation, CompletableFuture<Void>> leaving = new ConcurrentHashMap<>();

    private boolean suspended;
    private Kill kill = Kill.NEVER;
    private long nextLeaves = System.nanoTime();
    /** That there were when they began to leave. */
    private int most;

    /**
     * A place in a conversation.
     *
     * @param order of the seats of a session; a later one is never superseded by an earlier one
     * @param lastSeq the number of the last event the caller has; -1 when that is not known
     * @param welcome what a guided caller hears first; null for nothing
     * @param acks whether it is told of each message that was taken
     */
    record Seat(
            Conversation conversation,
            Manner manner,
            long order,
            long lastSeq,
            @Nullable String welcome,
            boolean acks) {
        CompletionStage<Port> take(String name) {
            return conversation.seat(name, this);
        }
    }

    void keep(String name, Seat seat) {
        kept.put(name, seat);
        // Whoever asked for it is gone: the session's own clock ends what nobody sits in.
        seat.conversation().loop().schedule(() -> kept.remove(name, seat), 30, TimeUnit.SECONDS);
    }

    /** Each seat is taken once; null when it is not there. */
    @Nullable
    Seat take(String name) {
        return kept.remove(name);
    }

    synchronized void started(Conversation conversation) {
        running.add(conversation);
        if (suspended) {
            conversation.suspend();
        }
        obey(conversation);
    }

    void forEach(Consumer<Conversation> action) {
        running.forEach(action);
    }

    void ended(Conversation conversation) {
        running.remove(conversation);
    }

    /** Those that run here, with ids behind {@code after}, in order, at most {@code limit}. */
    List<Answer.View> views(String after, int limit) {
        return running.stream()
                .map(Conversation::view)
                .filter(view -> view.id().value().compareTo(after) > 0)
                .sorted(Comparator.comparing(view -> view.id().value()))
                .limit(limit)
                .toList();
    }

    /**
     * This node may not be the one that its sessions live on any more: until {@link #resume} none of them has a provider,
     * so that no session ever has two.
     */
    synchronized void suspend() {
        suspended = true;
        running.forEach(Conversation::suspend);
    }

    synchronized void resume() {
        suspended = false;
        running.forEach(Conversation::resume);
    }

    /** What the kill switch says goes for those that run, and for those that come from elsewhere. */
    synchronized void obey(Kill said) {
        if (said.compareTo(kill) >= 0) {
            kill = said;
            running.forEach(this::obey);
        }
    }

    private void obey(Conversation conversation) {
        if (kill.on() && kill.live() != Kill.Live.GO_ON) {
            conversation.kill(kill.live() == Kill.Live.CLOSE);
        }
    }

    /**
     * Whether one more may be handed over now: one after the other, because each new home is a write of the cluster's
     * table of shards and work for a node that may be cold, and who waits its turn here still talks. All of them get it
     * within half of {@code within}.
     */
    synchronized boolean mayHandOver(long now, Duration within) {
        if (nextLeaves - now > 0) {
            return false;
        }
        most = Math.max(most, running.size());
        long pace = Math.min(HAND_OVER_EVERY.toNanos(), within.toNanos() / 2 / Math.max(1, most));
        nextLeaves = now + pace;
        return true;
    }

    /** Every conversation is let go at once; completed when all have told everything. */
    CompletionStage<Void> letGo() {
        running.forEach(conversation -> leaving.computeIfAbsent(conversation, leaves -> new CompletableFuture<>()));
        leaving.keySet().forEach(Conversation::letGoNow);
        return CompletableFuture.allOf(leaving.values().toArray(CompletableFuture[]::new));
    }

    /** It has told everything. */
    void parted(Conversation conversation) {
        var done = leaving.remove(conversation);
        if (done != null) {
            done.complete(null);
        }
    }
}
