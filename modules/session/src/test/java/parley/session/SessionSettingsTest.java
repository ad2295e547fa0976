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
                        Duration.ofSeconds(120),
                        Duration.ofSeconds(1),
                        16,
                        32,
                        32,
                        "127.0.0.1",
                        17356,
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
                Map.entry("parley.session.link.frames", 11),
                Map.entry("parley.session.link.host", "10.1.2.3"),
                Map.entry("parley.session.link.port", 12),
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
                        11,
                        "10.1.2.3",
                        12,
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
            })
    void aBadValueIsNamedWithWhatIsExpected(String key, String value, String message) {
        assertThatThrownBy(() -> Rig.settings(Map.of("parley.session." + key, value)))
                .hasMessage(message);
    }
}
