package parley.protocol;

import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes ids of the wire's form: a word, an underscore and twenty letters or digits; at most 26 characters, below the 32
 * that items and calls may have.
 *
 * <p>Unique, not secret: whoever has seen an id must be assumed to guess the next. Each id is a process-wide counter
 * scrambled with 128 random bits drawn once per process, so ids of one process do not repeat and two processes meet
 * with the odds of 118 random bits. Thread-safe and free of locks.
 */
public final class Ids {
    private static final char[] LETTERS =
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".toCharArray();
    private static final int HALF = 10;
    private static final long STEP = 0x9E3779B97F4A7C15L;
    private static final UUID SEED = UUID.randomUUID();
    private static final AtomicLong COUNTER = new AtomicLong();

    private Ids() {}

    /** {@code event_…}, for {@code event_id}. */
    public static String event() {
        return id("event_");
    }

    /** {@code item_…}, for a conversation item. */
    public static String item() {
        return id("item_");
    }

    /** {@code resp_…}, for a response. */
    public static String response() {
        return id("resp_");
    }

    /** {@code sess_…}, for a session. */
    public static String session() {
        return id("sess_");
    }

    /** {@code conv_…}, for a conversation. */
    public static String conversation() {
        return id("conv_");
    }

    /** {@code call_…}, for a function call. */
    public static String call() {
        return id("call_");
    }

    private static String id(String prefix) {
        long n = COUNTER.getAndIncrement();
        char[] id = new char[prefix.length() + 2 * HALF];
        prefix.getChars(0, prefix.length(), id, 0);
        fill(id, prefix.length(), scramble(SEED.getMostSignificantBits() + n * STEP));
        fill(id, prefix.length() + HALF, scramble(SEED.getLeastSignificantBits() ^ scramble(n)));
        return new String(id);
    }

    private static void fill(char[] id, int from, long bits) {
        long rest = bits >>> 1;
        for (int i = from; i < from + HALF; i++) {
            id[i] = LETTERS[(int) (rest % LETTERS.length)];
            rest /= LETTERS.length;
        }
    }

    /** The finalizer of SplitMix64: one-to-one, every bit of the input changes half of the output. */
    private static long scramble(long z) {
        long a = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ a >>> 27) * 0x94D049BB133111EBL;
        return b ^ b >>> 31;
    }
}
