package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class GatewaySettingsTest {
    @Test
    void theDefaultsAreTheDocumentedOnesAndASecretIsAllThatIsMissing() {
        var defaults = ConfigFactory.parseString("parley.gateway.jwt.secret = " + Rig.SECRET)
                .withFallback(ConfigFactory.load());

        assertThat(GatewaySettings.from(defaults))
                .isEqualTo(new GatewaySettings(
                        "127.0.0.1",
                        8080,
                        0,
                        true,
                        8443,
                        null,
                        null,
                        Path.of("data/tls"),
                        Rig.SECRET,
                        null,
                        null,
                        Duration.ofSeconds(30),
                        Duration.ofHours(12),
                        false,
                        Set.of(),
                        "dev"));
        assertThatThrownBy(() -> GatewaySettings.from(ConfigFactory.load()))
                .hasMessage("parley.gateway: jwt.secret: 0 characters (expected: at least 32)");
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(Rig.settings(
                        "host = h, port = 1, voice-port = 2",
                        "https { enabled = true, port = 3, certificate = c, certificate-key = k,"
                                + " development-certificates = d }",
                        "jwt { secret = \"" + "s".repeat(32) + "\", issuer = i, audience = a, clock-skew = 4s }",
                        "development-token-life = 5s, production = true, version = v",
                        "allowed-origins = \"https://a.example, http://b.example:81\""))
                .isEqualTo(new GatewaySettings(
                        "h",
                        1,
                        2,
                        true,
                        3,
                        Path.of("c"),
                        Path.of("k"),
                        Path.of("d"),
                        "s".repeat(32),
                        "i",
                        "a",
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(5),
                        true,
                        Set.of("https://a.example", "http://b.example:81"),
                        "v"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "port = -1|port: -1 (expected: 0..65535)",
                "voice-port = 65536|voice-port: 65536 (expected: 0..65535)",
                "https.port = 70000|https.port: 70000 (expected: 0..65535)",
                "https.enabled = true, https.port = 8080, port = 8080|https.port: 8080 (expected: another than port)",
                "voice-port = 8080, port = 8080|voice-port: 8080 (expected: another than port)",
                "https.enabled = true, https.port = 81, voice-port = 81|voice-port: 81 (expected: another than https.port)",
                "jwt.secret = short|jwt.secret: 5 characters (expected: at least 32)",
                "https.certificate = c|https: only one of certificate and certificate-key is set (expected: both or none)",
                "jwt.clock-skew = 61s|jwt.clock-skew: PT1M1S (expected: 0 to 60 seconds)",
                "jwt.clock-skew = -1s|jwt.clock-skew: PT-1S (expected: 0 to 60 seconds)",
                "development-token-life = 0s|development-token-life: PT0S (expected: > 0)",
            })
    void aValueThatCannotBeIsNamedWithWhatIsExpected(String key, String complaint) {
        assertThatThrownBy(() -> Rig.settings(key)).hasMessage("parley.gateway: " + complaint);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "app.example.com",
                "https://app.example.com/",
                "https://*",
                "https://*.example.com",
                "null",
                "*",
                "https://App.example.com",
                "https://app.example.com:443",
                "http://app.example.com:80",
                "https://a b",
                "https://app.example.com?x",
                "https://me@app.example.com",
                "ftp://app.example.com"
            })
    void anOriginThatNoBrowserSendsIsRefused(String origin) {
        assertThatThrownBy(() -> Rig.settings("allowed-origins = \"" + origin + "\""))
                .hasMessage("parley.gateway: allowed-origins: " + origin
                        + " (expected: what a browser sends, scheme and host as in https://app.example.com)");
    }

    @Test
    void everyComplaintIsMadeAtOnce() {
        assertThatThrownBy(() -> Rig.settings("port = -1, jwt.secret = short"))
                .hasMessageContaining("port: -1")
                .hasMessageContaining("jwt.secret");
    }

    @Test
    void theSecretIsNotPrinted() {
        assertThat(Rig.settings().toString()).doesNotContain(Rig.SECRET);
    }
}
