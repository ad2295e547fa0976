package parley.wire;

import com.typesafe.config.Config;
import java.util.ArrayList;

/**
 * {@code parley.wire.loops} in reference.conf, where each key is explained.
 *
 * @param count loops; 0: one per processor
 * @param sockets a loop with as many is full
 * @param busy so is one that took this share of a processor in the last second
 * @param burst and one that was given as many new sockets in it
 */
public record LoopSettings(int count, int sockets, double busy, int burst) {
    public LoopSettings {
        var wrong = new ArrayList<String>();
        if (count < 0 || count > 1024) {
            wrong.add("count: " + count + " (expected: 0 to 1024)");
        }
        if (sockets < 1) {
            wrong.add("sockets: " + sockets + " (expected: at least 1)");
        }
        if (!(busy > 0 && busy <= 1)) {
            wrong.add("busy: " + busy + " (expected: above 0, at most 1)");
        }
        if (burst < 1) {
            wrong.add("burst: " + burst + " (expected: at least 1)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.wire.loops: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.wire.loops} of a whole configuration. */
    public static LoopSettings from(Config config) {
        if (config.hasPath("parley.wire.event-loops")) {
            throw new IllegalArgumentException(
                    "parley.wire.event-loops: no such key any more (expected: parley.wire.loops.count)");
        }
        var loops = config.getConfig("parley.wire.loops");
        return new LoopSettings(
                loops.getInt("count"), loops.getInt("sockets"), loops.getDouble("busy"), loops.getInt("burst"));
    }
}
