package parley.app;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What can be broken while people talk. */
enum Fault {
    /** Nothing: the figures to compare with. */
    NONE(Reach.CALLERS),
    /** Every caller's connection breaks, and each comes back after a second. */
    DROP_1S(Reach.CALLERS),
    /** After half a minute. */
    DROP_30S(Reach.CALLERS),
    /** At once, to another node. */
    DROP_ELSEWHERE(Reach.CALLERS),
    /** One node after the other is told to leave, and started again. */
    ROLLING(Reach.CLUSTER),
    /** The oldest node is killed, and started again; then a younger one. */
    KILL(Reach.CLUSTER),
    /** A node stands still for 15 s. */
    FREEZE(Reach.CLUSTER),
    /** A node is cut off from the others for 30 s. */
    PARTITION(Reach.NETWORK),
    /** A node is cut off from the others and from the database. */
    PARTITION_DATABASE(Reach.NETWORK),
    /** The provider's connections break. */
    PROVIDER_CUT(Reach.CLUSTER),
    /** The provider's connections stay open and go mute. */
    PROVIDER_FREEZE(Reach.CLUSTER),
    /** They break, and new ones are refused with 429 for 8 s. */
    PROVIDER_429(Reach.CLUSTER),
    /** They break, and new ones are reset for 30 s; there is a second provider. */
    PROVIDER_DOWN(Reach.CLUSTER),
    /** The provider ends every connection after 20 s. */
    PROVIDER_AGE(Reach.CLUSTER),
    /** The database is stopped, and started again after 30 s. */
    DATABASE_STOP(Reach.CLUSTER),
    /** The database stands still for 30 s. */
    DATABASE_FREEZE(Reach.CLUSTER),
    /** Each piece to and from the database takes 200 ms, for 30 s. */
    DATABASE_SLOW(Reach.CLUSTER);

    /** What has to be in our hands. */
    enum Reach {
        CALLERS,
        CLUSTER,
        NETWORK
    }

    private final Reach reach;

    Fault(Reach reach) {
        this.reach = reach;
    }

    Reach reach() {
        return reach;
    }

    /** As on the command line. */
    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Optional<Fault> named(String word) {
        return Arrays.stream(values())
                .filter(fault -> fault.word().equals(word))
                .findFirst();
    }

    static List<String> words() {
        return Arrays.stream(values()).map(Fault::word).toList();
    }
}
