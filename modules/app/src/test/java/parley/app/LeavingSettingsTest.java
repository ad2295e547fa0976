package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** R13: waits that do not fit are refused. */
@Tag("unit")
class LeavingSettingsTest {
    private static LeavingSettings with(Map<String, ?> overrides) {
        return LeavingSettings.from(ConfigFactory.parseMap(overrides)
                .withFallback(AppSettings.load(TestNode.home(), "development"))
                .resolve());
    }

    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(with(Map.of()))
                .isEqualTo(new LeavingSettings(
                        Duration.ZERO,
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(1),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(150),
                        Duration.ZERO,
                        Duration.ZERO));
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(with(Map.of(
                        "parley.app.leaving.ready-grace", "1s",
                        "parley.session.drain.callers", "2s",
                        "parley.app.leaving.permit-wait", "3s",
                        "parley.app.leaving.hand-over", "11s",
                        "parley.app.leaving.exit-within", "47s",
                        "parley.app.leaving.pre-stop", "4s",
                        "parley.app.leaving.termination-grace", "61s")))
                .isEqualTo(new LeavingSettings(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(11),
                        Duration.ofSeconds(47),
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(61)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parley.app.leaving.hand-over | 9s | parley.app.leaving.hand-over: PT9S (expected: at least PT10S, for"
                        + " parley.session.hand-over)",
                "pekko.cluster.sharding.handoff-timeout | 9s | pekko.cluster.sharding.handoff-timeout: PT9S (expected:"
                        + " at least PT10S, for parley.session.hand-over)",
                "parley.app.leaving.exit-within | 2m | parley.app.leaving.exit-within: PT2M (expected: at least PT2M10S",
                "parley.app.leaving.termination-grace | 30s | parley.app.leaving.termination-grace: PT30S (expected: at"
                        + " least PT2M40S, for parley.app.leaving.pre-stop, parley.app.leaving.exit-within and PT10S)",
            })
    void aStepThatMayTakeLongerThanTheOneAroundItIsRefusedAndBothAreNamed(String key, String value, String message) {
        assertThatThrownBy(() -> with(Map.of(key, value))).hasMessageContaining(message);
    }

    @Test
    void thePlatformsPatienceIsCheckedOnlyWhereItIsTold() {
        assertThat(with(Map.of("parley.app.leaving.pre-stop", "10m")).terminationGrace())
                .isZero();
        assertThatThrownBy(() -> with(
                        Map.of("parley.app.leaving.pre-stop", "10s", "parley.app.leaving.termination-grace", "169s")))
                .hasMessageContaining("termination-grace: PT2M49S (expected: at least PT2M50S");
        assertThat(with(Map.of("parley.app.leaving.pre-stop", "10s", "parley.app.leaving.termination-grace", "170s"))
                        .ladder())
                .isEqualTo("callers 10 s, permit 60 s, hand-over 30 s, exit 150 s, pre-stop 10 s, platform 170 s");
    }
}
