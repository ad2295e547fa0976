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
class JournalSettingsTest {
    private static JournalSettings with(Map<String, ?> overrides) {
        return JournalSettings.from(ConfigFactory.parseMap(overrides)
                .atPath("parley.session.journal")
                .withFallback(ConfigFactory.defaultReference())
                .resolve());
    }

    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(with(Map.of()))
                .isEqualTo(new JournalSettings(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(30),
                        Duration.ofMinutes(5),
                        Duration.ofHours(24),
                        1000,
                        Duration.ofSeconds(2),
                        1000,
                        Duration.ofMinutes(10)));
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(with(Map.of(
                        "watch-every", "3s",
                        "watch-timeout", "4s",
                        "sweep.every", "5s",
                        "sweep.slack", "6s",
                        "sweep.back", "7s",
                        "sweep.sessions", 8,
                        "used-once.timeout", "9s",
                        "used-once.waiting", 10,
                        "used-once.tidy-every", "11s")))
                .isEqualTo(new JournalSettings(
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(6),
                        Duration.ofSeconds(7),
                        8,
                        Duration.ofSeconds(9),
                        10,
                        Duration.ofSeconds(11)));
    }

    @ParameterizedTest
    @CsvSource({
        "watch-every,0s",
        "watch-timeout,99ms",
        "sweep.every,99ms",
        "sweep.slack,29s",
        "sweep.back,299s",
        "sweep.sessions,0",
        "used-once.timeout,99ms",
        "used-once.waiting,0",
        "used-once.tidy-every,99ms"
    })
    void aValueThatCannotWorkIsNamed(String key, String value) {
        assertThatThrownBy(() -> with(Map.of(key, value)))
                .hasMessageStartingWith("parley.session.journal: " + key + ": ")
                .hasMessageContaining("expected");
    }
}
