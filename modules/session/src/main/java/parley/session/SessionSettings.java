package parley.session;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.ThreadLocalRandom;
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
        int replayEvents,
        Duration replayAudio,
        Duration utteranceLead,
        Duration utterance,
        Duration heardEvery,
        Duration stallAfter,
        Duration rolloverLead,
        Redial redial,
        Duration handOver,
        Drain drain,
        Duration journalOutage,
        int unwrittenFacts,
        Duration relinkFor,
        Duration relinkAudio,
        int relinkFrames,
        int linkFrames,
        String linkHost,
        int linkPort,
        Duration linkPing,
        Duration linkDeadAfter,
        Limits limits,
        Defaults defaults) {
    /**
     * How long a caller may say nothing, and how fast it may speak.
     *
     * @param warnBefore the end by {@code idleTimeout} or {@code maxLength}
     * @param framesPerSecond of audio, sustained; 0: any number
     * @param frameBurst of frames at once, as time of {@code framesPerSecond}
     * @param frameAbuse too many for so long end the connection
     */
    public record Limits(
            Duration idleTimeout, Duration warnBefore, int framesPerSecond, Duration frameBurst, Duration frameAbuse) {}

    /**
     * How the callers of a node that stops are sent away.
     *
     * @param callers until the last socket is closed
     * @param spread over which guided callers are told to come back elsewhere
     * @param perSecond so many at most are sent away in a second
     */
    public record Drain(Duration callers, Duration spread, int perSecond) {}

    /**
     * How a provider is sought again.
     *
     * @param patience how long, from the loss on
     * @param attempts how often, while none stays
     */
    public record Redial(Duration patience, int attempts, Duration firstBackoff, Duration maxBackoff) {
        /** Milliseconds until the first try: not all sessions of a provider at the same moment. */
        long first() {
            return jitter(firstBackoff.toMillis());
        }

        /** Milliseconds until the next round, which is the n-th: twice as long as the last, and half of it by chance. */
        long backoff(int round) {
            long most = maxBackoff.toMillis();
            long backoff = Math.min(most, firstBackoff.toMillis() << Math.min(round, 16));
            return backoff / 2 + jitter(backoff / 2);
        }

        private static long jitter(long most) {
            return ThreadLocalRandom.current().nextLong(most + 1);
        }
    }

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
        if (replayEvents < 1 || relinkFrames < 1 || unwrittenFacts < 1) {
            wrong.add("replay.events, relink.frames, unwritten-facts: " + replayEvents + ", " + relinkFrames + ", "
                    + unwrittenFacts + " (expected: at least 1)");
        }
        if (drain.perSecond() < 1 || drain.spread().compareTo(drain.callers()) > 0) {
            wrong.add("drain: per-second " + drain.perSecond() + " (expected: at least 1), spread " + drain.spread()
                    + " (expected: at most callers, " + drain.callers() + ")");
        }
        if (utteranceLead.compareTo(utterance) > 0) {
            wrong.add("utterance-lead: " + utteranceLead + " (expected: at most utterance, " + utterance + ")");
        }
        if (redial.firstBackoff().isZero()
                || redial.firstBackoff().compareTo(redial.maxBackoff()) > 0
                || redial.maxBackoff().compareTo(redial.patience()) > 0) {
            wrong.add("redial: first-backoff " + redial.firstBackoff() + ", max-backoff " + redial.maxBackoff()
                    + ", for " + redial.patience() + " (expected: each at most the next, and not 0)");
        }
        if (linkPing.multipliedBy(2).compareTo(linkDeadAfter) > 0) {
            wrong.add("link.ping: " + linkPing + " (expected: at most half of link.dead-after, " + linkDeadAfter + ")");
        }
        if (limits.warnBefore().compareTo(limits.idleTimeout()) >= 0
                || limits.warnBefore().compareTo(maxLength) >= 0) {
            wrong.add("warn-before: " + limits.warnBefore() + " (expected: less than idle-timeout, "
                    + limits.idleTimeout() + ", and than max-length, " + maxLength + ")");
        }
        if (limits.framesPerSecond() < 0 || limits.framesPerSecond() > 100_000) {
            wrong.add("max-frames-per-second: " + limits.framesPerSecond()
                    + " (expected: 1..100000, or 0 for any number)");
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
                session.getInt("replay.events"),
                session.getDuration("replay.audio"),
                session.getDuration("utterance-lead"),
                session.getDuration("utterance"),
                session.getDuration("heard-every"),
                session.getDuration("stall-after"),
                session.getDuration("rollover-lead"),
                new Redial(
                        session.getDuration("redial.for"),
                        session.getInt("redial.attempts"),
                        session.getDuration("redial.first-backoff"),
                        session.getDuration("redial.max-backoff")),
                session.getDuration("hand-over"),
                new Drain(
                        session.getDuration("drain.callers"),
                        session.getDuration("drain.spread"),
                        session.getInt("drain.per-second")),
                session.getDuration("journal-outage"),
                session.getInt("unwritten-facts"),
                session.getDuration("relink.for"),
                session.getDuration("relink.audio"),
                session.getInt("relink.frames"),
                session.getInt("link.frames"),
                session.getString("link.host"),
                session.getInt("link.port"),
                session.getDuration("link.ping"),
                session.getDuration("link.dead-after"),
                new Limits(
                        session.getDuration("idle-timeout"),
                        session.getDuration("warn-before"),
                        session.getInt("max-frames-per-second"),
                        session.getDuration("frame-burst"),
                        session.getDuration("frame-abuse")),
                new Defaults(
                        orNull(session.getString("defaults.voice")),
                        orNull(session.getString("defaults.instructions")),
                        tokens == 0 ? null : tokens));
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
