package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class QuotaSettingsTest {
    @Test
    void theDefaultsAreAsDocumented() {
        var defaults = ConfigFactory.load();

        assertThat(QuotaSettings.from(defaults))
                .isEqualTo(new QuotaSettings(
                        0, Duration.ofSeconds(4), false, Duration.ofMinutes(2), 100, Duration.ofSeconds(5)));
        assertThat(CapacitySettings.from(defaults))
                .isEqualTo(new CapacitySettings(1000, 0, 0.8, Duration.ofSeconds(5), List.of("text")));
    }

    @Test
    void everyKeyCanBeSet() {
        var config = ConfigFactory.parseString("""
                parley.admission {
                  sessions-per-hour = 1, retry-after = 2s, max-connections = 3, max-connections-per-tenant = 4
                  near-capacity = 0.5, offer = [cascade]
                  quota { ask-timeout = 6s, admit-when-silent = true, passivate-after = 7s, shards = 8 }
                }""");

        assertThat(QuotaSettings.from(config))
                .isEqualTo(new QuotaSettings(
                        1, Duration.ofSeconds(6), true, Duration.ofSeconds(7), 8, Duration.ofSeconds(2)));
        assertThat(CapacitySettings.from(config))
                .isEqualTo(new CapacitySettings(3, 4, 0.5, Duration.ofSeconds(2), List.of("cascade")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sessions-per-hour = -1 | sessions-per-hour: -1 (expected: at least 1, or 0 for any number)",
                "quota.ask-timeout = 0s | quota.ask-timeout: PT0S (expected: > 0)",
                "quota.passivate-after = 0s | quota.passivate-after: PT0S (expected: > 0)",
                "quota.shards = 0 | quota.shards: 0 (expected: 1..1000)",
                "quota.shards = 1001 | quota.shards: 1001 (expected: 1..1000)",
                "max-connections-per-tenant = -1 | max-connections-per-tenant: -1 (expected: at least 1, or 0 for any number)",
                "near-capacity = 0 | near-capacity: 0.0 (expected: > 0 and at most 1)",
                "near-capacity = 1.1 | near-capacity: 1.1 (expected: > 0 and at most 1)",
            })
    void aBadValueIsNamedWithWhatIsExpected(String key, String complaint) {
        var config =
                ConfigFactory.parseString("parley.admission { " + key + " }").withFallback(ConfigFactory.load());

        assertThatThrownBy(() -> {
                    QuotaSettings.from(config);
                    CapacitySettings.from(config);
                })
                .hasMessage("parley.admission: " + complaint);
    }
}
