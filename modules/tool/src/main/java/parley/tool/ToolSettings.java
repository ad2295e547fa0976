package parley.tool;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.List;

/** {@code parley.tool} in reference.conf, where each key is explained. */
public record ToolSettings(List<String> enabled, Duration timeout) {
    public ToolSettings {
        enabled = List.copyOf(enabled);
        var unknown = enabled.stream()
                .filter(name -> !ServerTools.NAMES.contains(name))
                .toList();
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "parley.tool: enabled: " + unknown + " (expected: names out of " + ServerTools.NAMES + ")");
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("parley.tool: timeout: " + timeout + " (expected: more than 0)");
        }
    }

    /** Reads the block {@code parley.tool} of a whole configuration. */
    public static ToolSettings from(Config config) {
        var tool = config.getConfig("parley.tool");
        return new ToolSettings(tool.getStringList("enabled"), tool.getDuration("timeout"));
    }
}
