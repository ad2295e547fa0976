package parley.load;

import java.util.List;
import java.util.Optional;

/**
 * The counters at one moment.
 *
 * @param processes those that were named, and this one as the last
 * @param loopNanos processor time of each event loop since it began
 */
record Mark(
        long nanos,
        long sent,
        long heard,
        List<Optional<ProcessReading>> processes,
        List<Long> loopNanos,
        Optional<MachineReading> machine) {

    /** The edges of what is measured. */
    record Window(Mark from, Mark to) {
        double seconds() {
            return (to.nanos - from.nanos) / 1e9;
        }

        long frames() {
            return to.sent - from.sent + to.heard - from.heard;
        }

        /** Of the loop that had the least time left. */
        double busiestLoopPercent() {
            long most = 0;
            for (int i = 0; i < to.loopNanos.size() && i < from.loopNanos.size(); i++) {
                most = Math.max(most, to.loopNanos.get(i) - from.loopNanos.get(i));
            }
            return to.nanos > from.nanos ? 100.0 * most / (to.nanos - from.nanos) : 0;
        }
    }
}
