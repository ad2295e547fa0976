package parley.app;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** O5: the check of the configuration, rule by rule. */
@Tag("unit")
class ConfigCheckTest {
    private static final Instant NOW = Instant.parse("2026-11-28T12:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final String SECRET = "4f1c9a7be2d03856aa17c4d9e8b2f60c";

    /** A production that has nothing wrong with it. */
    private static final Map<String, Object> SOUND = Map.ofEntries(
            entry("parley.gateway.jwt.secret", SECRET),
            entry("parley.gateway.api-token", "b83d6e0f95a1472cc1e07d3f64a8925b"),
            entry("parley.gateway.https.enabled", false),
            entry("parley.gateway.trusted-proxies", "10.0.0.0/8"),
            entry("parley.provider.api-keys", "sk-abcdefghijklmnop"),
            entry("parley.provider.model", "gpt-realtime"),
            entry("parley.app.database-url", "postgresql://parley:hunter22@db.internal/calls?sslmode=verify-full"),
            entry("parley.app.simulated", false),
            entry("pekko.remote.artery.canonical.hostname", "10.0.0.5"));

    @TempDir
    private Path directory;

    private static AppSettings.Reading production(Map<String, ?> changes) {
        return read("production", changes, Map.of());
    }

    private static AppSettings.Reading development(Map<String, ?> changes) {
        var all = new HashMap<String, Object>(Map.of(
                "parley.gateway.jwt.secret", SECRET, "parley.app.simulated", true, "parley.provider.model", "x"));
        all.putAll(changes);
        return read(config("development", all), "development", Map.of());
    }

    private static AppSettings.Reading read(String name, Map<String, ?> changes, Map<String, String> environment) {
        var all = new HashMap<String, Object>(SOUND);
        all.putAll(changes);
        all.values().removeIf(value -> value.equals("unset"));
        return read(config(name, all), name, environment);
    }

    private static Config config(String name, Map<String, ?> values) {
        // As a variable would: it has no file.
        return ConfigFactory.parseMap(values, "env var TEST")
                .withFallback(AppSettings.load(TestNode.home(), name))
                .resolve();
    }

    private static AppSettings.Reading read(Config config, String name, Map<String, String> environment) {
        return AppSettings.read(config, Variables.of(TestNode.home(), name), environment, CLOCK);
    }

    @Test
    void aSoundProductionIsSilent() {
        var reading = production(Map.of());

        assertThat(reading.errors()).isEmpty();
        assertThat(reading.warnings()).isEmpty();
        assertThat(reading.settings()).isNotNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parley.gateway.jwt.secret | short | JWT_SECRET: 5 characters (expected: at least 32)",
                "parley.gateway.jwt.secret | your-super-secret-key-min-32-chars | JWT_SECRET: 34 characters of an example (expected: random",
                "parley.gateway.jwt.secret | dev-4f1c9a7be2d03856aa17c4d9e8b2f60c | JWT_SECRET: one that was made for development",
                "parley.gateway.api-token | dev-4f1c9a7be2d03856aa17c4d9e8b2f60c | VOICE_API_TOKEN: one that was made for development",
                "parley.gateway.api-token | unset | VOICE_API_TOKEN: not set (expected: at least 32 characters)",
                "parley.gateway.jwt.secret | unset | JWT_SECRET: not set (expected: at least 32 characters)",
                "parley.gateway.port | 99999 | PARLEY_HTTP_PORT: 99999 (expected: 0..65535)",
                "parley.gateway.port | many | PARLEY_HTTP_PORT: many (expected: a number)",
                "parley.gateway.https.enabled | maybe | PARLEY_HTTPS: maybe (expected: true or false)",
                "parley.session.idle-timeout | 300000 | VOICE_SESSION_TIMEOUT: 300000 (expected: a time with its unit",
                "parley.gateway.voice-port | 70000 | VOICE_WS_PORT: 70000 (expected: 0..65535)",
                "parley.gateway.voice-port | 7626 | PARLEY_MANAGEMENT_PORT: 7626 (expected: another than VOICE_WS_PORT)",
                "parley.app.management-port | -1 | PARLEY_MANAGEMENT_PORT: -1 (expected: 0..65535)",
                "pekko.remote.artery.canonical.port | 65536 | PARLEY_ARTERY_PORT: 65536 (expected: 0..65535)",
                "pekko.remote.artery.canonical.port | 17356 | PARLEY_LINK_PORT: 17356 (expected: another than PARLEY_ARTERY_PORT)",
                "parley.gateway.trusted-proxies | unset | PARLEY_HTTPS: false, and PARLEY_TRUSTED_PROXIES is not set",
                "parley.gateway.trusted-proxies | proxy.internal | PARLEY_TRUSTED_PROXIES: proxy.internal (expected: an address",
                "parley.gateway.allowed-origins | app.example.com | PARLEY_ALLOWED_ORIGINS: app.example.com (expected: what a browser",
                "parley.gateway.https.enabled | true | PARLEY_TLS_CERTIFICATE: not set (expected in production",
                "parley.provider.model | a-model-nobody-priced | REALTIME_API_MODEL: a-model-nobody-priced has no price",
                "parley.provider.url | ftp://example.org | PARLEY_PROVIDER_URL: ftp://example.org (expected: http, https",
                "parley.app.database-url | mysql://x | DATABASE_URL: malformed (expected: postgresql://user:password@host",
                "parley.app.database-url | unset | DATABASE_URL: not set (expected in production",
                "parley.app.simulated | true | OPENAI_API_KEY: not set (expected in production",
                "pekko.remote.artery.canonical.hostname | 0.0.0.0 | ",
                "parley.app.data-directory | /dev/null/data | PARLEY_DATA_DIR: /dev/null/data (expected: a directory",
                "parley.app.log.format | xml | PARLEY_LOG_FORMAT: xml (expected: auto, json or text)",
                "parley.app.log.level | LOUD | LOG_LEVEL: LOUD (expected: one of ERROR",
                "parley.app.sentry.dsn | somewhere | SENTRY_DSN: malformed (expected: https://<public key>@<host>/<project>)",
                "parley.admission.max-connections | 0 | VOICE_MAX_CONNECTIONS: 0 (expected: at least 1)",
            })
    void anErrorNamesItsVariableItsValueAndWhatIsExpected(String key, String value, String line) {
        var reading = production(Map.of(key, value));

        if (line == null) {
            assertThat(reading.warnings()).anyMatch(warning -> warning.contains(value));
        } else {
            assertThat(reading.errors()).anyMatch(error -> error.startsWith(line));
            assertThat(reading.settings()).isNull();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parley.provider.api-keys | abcdefghijkl | OPENAI_API_KEY: 12 characters that do not begin with sk-",
                "parley.provider.api-keys | 'sk-abc def' | OPENAI_API_KEY: holds quotes or blanks",
                "parley.provider.url | http://models.internal/v1 | PARLEY_PROVIDER_URL: http://models.internal (expected: https",
                "parley.gateway.jwt.secret | 0123456789abcdef0123456789abcdef | JWT_SECRET: 32 characters, easy to guess",
                "parley.gateway.jwt.secret | aaaaaaaabbbbbbbbaaaaaaaabbbbbbbb | JWT_SECRET: 32 characters, easy to guess",
                "parley.gateway.jwt.secret | b83d6e0f95a1472cc1e07d3f64a8925b | VOICE_API_TOKEN: the same as JWT_SECRET",
                "parley.gateway.jwt.previous-secret | 4f1c9a7be2d03856aa17c4d9e8b2f60d | JWT_SECRET_PREVIOUS_UNTIL: not set",
                "parley.gateway.jwt.previous-until | 2026-11-01T00:00:00Z | JWT_SECRET_PREVIOUS_UNTIL: 2026-11-01T00:00:00Z, which is over",
                "parley.gateway.jwt.jwks-url | https://id.example.com/keys | JWT_AUDIENCE: not set",
                "parley.gateway.jwt.jwks-url | https://id.example.com/keys | JWT_ISSUER: not set",
                "parley.gateway.port | 0 | PARLEY_HTTP_PORT: 0, any free port",
                "parley.gateway.port | 80 | PARLEY_HTTP_PORT: 80 (expected: 1024..65535",
                "parley.gateway.trusted-proxies | 0.0.0.0/0 | PARLEY_TRUSTED_PROXIES: 0.0.0.0/0, everybody",
                "parley.gateway.allowed-origins | http://app.example.com | PARLEY_ALLOWED_ORIGINS: http://app.example.com (expected: https)",
                "parley.app.database-url | postgresql://p:hunter22@db.internal/calls | DATABASE_URL: postgresql://db.internal:5432/calls without TLS",
                "parley.app.database-url | postgresql://p@127.0.0.1/calls | DATABASE_URL: postgresql://127.0.0.1:5432/calls without a password",
            })
    void aWarningStartsNothing(String key, String value, String line) {
        var reading = production(Map.of(key, value));

        assertThat(reading.errors()).isEmpty();
        assertThat(reading.warnings()).anyMatch(warning -> warning.startsWith(line));
    }

