package parley.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;

/**
 * What a provider was told of the caller's speech and may not have kept: the turn that is being spoken, and a moment
 * before it began. Whoever takes the provider's place is told it again, so that no turn is lost with a provider.
 *
 * <p>What the provider says of a turn comes late: more was told meanwhile, and after a redial much more, all at once. So
 * a turn ends where the provider says that it does, and while nobody speaks nothing is forgotten that it has not had
 * {@code utterance-lead} of time to call speech.
 *
 * <p>Keeps copies, because sending masks a frame's bytes. Holds {@code utterance-lead} of audio while nobody speaks, and
 * never more than {@code utterance}; beyond, the oldest is forgotten. Confined to the conversation's loop.
 */
final class Utterance {
    /**
     * A frame of the caller's audio.
     *
     * @param at when it was sent, in the clock's nanoseconds
     */
    record Spoken(Frame frame, long ms, long at) {}

    /** Of a provider that never confirms one. */
    private static final int MAX_COMMITS = 64;

    private final ArrayDeque<Spoken> kept = new ArrayDeque<>();
    /** Where the provider was told to end a turn, and has not said that it did; on its clock, {@link #toldMs}. */
    private final ArrayDeque<Long> commits = new ArrayDeque<>(0);

    private final long leadMs;
    private final long mostMs;
    private final LongSupplier clock;
    private boolean speaking;
    private long keptMs;
    /** What this provider was told in all: its clock of the caller's audio, {@code audio_end_ms} and the like. */
    private long toldMs;
    /** Where on that clock the turn ends, as the provider says; -1 when it has not. */
    private long endsAtMs = -1;
    /** Of the audio that is kept, how much belongs to a turn that was committed and is not settled. */
    private long committedMs;
    /** The item that this turn became, which holds no words yet; null before it is one. */
    private @Nullable String wordless;

    /** @param clock as {@link System#nanoTime} */
    Utterance(long leadMs, long mostMs, LongSupplier clock) {
        this.leadMs = leadMs;
        this.mostMs = mostMs;
        this.clock = clock;
    }

    /** A frame is about to be sent; stays the caller's. */
    void passes(Frame frame, long ms) {
        long now = clock.getAsLong();
        kept.add(new Spoken(Frame.copyOf(frame), ms, now));
        keptMs += ms;
        toldMs += ms;
        forgetTheOldest(now);
    }

    /** Somebody speaks, or whether somebody does is not the provider's to say. */
    void speaks() {
        speaking = true;
    }

    /** The provider has found the end of the turn, so far into what it was told. */
    void ends(long audioEndMs) {
        endsAtMs = audioEndMs;
    }

    /** The provider is about to be told that the turn ends here. */
    void tellsEnd() {
        if (commits.size() == MAX_COMMITS) {
            commits.remove();
        }
        commits.add(toldMs);
    }

    /**
     * The provider has ended the turn, as it was told to or by itself.
     *
     * @param saysNext whether it will say so when somebody speaks again
     */
    void committed(boolean saysNext) {
        var told = commits.poll();
        long since = toldMs - (told == null ? endsAtMs : told);
        if (told != null) {
            committedMs = Math.max(0, keptMs - since);
        } else {
            // Not every provider's clock is that of the protocol: what can not be is not believed.
            committedMs = endsAtMs >= 0 && since >= 0 && since < keptMs ? keptMs - since : keptMs;
        }
        speaking = !saysNext && told != null && since > 0;
        endsAtMs = -1;
        wordless = null;
    }

    /** The provider does not end the turn that it was told to. */
    void refusesEnd() {
        commits.poll();
    }

    /** The turn is an item of the conversation. Without words the history says too little of it to be answered. */
    void isItem(String itemId) {
        if (committedMs > 0) {
            wordless = itemId;
        }
    }

    /** The item has its words. */
    void isWritten(String itemId) {
        if (itemId.equals(wordless)) {
            settled();
        }
    }

    /** The model answers what it has heard, or nobody will ask it to. */
    void settled() {
        if (wordless != null) {
            while (committedMs > 0 && committedMs >= kept.element().ms()) {
                forget();
            }
            committedMs = 0;
            wordless = null;
            forgetTheOldest(clock.getAsLong());
        }
    }

    /** Nothing of it matters any more. */
    void cleared() {
        committedMs = 0;
        wordless = null;
        speaking = false;
        while (!kept.isEmpty()) {
            forget();
        }
    }

    /** Whether a turn is being spoken, or was and is not settled. */
    boolean isOpen() {
        return speaking || committedMs > 0 || !commits.isEmpty();
    }

    /** The item that takes back what it says when it is told again; null when there is none. */
    @Nullable
    String wordlessItem() {
        return wordless;
    }

    /** Of what is told again, how many frames belong to a turn that was committed, or was to be. */
    int committedFrames() {
        long upTo = commits.isEmpty() ? committedMs : keptMs - (toldMs - commits.getLast());
        int frames = 0;
        long ms = 0;
        for (var spoken : kept) {
            if (ms >= upTo) {
                break;
            }
            ms += spoken.ms();
            frames++;
        }
        return frames;
    }

    /** What is to be told again, handed over, the oldest first. */
    List<Spoken> takeAgain() {
        var again = new ArrayList<>(kept);
        kept.clear();
        speaking = isOpen();
        keptMs = 0;
        toldMs = 0;
        endsAtMs = -1;
        commits.clear();
        committedMs = 0;
        wordless = null;
        return again;
    }

    void release() {
        takeAgain().forEach(spoken -> spoken.frame().release());
    }

    private void forgetTheOldest(long now) {
        while (keptMs > mostMs) {
            forget();
        }
        if (!isOpen()) {
            long heardUpTo = now - TimeUnit.MILLISECONDS.toNanos(leadMs);
            while (keptMs > leadMs && kept.element().at() - heardUpTo <= 0) {
                forget();
            }
        }
    }

    private void forget() {
        var oldest = kept.remove();
        keptMs -= oldest.ms();
        committedMs = Math.max(0, committedMs - oldest.ms());
        oldest.frame().release();
    }
}
