package parley.provider.simulator;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/**
 * What can be done to all connections of a simulator while it runs; what one connection does by itself is told by {@link
 * Switches}. Any thread.
 */
public final class Faults {

    private static final int LOWEST = 400;
    private static final int HIGHEST = 599;

    private final Crowd crowd;
    private final Entrance entrance;

    Faults(Crowd crowd, Entrance entrance) {
        this.crowd = crowd;
        this.entrance = entrance;
    }

    /**
     * Every open connection is lost without a closing handshake, within a moment; new ones are taken.
     *
     * @return how many there were
     */
    public int cutAll() {
        return crowd.each(Connection::cut);
    }

    /**
     * Every open connection stays open and is mute and deaf from now on; new ones are not.
     *
     * @return how many there were
     */
    public int freezeAll() {
        return crowd.each(Connection::freeze);
    }

    /**
     * From now on whoever wants to connect is refused with this HTTP status (429 with Retry-After), until {@link
     * #acceptNew}. Those connected stay.
     */
    public void refuseNew(int status) {
        if (status < LOWEST || status > HIGHEST) {
            throw new IllegalArgumentException("status: " + status + " (expected: " + LOWEST + ".." + HIGHEST + ")");
        }
        crowd.refuse(status);
    }

    public void acceptNew() {
        crowd.refuse(0);
    }

    /**
     * As when the process is gone: nobody listens any more, and every open connection is reset.
     *
     * @return completed when that is so; without effect when it is down already
     */
    public CompletionStage<Done> down() {
        return entrance.close(this::cutAll);
    }

    /**
     * Listens again on the same port.
     *
     * @return completed when it does; fails when somebody else took the port meanwhile, and may then be tried again
     */
    public CompletionStage<Done> up() {
        return entrance.open();
    }
}