    @Test
    void seedsMustBeReachableFromEachOther() {
        assertThat(seeds("10.0.0.5:17355").warnings()).anyMatch(line -> line.startsWith("PARLEY_SEEDS: one node"));
        assertThat(seeds("10.0.0.5:17355", "somewhere").errors())
                .containsExactly("PARLEY_SEEDS: somewhere (expected: host:port, separated by commas)");
        assertThat(production(Map.of(
                                "pekko.cluster.seed-nodes",
                                List.of("pekko://parley@10.0.0.5:17355", "pekko://parley@10.0.0.6:17355"),
                                "pekko.remote.artery.canonical.hostname",
                                "127.0.0.1"))
                        .errors())
                .containsExactly(
                        "PARLEY_CLUSTER_HOST: 127.0.0.1 (expected: an address that the nodes of PARLEY_SEEDS can"
                                + " reach)");
        assertThat(seeds("10.0.0.5:17355", "10.0.0.6:17355").warnings()).isEmpty();
    }

    private static AppSettings.Reading seeds(String... addresses) {
        return production(Map.of(
                "pekko.cluster.seed-nodes",
                List.of(addresses).stream()
                        .map(each -> "pekko://parley@" + each)
                        .toList()));
    }

    @Test
    void aControlProviderThatAnswersNobodyIsToldAndItsKeyIsASecret() {
        var config = config(
                "production",
                Map.of(
                        "parley.provider.control",
                        List.of(Map.of(
                                "name", "before",
                                "url", "https://before.example/v1",
                                "model", "gpt-realtime",
                                "api-keys", "sk-of-the-control-arm"))));

        assertThat(Confidential.of(config).hide("with sk-of-the-control-arm")).doesNotContain("sk-of-the-control-arm");
        assertThat(development(Map.of(
                                "parley.provider.control",
                                config.getList("parley.provider.control").unwrapped()))
                        .warnings())
                .anyMatch(warning -> warning.startsWith("parley.provider.control: nobody is answered by it"));
    }

