package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class ProjectionSettingsTest {
    private static ProjectionSettings projections(Map<String, ?> overrides) {
        return ProjectionSettings.from(ConfigFactory.parseMap(overrides)
                .atPath("parley.session.projections")
                .withFallback(ConfigFactory.defaultReference())
                .resolve());
    }

    @Test
    void projectionsHaveDocumentedDefaultsAndEveryKeyCanBeSet() {
        assertThat(projections(Map.of())).isEqualTo(new ProjectionSettings(true, 100, Duration.ofMillis(500)));
        assertThat(projections(Map.of("enabled", false, "batch", 7, "batch-within", "1s")))
                .isEqualTo(new ProjectionSettings(false, 7, Duration.ofSeconds(1)));
        assertThatThrownBy(() -> projections(Map.of("batch", 0)))
                .hasMessage(
                        "parley.session.projections: batch 0, batch-within PT0.5S (expected: at least 1 and 10 ms)");
    }
}
