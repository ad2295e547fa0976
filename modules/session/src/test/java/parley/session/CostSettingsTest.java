package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class CostSettingsTest {
    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(Rig.cost(Map.of()))
                .isEqualTo(new CostSettings(10_000_000, 15_000_000, Duration.ofSeconds(30), Duration.ofSeconds(5)));
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(Rig.cost(Map.of("alert-usd", 0.5, "cap-usd", 0.75, "finish-within", "1s", "ask-every", "2s")))
                .isEqualTo(new CostSettings(500_000, 750_000, Duration.ofSeconds(1), Duration.ofSeconds(2)));
    }

    @Test
    void eitherBoundMayBeLeftOut() {
        assertThat(Rig.cost(Map.of("alert-usd", 20, "cap-usd", 0)).capMicros()).isZero();
        assertThat(Rig.cost(Map.of("alert-usd", 0)).alertMicros()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "alert-usd | 16 | alert-usd: 16.0 (expected: at most cap-usd, 15.0)",
                "cap-usd | -1 | alert-usd, cap-usd: 10.0, -1.0 (expected: 0 or more)",
                "finish-within | -1s | finish-within: PT-1S (expected: 0 or more)",
                "ask-every | 99ms | ask-every: PT0.099S (expected: at least 100 ms)",
            })
    void aBadValueIsNamedWithWhatIsExpected(String key, String value, String message) {
        assertThatThrownBy(() -> Rig.cost(Map.of(key, value))).hasMessage("parley.session.cost: " + message);
    }
}
