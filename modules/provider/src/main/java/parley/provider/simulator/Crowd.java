package parley.provider.simulator;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Who is connected to one simulator, and whether anybody else may be. Any thread. */
final class Crowd {

    private final Set<Connection> open = ConcurrentHashMap.newKeySet();
    private volatile int refusing;

    void join(Connection connection) {
        open.add(connection);
    }

    void leave(Connection connection) {
        open.remove(connection);
    }

    /**
     * Has something done to everybody, within a moment.
     *
     * @return to how many
     */
    int each(Consumer<Connection> fault) {
        int count = 0;
        for (var connection : open) {
            connection.suffer(fault);
            count++;
        }
        return count;
    }

    /** The HTTP status that new ones get; 0 when they are let in. */
    int refusing() {
        return refusing;
    }

    void refuse(int status) {
        refusing = status;
    }
}
