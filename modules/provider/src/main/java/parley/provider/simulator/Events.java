package parley.provider.simulator;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import parley.protocol.Ids;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;

/** What all parts of one conversation share to speak to its client. */
final class Events {

    private final Outlet outlet;
    private final SimulatorCounters counters;
    private final RandomGenerator random;
    private final boolean shuffled;

    Events(Outlet outlet, Switches switches, SimulatorCounters counters, RandomGenerator random) {
        this.outlet = outlet;
        this.counters = counters;
        this.random = random;
        this.shuffled = switches.shuffled();
    }

    void send(ServerEvent event) {
        outlet.send(Wire.bytes(event));
    }

    /** Sends an event that is already on the wire's form. */
    void send(byte[] event) {
        outlet.send(event);
    }

    /** Sends two events whose order the protocol leaves open: in the order given, or in either when shuffled. */
    void sendEither(ServerEvent one, ServerEvent other) {
        boolean swap = shuffled && random.nextBoolean();
        send(swap ? other : one);
        send(swap ? one : other);
    }

    /** Whether something that the protocol lets happen at another time should do so now. */
    boolean shuffles() {
        return shuffled && random.nextBoolean();
    }

    /** Tells the client that what it asked for was not done. */
    void refuse(@Nullable String clientEventId, Refusal why) {
        error("invalid_request_error", clientEventId, why);
    }

    void error(String type, @Nullable String clientEventId, Refusal why) {
        counters.errors.increment();
        send(new ServerEvent.Error(
                Ids.event(), new ServerEvent.ErrorBody(type, why.code(), why.message(), why.param(), clientEventId)));
    }

    boolean congested() {
        return outlet.congested();
    }

    void close(int code, String reason) {
        outlet.close(code, reason);
    }
}
