package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** O5, O7: how a node finds the others is checked before it looks for them. */
@Tag("unit")
class JoinSettingsTest {
    private static final String DISCOVERY = "parley.app.discovery";
    private static final String HOST = "pekko.remote.artery.canonical.hostname";

    private static JoinSettings with(Map<String, ?> overrides) {
        return JoinSettings.from(ConfigFactory.parseMap(overrides)
                .withFallback(AppSettings.load(TestNode.home(), "production"))
                .resolve());
    }

    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(with(Map.of())).isEqualTo(new JoinSettings(JoinSettings.Discovery.SEEDS, Duration.ofSeconds(40)));
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(with(Map.of(DISCOVERY, "kubernetes", HOST, "10.1.2.3", "parley.app.join-within", "90s")))
                .isEqualTo(new JoinSettings(JoinSettings.Discovery.KUBERNETES, Duration.ofSeconds(90)));
    }

    @Test
    void anUnknownWayIsNamedWithTheKnownOnes() {
        assertThatThrownBy(() -> with(Map.of(DISCOVERY, "dns")))
                .hasMessage("parley.app.discovery: dns (expected: seeds or kubernetes)");
    }

    @Test
    void thePlatformAndSeedsAreNotAskedAtOnceAndAPodNeedsAnAddressOfItsOwn() {
        assertThatThrownBy(() -> with(Map.of(
                        DISCOVERY,
                        "kubernetes",
                        HOST,
                        "0.0.0.0",
                        "pekko.cluster.seed-nodes",
                        List.of("pekko://parley@10.1.2.4:17355"))))
                .hasMessageContaining("PARLEY_SEEDS: [pekko://parley@10.1.2.4:17355] (expected with")
                .hasMessageContaining("PARLEY_CLUSTER_HOST: 0.0.0.0 (expected with");
    }
}
