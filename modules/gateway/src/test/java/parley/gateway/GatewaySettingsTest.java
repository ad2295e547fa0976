package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
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
                        new TokenSettings(
                                Rig.SECRET,
                                null,
                                null,
                                null,
                                null,
                                Duration.ofSeconds(30),
                                Set.of("HS256", "RS256", "ES256"),
                                null,
                                Duration.ofMinutes(5),
                                Duration.ofSeconds(30),
                                Duration.ofHours(24),
                                Duration.ofSeconds(3),
                                262_144,
                                Duration.ZERO,
                                Duration.ofMinutes(15),
                                Duration.ofHours(12),
                                Duration.ofMinutes(1)),
                        null,
                        null,
                        Duration.ofHours(12),
                        false,
                        Set.of(),
                        new WsSettings(null, "ws", "ws"),
                        "dev"));
        assertThatThrownBy(() -> GatewaySettings.from(ConfigFactory.load()))
                .hasMessage("parley.gateway: jwt.secret: not set (expected: at least 32 characters)");
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(Rig.settings(
                        "host = h, port = 1, voice-port = 2",
                        "https { enabled = true, port = 3, certificate = c, certificate-key = k,"
                                + " development-certificates = d }",
                        "jwt { secret = \"" + "s".repeat(32) + "\", issuer = i, audience = a, clock-skew = 4s,"
                                + " previous-secret = \"" + "p".repeat(32) + "\","
                                + " previous-until = \"2026-12-01T00:00:00Z\", algorithms = \"HS256, ES256\","
                                + " jwks-url = \"https://id.example/keys\", jwks { refresh-every = 6s, cool-down = 7s,"
                                + " stale-for = 8s, timeout = 9s, max-size = 10 B }, max-life = 12s, life = 11s,"
                                + " refresh-for = 13s, ticket-life = 14s }",
                        "api-token = \"" + "t".repeat(32) + "\", break-glass-token = \"" + "b".repeat(32) + "\"",
                        "development-token-life = 5s, production = true, version = v",
                        "allowed-origins = \"https://a.example, http://b.example:81\"",
                        "ws { token = \"" + "w".repeat(32) + "\", tenant = x, user = y }"))
                .isEqualTo(new GatewaySettings(
                        "h",
                        1,
                        2,
                        true,
                        3,
                        Path.of("c"),
                        Path.of("k"),
                        Path.of("d"),
                        new TokenSettings(
                                "s".repeat(32),
                                "p".repeat(32),
                                Instant.parse("2026-12-01T00:00:00Z"),
                                "i",
                                "a",
                                Duration.ofSeconds(4),
                                Set.of("HS256", "ES256"),
                                URI.create("https://id.example/keys"),
                                Duration.ofSeconds(6),
                                Duration.ofSeconds(7),
                                Duration.ofSeconds(8),
                                Duration.ofSeconds(9),
                                10,
                                Duration.ofSeconds(12),
                                Duration.ofSeconds(11),
                                Duration.ofSeconds(13),
                                Duration.ofSeconds(14)),
                        "t".repeat(32),
                        "b".repeat(32),
                        Duration.ofSeconds(5),
                        true,
                        Set.of("https://a.example", "http://b.example:81"),
                        new WsSettings("w".repeat(32), "x", "y"),
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
                "ws.token = short|ws.token: 5 characters (expected: at least 32)",
                "ws.token = \"with a space, and long enough for it\"|ws.token: a character that no header takes, or too long (expected: 32 to 256 letters, digits and - . _ ~ + /, = at the end)",
                "ws.tenant = \"\"|ws.tenant: empty (expected: a name)",
                "ws.user = \"\"|ws.user: empty (expected: a user's id)",
                "https.certificate = c|https: only one of certificate and certificate-key is set (expected: both or none)",
                "jwt.clock-skew = 61s|jwt.clock-skew: PT1M1S (expected: 0 to 60 seconds)",
                "jwt.clock-skew = -1s|jwt.clock-skew: PT-1S (expected: 0 to 60 seconds)",
                "jwt.previous-secret = short|jwt.previous-secret: 5 characters (expected: at least 32)",
                "jwt.algorithms = none|jwt.algorithms: none (expected: some of HS256, RS256 and ES256, separated by commas)",
                "jwt.algorithms = \"\"|jwt.algorithms:  (expected: some of HS256, RS256 and ES256, separated by commas)",
                "jwt.algorithms = RS256|jwt.algorithms: HS256 is left out, and jwks-url is not set (expected: one of the two)",
                "jwt.jwks.refresh-every = 0s|jwt.jwks.refresh-every: PT0S (expected: > 0)",
                "jwt.jwks.cool-down = 0s|jwt.jwks.cool-down: PT0S (expected: > 0)",
                "jwt.jwks.timeout = 0s|jwt.jwks.timeout: PT0S (expected: > 0)",
                "jwt.jwks.stale-for = 1m|jwt.jwks.stale-for: PT1M (expected: at least jwks.refresh-every, PT5M)",
                "jwt.jwks.max-size = 0|jwt.jwks.max-size: 0 (expected: 1 to 16777216 bytes)",
                "jwt.max-life = -1s|jwt.max-life: PT-1S (expected: 0 or more)",
                "jwt.max-life = 1m|jwt.life: PT15M (expected: at most jwt.max-life, PT1M)",
                "jwt.life = 0s|jwt.life: PT0S (expected: at least 1 second)",
                "jwt.refresh-for = -1s|jwt.refresh-for: PT-1S (expected: 0 or more)",
                "jwt.ticket-life = 61s|jwt.ticket-life: PT1M1S (expected: 1 to 60 seconds)",
                "jwt.ticket-life = 0s|jwt.ticket-life: PT0S (expected: 1 to 60 seconds)",
                "api-token = short|api-token: 5 characters (expected: at least 32)",
                "break-glass-token = short|break-glass-token: 5 characters (expected: at least 32)",
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
    void anEndThatIsNoInstantIsRefused() {
        assertThatThrownBy(() -> Rig.settings("jwt.previous-until = tomorrow"))
                .hasMessage("parley.gateway: jwt.previous-until: tomorrow (expected: as in 2026-12-01T00:00:00Z)");
    }

    @ParameterizedTest
    @CsvSource({
        "https://id.example/keys, true, true",
        "http://127.0.0.1:9/keys, true, false",
        "http://localhost/keys, true, false",
        "http://[::1]/keys, true, false",
        "http://id.example/keys, false, false",
        "http://127.evil.example/keys, false, false",
        "ftp://127.0.0.1/keys, false, false",
        "file:///etc/passwd, false, false",
        "https://me:geheim@id.example/keys, false, false",
        "id.example, false, false"
    })
    void keysAreFetchedOverTlsOrFromThisMachine(String url, boolean inDevelopment, boolean inProduction) {
        for (var production : new boolean[] {false, true}) {
            var settings = "jwt.jwks-url = \"" + url + "\"";
            if (production ? inProduction : inDevelopment) {
                assertThat(production ? inProduction(settings) : Rig.settings(settings))
                        .isNotNull();
            } else {
                assertThatThrownBy(() -> {
                            if (production) {
                                inProduction(settings);
                            } else {
                                Rig.settings(settings);
                            }
                        })
                        .hasMessageContaining("jwt.jwks-url")
                        .hasMessageContaining("expected: https");
            }
        }
    }

    @Test
    void productionNeedsAnApiTokenAndRefusesWhatDevelopmentMade() {
        var made = GatewaySettings.DEVELOPMENT + "x".repeat(64);

        assertThatThrownBy(() -> Rig.settings("production = true"))
                .hasMessage("parley.gateway: api-token: not set (expected: at least 32 characters)");
        for (var key : new String[] {"jwt.secret", "jwt.previous-secret", "api-token", "break-glass-token"}) {
            assertThat(Rig.settings(key + " = " + made)).isNotNull();
            assertThatThrownBy(() -> inProduction(key + " = " + made))
                    .hasMessage("parley.gateway: " + key
                            + ": one that was made for development (expected: one of production's own)");
        }
    }

    @Test
    void theTwoOperatorsCredentialsDiffer() {
        var same = "t".repeat(32);

        assertThatThrownBy(() -> Rig.settings("api-token = " + same, "break-glass-token = " + same))
                .hasMessage("parley.gateway: break-glass-token: the same as api-token (expected: one of its own)");
    }

    private static GatewaySettings inProduction(String setting) {
        return Rig.settings("production = true", "api-token = " + "a".repeat(32), setting);
    }

    @Test
    void everyComplaintIsMadeAtOnce() {
        assertThatThrownBy(() -> Rig.settings("port = -1, jwt.secret = short"))
                .hasMessageContaining("port: -1")
                .hasMessageContaining("jwt.secret");
    }

    @Test
    void theSecretIsNotPrinted() {
        var settings = Rig.settings("api-token = " + "t".repeat(32), "break-glass-token = " + "b".repeat(32));

        assertThat(settings + " " + settings.tokens())
                .doesNotContain(Rig.SECRET)
                .doesNotContain("ttt")
                .doesNotContain("bbb");
    }
}
