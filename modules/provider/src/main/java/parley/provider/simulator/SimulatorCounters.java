package parley.provider.simulator;

import java.util.concurrent.atomic.LongAdder;

/** What a simulator did since it was started; above all, each time a bound was reached. Any thread may read. */
public final class SimulatorCounters {

    final LongAdder connections = new LongAdder();
    final LongAdder refusals = new LongAdder();
    final LongAdder responses = new LongAdder();
    final LongAdder errors = new LongAdder();
    final LongAdder forgottenAudioBytes = new LongAdder();
    final LongAdder forgottenItems = new LongAdder();
    final LongAdder overflows = new LongAdder();
    final LongAdder speechRefused = new LongAdder();
    final LongAdder forgottenStories = new LongAdder();
    final LongAdder forgottenLines = new LongAdder();
    final LongAdder faults = new LongAdder();

    SimulatorCounters() {}

    /** Connections that were upgraded. */
    public long connections() {
        return connections.sum();
    }

    /** Connections that got an HTTP answer instead of an upgrade. */
    public long refusals() {
        return refusals.sum();
    }

    /** Responses begun. */
    public long responses() {
        return responses.sum();
    }

    /** Error events sent. */
    public long errors() {
        return errors.sum();
    }

    /** Bytes of conversation audio that were not kept because the session's room for them was full. */
    public long forgottenAudioBytes() {
        return forgottenAudioBytes.sum();
    }

    /** Items dropped from the front of a conversation because it had too many. */
    public long forgottenItems() {
        return forgottenItems.sum();
    }

    /** Connections cut because the client did not read what waited for it. */
    public long overflows() {
        return overflows.sum();
    }

    /** Phrases that were not spoken because too many waited. */
    public long speechRefused() {
        return speechRefused.sum();
    }

    /** Connections whose story was dropped because newer ones came. */
    public long forgottenStories() {
        return forgottenStories.sum();
    }

    /** Turns, responses and items dropped from the front of a connection's story because there were too many. */
    public long forgottenLines() {
        return forgottenLines.sum();
    }

    /** Bugs: messages whose handling threw. The session went on. */
    public long faults() {
        return faults.sum();
    }
}
