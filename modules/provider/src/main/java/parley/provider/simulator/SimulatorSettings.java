package parley.provider.simulator;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import parley.wire.WireSettings;

/**
 * {@code parley.simulator} in reference.conf, where each key is explained.
 *
 * @param wire its sockets: {@code parley.wire} of the same configuration
 */
public record SimulatorSettings(
        String host,
        int port,
        String apiKey,
        List<String> models,
        String defaultModel,
        Duration transcriptionDelay,
        int speechThreads,
        int speechQueue,
        long speechMemory,
        int longestAnswer,
        long keptText,
        long keptAudio,
        long longestTurn,
        int mostItems,
        int mostResponses,
        long mostUnread,
        int keptStories,
        int longestStory,
        Switches switches,
        WireSettings wire) {

    private static final int HIGHEST_PORT = 65_535;
    private static final int ONE_SECOND = 48_000;
    private static final Switches PLAIN = new Switches(0, 0, 0, 0, 3600, "", false, 1, 100, false, false, true, false);

    public SimulatorSettings {
        models = List.copyOf(models);
        var wrong = new ArrayList<String>();
        if (port < 0 || port > HIGHEST_PORT) wrong.add("port: " + port + " (expected: 0..65535)");
        if (defaultModel.isBlank()) wrong.add("default-model: \"\" (expected: a name)");
        if (transcriptionDelay.isNegative()) {
            wrong.add("transcription-delay: " + transcriptionDelay + " (expected: not negative)");
        }
        atLeast(1, "speech-threads", speechThreads, wrong);
        atLeast(1, "speech-queue", speechQueue, wrong);
        atLeast(0, "speech-memory", speechMemory, wrong);
        atLeast(1, "longest-answer", longestAnswer, wrong);
        atLeast(1, "kept-text", keptText, wrong);
        atLeast(0, "kept-audio", keptAudio, wrong);
        atLeast(ONE_SECOND, "longest-turn", longestTurn, wrong);
        atLeast(2, "most-items", mostItems, wrong);
        atLeast(1, "most-responses", mostResponses, wrong);
        atLeast(64 * 1024, "most-unread", mostUnread, wrong);
        atLeast(1, "kept-stories", keptStories, wrong);
        atLeast(1, "longest-story", longestStory, wrong);
        if (!wrong.isEmpty()) throw new IllegalArgumentException("parley.simulator: " + String.join("; ", wrong));
    }

    /** Reads {@code parley.simulator}, and {@code parley.wire}, of a whole configuration. */
    public static SimulatorSettings from(Config root) {
        var config = root.getConfig("parley.simulator");
        return new SimulatorSettings(
                config.getString("host"),
                config.getInt("port"),
                config.getString("api-key"),
                config.getStringList("models"),
                config.getString("default-model"),
                config.getDuration("transcription-delay"),
                config.getInt("speech-threads"),
                config.getInt("speech-queue"),
                config.getBytes("speech-memory"),
                config.getInt("longest-answer"),
                config.getBytes("kept-text"),
                config.getBytes("kept-audio"),
                config.getBytes("longest-turn"),
                config.getInt("most-items"),
                config.getInt("most-responses"),
                config.getBytes("most-unread"),
                config.getInt("kept-stories"),
                config.getInt("longest-story"),
                switches(config.getConfig("switches")),
                WireSettings.from(root));
    }

    /** These settings with another way to behave for every connection; for a test, or a second simulator. */
    public SimulatorSettings behaving(Map<String, String> changes) {
        return new SimulatorSettings(
                host,
                port,
                apiKey,
                models,
                defaultModel,
                transcriptionDelay,
                speechThreads,
                speechQueue,
                speechMemory,
                longestAnswer,
                keptText,
                keptAudio,
                longestTurn,
                mostItems,
                mostResponses,
                mostUnread,
                keptStories,
                longestStory,
                switches.with(changes),
                wire);
    }

    private static Switches switches(Config config) {
        var values = new HashMap<String, String>();
        for (var name : Switches.NAMES) values.put(name, config.getString(name));
        try {
            return PLAIN.with(values);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException("parley.simulator.switches: " + wrong.getMessage(), wrong);
        }
    }

    private static void atLeast(long least, String key, long value, List<String> wrong) {
        if (value < least) wrong.add(key + ": " + value + " (expected: at least " + least + ")");
    }
}