    @Test
    void everythingWrongIsToldAtOnceAndNoSecretIsInIt() {
        var reading = production(Map.of(
                "parley.gateway.jwt.secret", "hunter2hunter2",
                "parley.gateway.port", 99999,
                "parley.session.idle-timeout", "soon",
                "parley.provider.url", "ftp://user:topsecret@example.org",
                "parley.app.database-url", "postgresql://p:topsecret@db.internal"));

        assertThat(reading.errors())
                .anyMatch(line -> line.startsWith("JWT_SECRET: 14 "))
                .anyMatch(line -> line.startsWith("PARLEY_HTTP_PORT: "))
                .anyMatch(line -> line.startsWith("VOICE_SESSION_TIMEOUT: soon"))
                .anyMatch(line -> line.startsWith("PARLEY_PROVIDER_URL: "))
                .anyMatch(line -> line.startsWith("DATABASE_URL: "))
                .noneMatch(line -> line.contains("hunter2") || line.contains("topsecret"));
    }

    @Test
    void aMistakeInAFileIsFoundByItsLine() throws Exception {
        var home = Files.createDirectories(directory.resolve("cluster-config")).getParent();
        try (var files = Files.list(TestNode.home().resolve("cluster-config"))) {
            for (var file : files.toList()) {
                Files.copy(file, home.resolve("cluster-config").resolve(file.getFileName()));
            }
        }
        Files.writeString(
                home.resolve("cluster-config/mine.conf"),
                "include \"development\"\nparley.gateway.port = 123456\nparley.app.simulated = true\n"
                        + "parley.gateway.jwt.secret = " + SECRET + "\n");
        var config = AppSettings.load(home, "mine").resolve();

        assertThat(AppSettings.read(config, Variables.of(home, "mine"), Map.of(), CLOCK)
                        .errors())
                .containsExactly("parley.gateway.port (mine.conf: 2): 123456 (expected: 0..65535)");
    }

