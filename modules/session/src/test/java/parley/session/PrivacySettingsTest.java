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
class PrivacySettingsTest {
    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(Rig.privacy(Map.of()))
                .isEqualTo(new PrivacySettings(
                        false,
                        true,
                        new PrivacySettings.Retention(
                                Duration.ofDays(30), Duration.ofDays(30), Duration.ofHours(1), 500)));
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(Rig.privacy(Map.of(
                        "parley.session.transcripts.redact",
                        true,
                        "parley.session.transcripts.store",
                        false,
                        "parley.session.retention.journal",
                        "4d",
                        "parley.session.retention.transcripts",
                        "3d",
                        "parley.session.retention.every",
                        "2m",
                        "parley.session.retention.batch",
                        7)))
                .isEqualTo(new PrivacySettings(
                        true,
                        false,
                        new PrivacySettings.Retention(
                                Duration.ofDays(4), Duration.ofDays(3), Duration.ofMinutes(2), 7)));
    }

    @Test
    void forEverIsZero() {
        var kept = Rig.privacy(Map.of("parley.session.retention.journal", "0"));

        assertThat(kept.retention().journal()).isEqualTo(Duration.ZERO);
        assertThat(Rig.privacy(Map.of("parley.session.retention.transcripts", "0"))
                        .retention()
                        .transcripts())
                .isEqualTo(Duration.ZERO);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "transcripts | 31d | transcripts: PT744H (expected: at most journal, PT720H)",
                "transcripts | -1d | journal, transcripts: PT720H, PT-24H (expected: not negative)",
                "every | 999ms | every: PT0.999S (expected: at least 1 second)",
                "batch | 0 | batch: 0 (expected: 1..10000)",
                "batch | 10001 | batch: 10001 (expected: 1..10000)",
            })
    void aBadValueIsNamedWithWhatIsExpected(String key, String value, String message) {
        assertThatThrownBy(() -> Rig.privacy(Map.of("parley.session.retention." + key, value)))
                .hasMessage("parley.session.retention: " + message);
    }
}
