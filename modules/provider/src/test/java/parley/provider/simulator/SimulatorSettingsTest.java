package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.wire.WireSettings;

@Tag("unit")
class SimulatorSettingsTest {

    @Test
    void theDefaultsAreThoseThatAreDocumented() {
        var config = ConfigFactory.load();

        assertThat(SimulatorSettings.from(config))
                .isEqualTo(new SimulatorSettings(
                        "127.0.0.1",
                        0,
                        "",
                        List.of(),
                        "simulator",
                        Duration.ofMillis(60),
                        1,
                        1024,
                        32 << 20,
                        4000,
                        4 << 20,
                        2 << 20,
                        2 << 20,
                        2000,
                        16,
                        4 << 20,
                        1000,
                        1000,
                        new Switches(0, 0, 0, 120, 3600, "", false, 8, 100, false, false, true, false),
                        WireSettings.from(config)));
    }

    @Test
    void everyKeyCanBeSet() {
        var config = ConfigFactory.parseString("""
                        parley.simulator {
                          host = h, port = 1, api-key = k, models = [a], default-model = d, transcription-delay = 2ms
                          speech-threads = 3, speech-queue = 4, speech-memory = 5, longest-answer = 6, kept-text = 16, kept-audio = 7
                          longest-turn = 48000, most-items = 8, most-responses = 9, most-unread = 65536
                          kept-stories = 17, longest-story = 18
                          switches {
                            freeze_after_ms = 10, cut_after_ms = 11, refuse = 503, slow_first_token_ms = 12
                            age_limit_s = 13, fail_response = x, order = shuffled, speed = 14, delta_ms = 15
                            silent_created = true, echo = true, vad = off, long_answers = true
                          }
                        }
                        """).withFallback(ConfigFactory.load());

        assertThat(SimulatorSettings.from(config))
                .isEqualTo(new SimulatorSettings(
                        "h",
                        1,
                        "k",
                        List.of("a"),
                        "d",
                        Duration.ofMillis(2),
                        3,
                        4,
                        5,
                        6,
                        16,
                        7,
                        48_000,
                        8,
                        9,
                        65_536,
                        17,
                        18,
                        new Switches(10, 11, 503, 12, 13, "x", true, 14, 15, true, true, false, true),
                        WireSettings.from(config)));
    }

    @Test
    void allThatIsWrongIsSaidAtOnce() {
        var config = ConfigFactory.parseString("parley.simulator { port = 70000, speech-threads = 0 }")
                .withFallback(ConfigFactory.load());

        assertThatThrownBy(() -> SimulatorSettings.from(config))
                .hasMessageContaining("port: 70000")
                .hasMessageContaining("speech-threads: 0");
    }

    @Test
    void argumentsComeOnTopOfTheConfiguration() {
        var settings = SimulatorMain.settings(List.of("--port", "4242", "speed=3", "--host", "127.0.0.2"));

        assertThat(settings.port()).isEqualTo(4242);
        assertThat(settings.host()).isEqualTo("127.0.0.2");
        assertThat(settings.switches().speed()).isEqualTo(3);
        assertThatThrownBy(() -> SimulatorMain.settings(List.of("--loud")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("--loud");
    }
}
