package parley.load.chaos;

/**
 * Whether the numbers of one connection's events follow each other without a hole and without a double.
 *
 * <p>Events about the connection stand at a position and do not advance it; an old server numbers them as any other,
 * which is taken as well.
 */
final class Numbering {
    private static final long ANY = -1;

    private long expected;
    /** Up to here the caller has heard everything, over whichever connection. */
    private long heardElsewhere;

    private long missing;
    private long doubled;

    /** @param seen the last number that the caller has seen, which it named to the server; 0 for a new session */
    Numbering(long seen) {
        this.expected = seen + 1;
    }

    /** The server says that it could not go on where it was: the next number may be any. */
    void begin() {
        expected = ANY;
    }

    /** Who makes this connection before another one breaks heard so much over that; it may be sent here as well. */
    void heardElsewhere(long number) {
        heardElsewhere = number;
    }

    /** An event about the connection. */
    void position(long number) {
        if (expected != ANY && number == expected) expected++;
    }

    /** Any other event. */
    void take(long number) {
        if (expected != ANY) {
            long next = Math.max(expected, heardElsewhere + 1);
            if (number > next) missing += number - next;
            if (number < expected) doubled++;
        }
        if (expected == ANY || number >= expected) expected = number + 1;
    }

    /** Numbers that were left out. */
    long missing() {
        return missing;
    }

    /** Events whose number had been there. */
    long doubled() {
        return doubled;
    }
}
