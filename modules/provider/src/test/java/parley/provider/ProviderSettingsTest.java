package parley.provider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.File;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.wire.WireSettings;

@Tag("unit")
class ProviderSettingsTest {

    private static final ProviderSettings DEFAULT = new ProviderSettings(
            "simulator",
            URI.create("http://127.0.0.1:9100/v1"),
            List.of(),
            "gpt-realtime",
            List.of("*"),
            Map.of(),
            Duration.ofMinutes(60));

    @Test
    void theDefaultsAreThoseThatAreDocumented() {
        var config = ConfigFactory.load();

        assertThat(ProviderSettings.from(config)).isEqualTo(DEFAULT);
        assertThat(ProviderSettings.all(config)).containsExactly(DEFAULT);
        assertThat(ProviderSettings.control(config)).isEmpty();
        assertThat(BreakerSettings.from(config))
                .isEqualTo(new BreakerSettings(5, Duration.ofSeconds(30), Duration.ofSeconds(10)));
    }

    @Test
    void everyKeyCanBeSet() {
        var config = with("""
                parley.provider {
                  name = a, url = "wss://a.example/v1/?x=y", api-keys = "k1, k2,", model = m, models = [n, o]
                  headers { "X-One.Two" = 3 }, max-age = 0
                  fallbacks = [{
                    name = b, url = "https://b.example/", api-keys = k3, model = p, models = [q], headers { Y = z }
                    max-age = 5 minutes
                  }]
                  breaker { failures = 1, within = 2 s, open-for = 3 s }
                }
                """);

        assertThat(ProviderSettings.all(config))
                .containsExactly(
                        new ProviderSettings(
                                "a",
                                URI.create("wss://a.example/v1/?x=y"),
                                List.of("k1", "k2"),
                                "m",
                                List.of("n", "o"),
                                Map.of("X-One.Two", "3"),
                                Duration.ZERO),
                        new ProviderSettings(
                                "b",
                                URI.create("https://b.example"),
                                List.of("k3"),
                                "p",
                                List.of("q"),
                                Map.of("Y", "z"),
                                Duration.ofMinutes(5)));
        assertThat(BreakerSettings.from(config))
                .isEqualTo(new BreakerSettings(1, Duration.ofSeconds(2), Duration.ofSeconds(3)));
    }

    @Test
    void theControlArmHasProvidersOfItsOwnAndNoNameIsUsedTwice() {
        var config = with("""
                parley.provider {
                  model = m, api-keys = secret
                  fallbacks = [{ name = b, url = "https://b.example" }]
                  control = [{ name = c, url = "https://c.example", api-keys = k }, { name = d }]
                }
                """);

        assertThat(ProviderSettings.control(config))
                .containsExactly(new ProviderSettings(
                        "c",
                        URI.create("https://c.example"),
                        List.of("k"),
                        "m",
                        List.of(),
                        Map.of(),
                        Duration.ofMinutes(60)));
        assertThat(ProviderSettings.all(config))
                .extracting(ProviderSettings::name)
                .containsExactly("simulator", "b");
        assertThatThrownBy(() -> ProviderSettings.control(
                        with("parley.provider.control = [{ name = simulator, url = \"https://c.example\" }]")))
                .hasMessage("parley.provider: name: simulator 2 times (expected: a name of its own for each)");
        assertThatThrownBy(() -> ProviderSettings.control(
                        with("parley.provider.control = [{ name = c, url = \"ftp://c.example\" }]")))
                .hasMessageStartingWith("parley.provider.control[0]: url: ftp://c.example (expected: http");
    }

    @Test
    void aFallbackInheritsModelAndAgeButNeverAKey() {
        var config = with("""
                parley.provider {
                  api-keys = secret, model = m, max-age = 7 minutes, headers { "X" = y }
                  fallbacks = [{ name = b, url = "https://b.example" }, { name = c }, { name = d, url = "" }]
                }
                """);

        assertThat(ProviderSettings.all(config).subList(1, 2))
                .containsExactly(new ProviderSettings(
                        "b",
                        URI.create("https://b.example"),
                        List.of(),
                        "m",
                        List.of(),
                        Map.of(),
                        Duration.ofMinutes(7)));
        assertThat(ProviderSettings.all(config)).hasSize(2);
    }