    @Test
    void aVariableThatNobodyReadsIsNamedWithTheOneThatWasMeant() {
        var reading = read(
                "production",
                Map.of(),
                Map.of(
                        "PARLEY_HTPP_PORT", "1",
                        "VOICE_ENABELD", "true",
                        "VOICE_OF_SOMEBODY_ELSE", "x",
                        "REALTIME_TEMPERATURE", "0.7",
                        "PATH", "/bin"));

        assertThat(reading.warnings())
                .containsExactlyInAnyOrder(
                        "PARLEY_HTPP_PORT: nobody reads it (expected: PARLEY_HTTP_PORT)",
                        "VOICE_ENABELD: nobody reads it (expected: VOICE_ENABLED)",
                        "REALTIME_TEMPERATURE: ignored, the GA protocol has no temperature");
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "FALSE", "off", "no", "0", " off "})
    void theLastResortTakesEveryWordForOff(String off) {
        assertThat(ConfigRules.isSwitchedOff(Map.of("ENABLE_REALTIME_API", off, "VOICE_ENABLED", "true")))
                .isTrue();
        assertThat(ConfigRules.isSwitchedOff(Map.of("VOICE_ENABLED", "true"))).isFalse();
        assertThat(read("development", Map.of(), Map.of("VOICE_ENABLED", off)).errors())
                .isEmpty();
    }

    @Test
    void theLastResortIsNotMistaken() {
        assertThat(read("development", Map.of(), Map.of("VOICE_ENABLED", "maybe"))
                        .errors())
                .containsExactly("VOICE_ENABLED: maybe (expected: true or false)");
    }

    @Test
    void certificatesAreReadBeforeTheyEnd() throws Exception {
        var key = Files.writeString(directory.resolve("key.pem"), "-");
        var soon = certificate("2026-12-10");
        var over = certificate("2026-11-10");
        var good = certificate("2027-11-10");
        var none = Files.writeString(directory.resolve("none.pem"), "hello");

        assertThat(tls(good, key).warnings()).isEmpty();
        assertThat(tls(good, key).errors()).isEmpty();
        assertThat(tls(soon, key).warnings())
                .containsExactly("PARLEY_TLS_CERTIFICATE: " + soon
                        + ": ends at 2026-12-10T00:00:00Z (expected: more than 30 days)");
        assertThat(tls(over, key).errors())
                .containsExactly("PARLEY_TLS_CERTIFICATE: " + over
                        + ": expired at 2026-11-10T00:00:00Z (expected: a valid one)");
        assertThat(tls(none, key).errors())
                .containsExactly("PARLEY_TLS_CERTIFICATE: " + none + ": no certificate (expected: a PEM file)");
        assertThat(tls(directory.resolve("gone.pem"), key).errors())
                .containsExactly("PARLEY_TLS_CERTIFICATE: " + directory.resolve("gone.pem")
                        + " (expected: a file that can be read)");
    }

    private static AppSettings.Reading tls(Path certificate, Path key) {
        return production(Map.of(
                "parley.gateway.https.enabled", true,
                "parley.gateway.https.certificate", certificate.toString(),
                "parley.gateway.https.certificate-key", key.toString()));
    }

    private Path certificate(String end) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        return TestCertificates.write(
                directory.resolve(end + ".pem"), generator.generateKeyPair(), Instant.parse(end + "T00:00:00Z"));
    }

    @Test
    void developmentIsSilentWithItsDefaults() {
        var reading = development(Map.of());

        assertThat(reading.errors()).isEmpty();
        assertThat(reading.warnings()).allMatch(line -> line.contains("has no price"));
    }

    @Test
    void everyVariableOfTheFilesIsInTheDocument() throws Exception {
        var document = Files.readString(TestNode.home().resolve("docs/configuration.md"));

        assertThat(Variables.of(TestNode.home(), "production").known().stream()
                        .filter(name -> !document.contains("`" + name + "`"))
                        .filter(name -> !name.equals("PARLEY_PARENT")))
                .isEmpty();
    }
}
