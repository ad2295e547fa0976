package parley.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;

/**
 * What a provider was told of the caller's speech and may not have kept: the turn that is being spoken, and a moment
 * before it began. Whoever takes the provider's place is told it again, so that no turn is lost with a provider.
 *
 * <p>Keeps copies, because sending masks a frame's bytes. Holds {@code utterance-lead} of audio while nobody speaks and
 * {@code utterance} of it while somebody does; beyond, the oldest is forgotten. Confined to the conversation's loop.
 */
final class Utterance {
    /** A frame of the caller's audio. */
    record Spoken(Frame frame, long ms) {}

    private final ArrayDeque<Spoken> kept = new ArrayDeque<>();
    private final long leadMs;
    private final long mostMs;
    private boolean speaking;
    private long keptMs;
    /** Of the audio that is kept, how much belongs to a turn that was committed and is not settled. */
    private long committedMs;
    /** The item that this turn became, which holds no words yet; null before it is one. */
    private @Nullable String wordless;

    Utterance(long leadMs, long mostMs) {
        this.leadMs = leadMs;
        this.mostMs = mostMs;
    }

    /** A frame is about to be sent; stays the caller's. */
    void passes(Frame frame, long ms) {
        kept.add(new Spoken(Frame.copyOf(frame), ms));
        keptMs += ms;
        forgetBeyond(isOpen() ? mostMs : leadMs);
    }

    /** Somebody speaks, or whether somebody does is not the provider's to say. */
    void speaks() {
        speaking = true;
    }

    /** The provider has ended the turn. */
    void committed() {
        committedMs = keptMs;
        wordless = null;
        speaking = false;
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
            long rest = keptMs - committedMs;
            committedMs = 0;
            wordless = null;
            forgetBeyond(speaking ? rest : Math.min(rest, leadMs));
        }
    }

    /** Nothing of it matters any more. */
    void cleared() {
        committedMs = 0;
        wordless = null;
        speaking = false;
        forgetBeyond(0);
    }

    /** Whether a turn is being spoken, or was and is not settled. */
    boolean isOpen() {
        return speaking || committedMs > 0;
    }

    /** The item that takes back what it says when it is told again; null when there is none. */
    @Nullable
    String wordlessItem() {
        return wordless;
    }

    /** Of what is told again, how many frames belong to a turn that was committed. */
    int committedFrames() {
        int frames = 0;
        long ms = 0;
        for (var spoken : kept) {
            if (ms >= committedMs) {
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
        committedMs = 0;
        wordless = null;
        return again;
    }

    void release() {
        takeAgain().forEach(spoken -> spoken.frame().release());
    }

    private void forgetBeyond(long bound) {
        while (keptMs > bound && !kept.isEmpty()) {
            var oldest = kept.poll();
            keptMs -= oldest.ms();
            committedMs = Math.max(0, committedMs - oldest.ms());
            oldest.frame().release();
        }
    }
}