    @Test
    void allThatIsWrongIsSaidAtOnce() {
        var config = with("""
                parley.provider {
                  name = a, url = "ftp://a.example", max-age = -1 s
                  fallbacks = [
                    { url = "https://b.example" }, { name = c, url = "no url", model = "" }
                    { name = d, url = "http://d", max-age = 0 }, { name = d, url = "http://d", max-age = 0 }
                  ]
                }
                """);

        assertThatThrownBy(() -> ProviderSettings.all(config))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("parley.provider: url: ftp://a.example (expected")
                .hasMessageContaining("max-age: PT-1S")
                .hasMessageContaining("parley.provider.fallbacks[0]: name: empty (expected")
                .hasMessageContaining("parley.provider.fallbacks[1]: url: no url (expected")
                .hasMessageContaining("parley.provider: name: d 2 times");
        assertThatThrownBy(() -> ProviderSettings.from(config)).hasMessageStartingWith("parley.provider: url: ftp");
    }

    @ParameterizedTest
    @CsvSource({"failures = 0,failures: 0", "within = 0 s,within: PT0S", "open-for = -1 s,open-for: PT-1S"})
    void aBreakerNeedsBounds(String setting, String complaint) {
        assertThatThrownBy(() -> BreakerSettings.from(with("parley.provider.breaker { " + setting + " }")))
                .hasMessageContaining("parley.provider.breaker: " + complaint);
    }

    @Test
    void keysAndHeadersAreNotPrinted() {
        var config = with("parley.provider { api-keys = \"secret1,secret2\", headers { a = secret3 } }");

        assertThat(ProviderSettings.from(config).toString())
                .doesNotContain("secret")
                .contains("2 keys");
    }

    @Test
    void theFirstTakesTheModelAsAskedAndAFallbackWhatItKnows() {
        var config = with("""
                parley.provider.model = m
                parley.provider.fallbacks = [{ name = b, url = "http://b", model = p, models = [q], max-age = 0 }]
                """);
        var pool =
                Providers.pool(ProviderSettings.all(config), BreakerSettings.from(config), WireSettings.from(config));
        var fallback = pool.all().getLast();

        assertThat(pool.first().modelFor(null)).isEqualTo("m");
        assertThat(pool.first().modelFor("any:speed=2")).isEqualTo("any:speed=2");
        assertThat(pool.first().maxAge()).isEqualTo(Duration.ofMinutes(60));
        assertThat(fallback.modelFor(null)).isEqualTo("p");
        assertThat(fallback.modelFor("any")).isEqualTo("p");
        assertThat(fallback.modelFor("q")).isEqualTo("q");
        assertThat(fallback.modelFor("q:speed=2")).isEqualTo("p");
        assertThat(fallback.maxAge()).isZero();
        assertThat(pool.all()).extracting(Provider::name).containsExactly("simulator", "b");
    }

    /** The environment's variables stand in for themselves, as keys at the root. */
    @Test
    void theEnvironmentGivesOneFallback() {
        assertThat(shipped(Map.of())).extracting(ProviderSettings::name).containsExactly("openai");
        assertThat(shipped(Map.of("PARLEY_FALLBACK_URL", "https://b.example/v1", "REALTIME_API_MODEL", "m"))
                        .getLast())
                .isEqualTo(new ProviderSettings(
                        "fallback",
                        URI.create("https://b.example/v1"),
                        List.of(),
                        "m",
                        List.of(),
                        Map.of(),
                        Duration.ofMinutes(60)));
        assertThat(shipped(Map.of(
                                "PARLEY_FALLBACK_URL", "https://b.example/v1",
                                "PARLEY_FALLBACK_API_KEYS", "k1,k2",
                                "PARLEY_FALLBACK_MODEL", "p",
                                "PARLEY_FALLBACK_NAME", "other"))
                        .getLast())
                .isEqualTo(new ProviderSettings(
                        "other",
                        URI.create("https://b.example/v1"),
                        List.of("k1", "k2"),
                        "p",
                        List.of(),
                        Map.of(),
                        Duration.ofMinutes(60)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PARLEY_FALLBACK_NAME", "PARLEY_FALLBACK_MODEL", "PARLEY_FALLBACK_API_KEYS"})
    void withoutAUrlTheEnvironmentGivesNone(String variable) {
        assertThat(shipped(Map.of(variable, "x"))).hasSize(1);
    }

    private static List<ProviderSettings> shipped(Map<String, String> environment) {
        var file = new File("../../cluster-config/providers.conf");
        assertThat(file).exists();
        var variables = ConfigFactory.parseMap(new HashMap<>(environment));
        return ProviderSettings.all(ConfigFactory.parseFile(file)
                .withFallback(ConfigFactory.defaultReferenceUnresolved())
                .withFallback(variables)
                .resolve());
    }

    private static Config with(String text) {
        return ConfigFactory.parseString(text).withFallback(ConfigFactory.load());
    }
}
