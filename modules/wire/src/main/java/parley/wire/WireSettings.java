package parley.wire;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/** {@code parley.wire} in reference.conf, where each key is explained. */
public record WireSettings(
        int maxMessageBytes,
        int inboxFrames,
        Duration pingInterval,
        Duration pongTimeout,
        Duration closeTimeout,
        Duration connectTimeout,
        Duration requestTimeout,
        int maxRequestBytes,
        int lowWaterMark,
        int highWaterMark) {
    public WireSettings {
        var wrong = new ArrayList<String>();
        if (maxMessageBytes < 1024 || maxMessageBytes > 1 << 30) {
            wrong.add("max-message: " + maxMessageBytes + " (expected: 1 KiB to 1 GiB)");
        }
        if (inboxFrames < 2) {
            wrong.add("inbox-frames: " + inboxFrames + " (expected: at least 2)");
        }
        if (pingInterval.compareTo(Duration.ofMillis(1)) < 0) {
            wrong.add("ping-interval: " + pingInterval + " (expected: at least 1 ms)");
        }
        if (pongTimeout.compareTo(pingInterval) > 0) {
            wrong.add("pong-timeout: " + pongTimeout + " (expected: at most ping-interval, " + pingInterval + ")");
        }
        if (lowWaterMark > highWaterMark) {
            wrong.add(
                    "low-water-mark: " + lowWaterMark + " (expected: at most high-water-mark, " + highWaterMark + ")");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.wire: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.wire} of a whole configuration. */
    public static WireSettings from(Config config) {
        return read(config.getConfig("parley.wire"));
    }

    /** The same for sockets towards providers: {@code parley.wire.upstream} over {@code parley.wire}. */
    public static WireSettings upstream(Config config) {
        var wire = config.getConfig("parley.wire");
        return read(wire.getConfig("upstream").withFallback(wire));
    }

    private static WireSettings read(Config wire) {
        return new WireSettings(
                bytes(wire, "max-message"),
                wire.getInt("inbox-frames"),
                wire.getDuration("ping-interval"),
                wire.getDuration("pong-timeout"),
                wire.getDuration("close-timeout"),
                wire.getDuration("connect-timeout"),
                wire.getDuration("request-timeout"),
                bytes(wire, "max-request"),
                bytes(wire, "low-water-mark"),
                bytes(wire, "high-water-mark"));
    }

    /** What does not fit an int becomes the largest, for the checks above to judge. */
    private static int bytes(Config wire, String key) {
        return (int) Math.min(wire.getBytes(key), Integer.MAX_VALUE);
    }
}
