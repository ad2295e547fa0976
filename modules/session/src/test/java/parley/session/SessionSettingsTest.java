package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class SessionSettingsTest {
    @Test
    void theDefaultsAreTheDocumentedOnes() {
        var settings = SessionSettings.from(ConfigFactory.defaultReference().resolve());

        assertThat(settings)
                .isEqualTo(new SessionSettings(
                        1000,
                        Duration.ofSeconds(5),
                        Duration.ofMinutes(2),
                        Duration.ofMinutes(30),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(5),
                        Duration.ofMinutes(2),
                        Duration.ofSeconds(1),
                        16,
                        32,
                        2048,
                        Duration.ofSeconds(40),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(2),
                        new SessionSettings.Redial(
                                Duration.ofSeconds(30), 20, Duration.ofMillis(100), Duration.ofSeconds(3)),
                        Duration.ofSeconds(10),
                        new SessionSettings.Drain(Duration.ofSeconds(10), Duration.ofSeconds(2), 200),
                        Duration.ofMinutes(1),
                        10_000,
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(5),
                        64,
                        32,
                        "127.0.0.1",
                        17356,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(3),
                        new SessionSettings.Limits(
                                Duration.ofMinutes(5),
                                Duration.ofMinutes(1),
                                50,
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(10)),
                        new SessionSettings.Defaults(null, null, null)));
    }

    @Test
    void everyKeyCanBeSet() {
        var settings = Rig.settings(Map.ofEntries(
                Map.entry("parley.session.shards", 10),
                Map.entry("parley.session.ask-timeout", "1s"),
                Map.entry("parley.session.resume-window", "2s"),
                Map.entry("parley.session.max-length", "3s"),
                Map.entry("parley.session.model-wait", "4s"),
                Map.entry("parley.session.created-wait", "5s"),
                Map.entry("parley.session.mic-buffer", "6s"),
                Map.entry("parley.session.agent-buffer", "7s"),
                Map.entry("parley.session.agent-lead", "6500ms"),
                Map.entry("parley.session.to-provider-frames", 8),
                Map.entry("parley.session.to-caller-frames", 9),
                Map.entry("parley.session.replay.events", 10),
                Map.entry("parley.session.replay.audio", "11s"),
                Map.entry("parley.session.utterance-lead", "12s"),
                Map.entry("parley.session.utterance", "13s"),
                Map.entry("parley.session.heard-every", "14s"),
                Map.entry("parley.session.stall-after", "15s"),
                Map.entry("parley.session.rollover-lead", "16s"),
                Map.entry("parley.session.redial.for", "20s"),
                Map.entry("parley.session.redial.attempts", 17),
                Map.entry("parley.session.redial.first-backoff", "18s"),
                Map.entry("parley.session.redial.max-backoff", "19s"),
                Map.entry("parley.session.hand-over", "21s"),
                Map.entry("parley.session.drain.callers", "22s"),
                Map.entry("parley.session.drain.spread", "21s"),
                Map.entry("parley.session.drain.per-second", 24),
                Map.entry("parley.session.journal-outage", "25s"),
                Map.entry("parley.session.unwritten-facts", 26),
                Map.entry("parley.session.relink.for", "27s"),
                Map.entry("parley.session.relink.audio", "28s"),
                Map.entry("parley.session.relink.frames", 29),
                Map.entry("parley.session.link.ping", "30s"),
                Map.entry("parley.session.link.dead-after", "61s"),
                Map.entry("parley.session.link.frames", 11),
                Map.entry("parley.session.link.host", "10.1.2.3"),
                Map.entry("parley.session.link.port", 12),
                Map.entry("parley.session.idle-timeout", "31s"),
                Map.entry("parley.session.warn-before", "2900ms"),
                Map.entry("parley.session.max-frames-per-second", 32),
                Map.entry("parley.session.frame-burst", "33s"),
                Map.entry("parley.session.frame-abuse", "34s"),
                Map.entry("parley.session.defaults.voice", "marin"),
                Map.entry("parley.session.defaults.instructions", "be kind"),
                Map.entry("parley.session.defaults.max-output-tokens", 13)));

        assertThat(settings)
                .isEqualTo(new SessionSettings(
                        10,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(6),
                        Duration.ofSeconds(7),
                        Duration.ofMillis(6500),
                        8,
                        9,
                        10,
                        Duration.ofSeconds(11),
                        Duration.ofSeconds(12),
                        Duration.ofSeconds(13),
                        Duration.ofSeconds(14),
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(16),
                        new SessionSettings.Redial(
                                Duration.ofSeconds(20), 17, Duration.ofSeconds(18), Duration.ofSeconds(19)),
                        Duration.ofSeconds(21),
                        new SessionSettings.Drain(Duration.ofSeconds(22), Duration.ofSeconds(21), 24),
                        Duration.ofSeconds(25),
                        26,
                        Duration.ofSeconds(27),
                        Duration.ofSeconds(28),
                        29,
                        11,
                        "10.1.2.3",
                        12,
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(61),
                        new SessionSettings.Limits(
                                Duration.ofSeconds(31),
                                Duration.ofMillis(2900),
                                32,
                                Duration.ofSeconds(33),
                                Duration.ofSeconds(34)),
                        new SessionSettings.Defaults("marin", "be kind", 13)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "shards | 0 | parley.session: shards: 0 (expected: 1..4096)",
                "shards | 4097 | parley.session: shards: 4097 (expected: 1..4096)",
                "agent-lead | 121s | parley.session: agent-lead: PT2M1S (expected: at most agent-buffer, PT2M)",
                "link.port | 65536 | parley.session: link.port: 65536 (expected: 0..65535)",
                "link.frames | 1 | parley.session: frames: 16, 32, 1 (expected: at least 1, 1 and 2)",
                "replay.events | 0 | parley.session: replay.events, relink.frames, unwritten-facts: 0, 64, 10000 (expected: at least 1)",
                "relink.frames | 0 | parley.session: replay.events, relink.frames, unwritten-facts: 2048, 0, 10000 (expected: at least 1)",
                "unwritten-facts | 0 | parley.session: replay.events, relink.frames, unwritten-facts: 2048, 64, 0 (expected: at least 1)",
                "utterance-lead | 16s | parley.session: utterance-lead: PT16S (expected: at most utterance, PT15S)",
                "redial.first-backoff | 4s | parley.session: redial: first-backoff PT4S, max-backoff PT3S, for PT30S (expected: each at most the next, and not 0)",
                "redial.max-backoff | 31s | parley.session: redial: first-backoff PT0.1S, max-backoff PT31S, for PT30S (expected: each at most the next, and not 0)",
                "redial.first-backoff | 0s | parley.session: redial: first-backoff PT0S, max-backoff PT3S, for PT30S (expected: each at most the next, and not 0)",
                "idle-timeout | 1m | parley.session: warn-before: PT1M (expected: less than idle-timeout, PT1M, and than max-length, PT30M)",
                "max-length | 1m | parley.session: warn-before: PT1M (expected: less than idle-timeout, PT5M, and than max-length, PT1M)",
                "max-frames-per-second | -1 | parley.session: max-frames-per-second: -1 (expected: 1..100000, or 0 for any number)",
                "link.ping | 2s | parley.session: link.ping: PT2S (expected: at most half of link.dead-after, PT3S)",
            })
    void aBadValueIsNamedWithWhatIsExpected(String key, String value, String message) {
        assertThatThrownBy(() -> Rig.settings(Map.of("parley.session." + key, value)))
                .hasMessage(message);
    }
}
