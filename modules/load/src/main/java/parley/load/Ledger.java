package parley.load;

import java.util.BitSet;

/** One session's frames: how many went out, which came back, and in what order. One bit for each frame sent. */
final class Ledger {
    enum Verdict {
        IN_ORDER,
        /** Overtaken by a later frame. */
        REORDERED,
        /** Heard before. */
        DOUBLED,
        /** Never sent. */
        UNKNOWN
    }

    private final BitSet heard = new BitSet();
    private int sent;
    private int answered;
    private int next;

    /** Notes that a frame goes out, and gives its sequence number. */
    int send() {
        return sent++;
    }

    Verdict hear(int sequence) {
        if (sequence < 0 || sequence >= sent) return Verdict.UNKNOWN;
        if (heard.get(sequence)) return Verdict.DOUBLED;
        heard.set(sequence);
        answered++;
        if (sequence < next) return Verdict.REORDERED;
        next = sequence + 1;
        return Verdict.IN_ORDER;
    }

    /** Frames not heard so far; at the end of a run, the lost ones. */
    int missing() {
        return sent - answered;
    }
}
