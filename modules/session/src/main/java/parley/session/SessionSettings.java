package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/** {@code parley.session} in reference.conf, where each key is explained. */
public record SessionSettings(
        int shards,
        Duration askTimeout,
        Duration resumeWindow,
        Duration maxLength,
        Duration modelWait,
        Duration createdWait,
        Duration micBuffer,
        Duration agentBuffer,
        Duration agentLead,
        int toProviderFrames,
        int toCallerFrames,
        int linkFrames,
        String linkHost,
        int linkPort,
        Defaults defaults) {
    /** What this deployment asks of a provider before the caller says anything. Null: leave it to the provider. */
    public record Defaults(
            @Nullable String voice,
            @Nullable String instructions,
            @Nullable Integer maxOutputTokens) {
        boolean areEmpty() {
            return voice == null && instructions == null && maxOutputTokens == null;
        }
    }

    public SessionSettings {
        var wrong = new ArrayList<String>();
        if (shards < 1 || shards > 4096) {
            wrong.add("shards: " + shards + " (expected: 1..4096)");
        }
        if (agentLead.compareTo(agentBuffer) > 0) {
            wrong.add("agent-lead: " + agentLead + " (expected: at most agent-buffer, " + agentBuffer + ")");
        }
        if (linkPort < 0 || linkPort > 65535) {
            wrong.add("link.port: " + linkPort + " (expected: 0..65535)");
        }
        if (toProviderFrames < 1 || toCallerFrames < 1 || linkFrames < 2) {
            wrong.add("frames: " + toProviderFrames + ", " + toCallerFrames + ", " + linkFrames
                    + " (expected: at least 1, 1 and 2)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.session: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.session} of a whole configuration. */
    public static SessionSettings from(Config config) {
        var session = config.getConfig("parley.session");
        int tokens = session.getInt("defaults.max-output-tokens");
        return new SessionSettings(
                session.getInt("shards"),
                session.getDuration("ask-timeout"),
                session.getDuration("resume-window"),
                session.getDuration("max-length"),
                session.getDuration("model-wait"),
                session.getDuration("created-wait"),
                session.getDuration("mic-buffer"),
                session.getDuration("agent-buffer"),
                session.getDuration("agent-lead"),
                session.getInt("to-provider-frames"),
                session.getInt("to-caller-frames"),
                session.getInt("link.frames"),
                session.getString("link.host"),
                session.getInt("link.port"),
                new Defaults(
                        orNull(session.getString("defaults.voice")),
                        orNull(session.getString("defaults.instructions")),
                        tokens == 0 ? null : tokens));
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
