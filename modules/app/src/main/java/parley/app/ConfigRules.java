package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import parley.gateway.GatewaySettings;
import parley.provider.ProviderSettings;
import parley.session.Journal;

/**
 * What one module alone cannot see of a configuration: values of the wrong kind, ports of several modules, files, and
 * what is permitted but weak.
 */
final class ConfigRules {
    private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?");
    private static final Pattern BOOLEAN = Pattern.compile("(?i)true|false|yes|no|on|off");
    /** Any of these switches a node off, whatever the others say. */
    private static final List<String> SWITCHES =
            List.of("VOICE_ENABLED", "ENABLE_VOICE_REALTIME", "ENABLE_REALTIME_API");

    /** Whoever writes one of these in an outage means it. */
    private static final Pattern OFF = Pattern.compile("(?i)false|no|off|0");

    private static final Pattern TIME = Pattern.compile("\\d+ ?[a-z]+");
    private static final Pattern SEED = Pattern.compile("([A-Za-z0-9_.-]+|\\[[0-9a-fA-F:.]+]):(\\d{1,5})");
    private static final Pattern PLACEHOLDER = Pattern.compile(
            "(?i).*(change-?me|your[-_ ]|super-?secret|example|placeholder" + "|password|min-32-chars).*");
    private static final Pattern TYPED = Pattern.compile("(?i)(0123456789|1234567890|abcdefghij|qwertyuiop).*");

    /** Fewer different characters than this are no accident of a generator. */
    private static final int VARIED = 8;

    private static final int LOWEST_FREE_PORT = 1024;
    private static final Duration ENDS_SOON = Duration.ofDays(30);

    private static final List<String> PORTS = List.of(
            "parley.gateway.port",
            "parley.gateway.https.port",
            "parley.gateway.voice-port",
            "parley.app.management-port",
            "pekko.remote.artery.canonical.port",
            "parley.session.link.port");

    /** What the page and the database need of this build. */
    private static final List<String> RESOURCES = List.of(
            "web/index.html",
            "web/capture-worklet.js",
            "web/playback-worklet.js",
            "web/admin.html",
            "parley/session/migrations/V1__journal.sql");

    private final Config config;
    private final Map<String, String> environment;
    private final Variables variables;
    private final Clock clock;
    private final boolean production;
    private final Complaints errors;
    private final Complaints warnings;

    ConfigRules(
            Config config,
            Map<String, String> environment,
            Variables variables,
            Clock clock,
            Complaints errors,
            Complaints warnings) {
        this.config = config;
        this.environment = environment;
        this.variables = variables;
        this.clock = clock;
        this.production = config.getBoolean("parley.gateway.production");
        this.errors = errors;
        this.warnings = warnings;
    }

    /**
     * Complains about variables that hold a value of another kind than the default.
     *
     * @return the configuration with the defaults in their place, so that the rest can be read
     */
    static Config rightKinds(Config config, Variables variables, Complaints errors) {
        var right = config;
        var defaults = ConfigFactory.defaultReference();
        for (var key : variables.byKey().keySet()) {
            if (!config.hasPath(key) || !defaults.hasPath(key)) {
                continue;
            }
            var expected = expected(defaults.getValue(key));
            var value = config.getValue(key);
            if (expected != null
                    && value.origin().description().startsWith("env var")
                    && !expected.fits(config, key, value.unwrapped().toString())) {
                errors.about(key, value.unwrapped() + " (expected: " + expected.words + ")");
                right = right.withValue(key, defaults.getValue(key));
            }
        }
        return right;
    }

    private enum Kind {
        NUMBER_KIND("a number"),
        BOOLEAN_KIND("true or false"),
        TIME_KIND("a time with its unit, such as 30 seconds");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        boolean fits(Config config, String key, String text) {
            return switch (this) {
                case NUMBER_KIND -> NUMBER.matcher(text).matches();
                case BOOLEAN_KIND -> BOOLEAN.matcher(text).matches();
                case TIME_KIND ->
                    isTime(config, key)
                            && (text.equals("0") || !NUMBER.matcher(text).matches());
            };
        }

        private static boolean isTime(Config config, String key) {
            try {
                config.getDuration(key);
                return true;
            } catch (ConfigException none) {
                return false;
            }
        }
    }

    private static @Nullable Kind expected(ConfigValue value) {
        return switch (value.valueType()) {
            case NUMBER -> Kind.NUMBER_KIND;
            case BOOLEAN -> Kind.BOOLEAN_KIND;
            case STRING ->
                TIME.matcher(value.unwrapped().toString()).matches() && Kind.isTime(value.atKey("x"), "x")
                        ? Kind.TIME_KIND
                        : null;
            default -> null;
        };
    }

    void ports() {
        var taken = new LinkedHashMap<Integer, String>();
        for (var key : PORTS) {
            if (key.equals("parley.gateway.https.port") && !config.getBoolean("parley.gateway.https.enabled")) {
                continue;
            }
            int port;
            try {
                port = config.getInt(key);
            } catch (ConfigException toldBefore) {
                continue;
            }
            boolean none = port == 0 && key.equals("parley.gateway.voice-port");
            if (port < 0 || port > 65535) {
                errors.about(key, port + " (expected: 0..65535)");
            } else if (production && port == 0 && !none) {
                warnings.about(key, "0, any free port (expected: one that callers, the platform and other nodes know)");
            } else if (port > 0 && port < LOWEST_FREE_PORT) {
                warnings.about(key, port + " (expected: " + LOWEST_FREE_PORT + "..65535; the others need privileges)");
            }
            var other = port > 0 ? taken.putIfAbsent(port, key) : null;
            // The gateway compares its own.
            if (other != null && !(other.startsWith("parley.gateway.") && key.startsWith("parley.gateway."))) {
                errors.about(key, port + " (expected: another than " + variables.name(other) + ")");
            }
        }
    }

    void files() {
        var loader = ConfigRules.class.getClassLoader();
        for (var resource : RESOURCES) {
            if (loader.getResource(resource) == null) {
                errors.line("this build lacks " + resource + " (expected: build it again, scripts/parley does)");
            }
        }
        var data = Path.of(config.getString("parley.app.data-directory")).toAbsolutePath();
        var there = data;
        while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
        }
        if (!Files.isDirectory(there) || !Files.isWritable(there)) {
            errors.about("parley.app.data-directory", data + " (expected: a directory that can be written)");
        }
    }

    void secrets(GatewaySettings gateway) {
        var secrets = new LinkedHashMap<String, String>();
        secrets.put("parley.gateway.jwt.secret", gateway.tokens().secret());
        put(secrets, "parley.gateway.jwt.previous-secret", gateway.tokens().previousSecret());
        put(secrets, "parley.gateway.api-token", gateway.apiToken());
        put(secrets, "parley.gateway.break-glass-token", gateway.breakGlassToken());
        put(secrets, "parley.gateway.ws.token", gateway.ws().token());
        var users = new HashMap<String, String>();
        secrets.forEach((key, secret) -> {
            boolean copied = PLACEHOLDER.matcher(secret).matches();
            if (copied
                    || TYPED.matcher(secret).matches()
                    || secret.chars().distinct().count() < VARIED) {
                (production && copied ? errors : warnings)
                        .about(
                                key,
                                secret.length() + (copied ? " characters of an example" : " characters, easy to guess")
                                        + " (expected: random ones, such as those of: openssl rand -hex 32)");
            }
            untrimmed(key, secret);
            var other = users.putIfAbsent(secret, key);
            if (other != null) {
                warnings.about(key, "the same as " + variables.name(other) + " (expected: one of its own)");
            }
        });
        var until = gateway.tokens().previousUntil();
        if (until != null && until.isBefore(clock.instant())) {
            warnings.about("parley.gateway.jwt.previous-until", until + ", which is over (expected: leave both out)");
        }
        if (until != null && gateway.tokens().previousSecret() == null) {
            warnings.about("parley.gateway.jwt.previous-until", until + " without a previous secret (expected: both)");
        }
        if (until == null && gateway.tokens().previousSecret() != null) {
            warnings.line(variables.name("parley.gateway.jwt.previous-until")
                    + ": not set (expected: when the previous secret ends)");
        }
    }

    void providers(List<ProviderSettings> providers) {
        for (var provider : providers) {
            boolean first = provider.equals(providers.getFirst());
            var name = first
                    ? variables.name("parley.provider.api-keys")
                    : "parley.provider.fallbacks: " + provider.name() + ": api-keys";
            for (var key : provider.apiKeys()) {
                if ("api.openai.com".equals(provider.url().getHost()) && !key.startsWith("sk-")) {
                    warnings.line(name + ": " + key.length() + " characters that do not begin with sk-"
                            + " (expected: a key of OpenAI's, sk-…)");
                }
            }
            var url = provider.url();
            if (production
                    && List.of("http", "ws").contains(url.getScheme())
                    && !isThisMachine(url.getHost())
                    && !provider.apiKeys().isEmpty()) {
                warnings.line((first ? variables.name("parley.provider.url") : name) + ": " + url.getScheme() + "://"
                        + url.getHost() + " (expected: https; keys and speech travel in plain text)");
            }
        }
        if (config.hasPath("parley.provider.api-keys")) {
            for (var key : config.getString("parley.provider.api-keys").split(",", -1)) {
                untrimmed("parley.provider.api-keys", key.strip());
            }
        }
    }

    /** Quotes and line ends that a shell or an environment file has left. */
    private void untrimmed(String key, String secret) {
        if (secret.matches("(?s)^[\"'].*|.*[\"']$|.*\\s.*")) {
            warnings.about(key, "holds quotes or blanks (expected: the secret alone)");
        }
    }

    /** Read as it is written: a secret that is missing as well shall not hide it. */
    void plainText() {
        if (!production) {
            return;
        }
        if (config.getBoolean("parley.gateway.https.enabled")) {
            if (config.getString("parley.gateway.https.certificate").isEmpty()) {
                errors.line("PARLEY_TLS_CERTIFICATE: not set (expected in production: a certificate and its key, or"
                        + " PARLEY_HTTPS=false behind a proxy that has them)");
            }
        } else if (config.getString("parley.gateway.trusted-proxies").isBlank()
                && !isThisMachine(config.getString("parley.gateway.host"))) {
            errors.line(variables.name("parley.gateway.https.enabled")
                    + ": false, and " + variables.name("parley.gateway.trusted-proxies")
                    + " is not set: tokens of operators and callers would travel in plain text (expected: TLS, or the"
                    + " proxies that have it)");
        }
    }

    void door(GatewaySettings gateway) {
        if (gateway.https()) {
            certificate(gateway);
        }
        for (var range : config.getString("parley.gateway.trusted-proxies").split(",", -1)) {
            if (range.strip().endsWith("/0")) {
                warnings.about(
                        "parley.gateway.trusted-proxies", range.strip() + ", everybody (expected: your proxies alone)");
            }
        }
        if (production) {
            for (var origin : gateway.allowedOrigins()) {
                if (origin.startsWith("http://")) {
                    warnings.about("parley.gateway.allowed-origins", origin + " (expected: https)");
                }
            }
        }
        if (gateway.tokens().jwksUrl() != null) {
            if (gateway.tokens().issuer() == null) {
                warnings.line(variables.name("parley.gateway.jwt.issuer") + ": not set (expected with "
                        + variables.name("parley.gateway.jwt.jwks-url") + ")");
            }
            if (gateway.tokens().audience() == null) {
                warnings.line(variables.name("parley.gateway.jwt.audience")
                        + ": not set (expected with " + variables.name("parley.gateway.jwt.jwks-url")
                        + "; tokens for other services would be taken)");
            }
        }
    }

    private void certificate(GatewaySettings gateway) {
        var file = gateway.certificate();
        if (file == null || !Files.isReadable(file)) {
            return;
        }
        try (var text = Files.newInputStream(file)) {
            for (var each : CertificateFactory.getInstance("X.509").generateCertificates(text)) {
                var end = ((X509Certificate) each).getNotAfter().toInstant();
                ends(file, end);
            }
        } catch (IOException | CertificateException unreadable) {
            errors.about("parley.gateway.https.certificate", file + ": no certificate (expected: a PEM file)");
        }
    }

    private void ends(Path file, Instant end) {
        var now = clock.instant();
        if (end.isBefore(now)) {
            errors.about("parley.gateway.https.certificate", file + ": expired at " + end + " (expected: a valid one)");
        } else if (end.isBefore(now.plus(ENDS_SOON))) {
            warnings.about(
                    "parley.gateway.https.certificate",
                    file + ": ends at " + end + " (expected: more than " + ENDS_SOON.toDays() + " days)");
        }
    }

    void database(Journal journal) {
        if (!production) {
            return;
        }
        if (journal.password().isEmpty()) {
            warnings.about("parley.app.database-url", journal.place() + " without a password (expected: one)");
        }
        var host = journal.place().replaceFirst("^postgresql://", "").replaceFirst("[:/].*$", "");
        if (!isThisMachine(host) && !journal.url().matches(".*[?&]sslmode=(require|verify-ca|verify-full).*")) {
            warnings.about(
                    "parley.app.database-url",
                    journal.place() + " without TLS (expected: ?sslmode=verify-full; what people said travels in plain"
                            + " text)");
        }
    }

    void cluster() {
        var seeds = config.getStringList("pekko.cluster.seed-nodes");
        var name = variables.name("pekko.cluster.seed-nodes");
        boolean far = false;
        for (var seed : seeds) {
            var address = seed.replaceFirst("^pekko://[^@]*@", "");
            var parts = SEED.matcher(address);
            if (!parts.matches() || Integer.parseInt(parts.group(2)) < 1 || Integer.parseInt(parts.group(2)) > 65535) {
                errors.line(name + ": " + address + " (expected: host:port, separated by commas)");
            } else {
                far |= !isThisMachine(parts.group(1));
            }
        }
        var own = config.getString("pekko.remote.artery.canonical.hostname");
        if (List.of("0.0.0.0", "::", "[::]").contains(own)) {
            (seeds.isEmpty() ? warnings : errors)
                    .about(
                            "pekko.remote.artery.canonical.hostname",
                            own + " (expected: an address that the other nodes can reach)");
        } else if (far && isThisMachine(own)) {
            errors.about(
                    "pekko.remote.artery.canonical.hostname",
                    own + " (expected: an address that the nodes of " + name + " can reach)");
        }
        if (production && seeds.size() == 1) {
            warnings.line(name + ": one node (expected: at least two; a single seed that starts again finds nobody,"
                    + " and begins a cluster of its own beside the one that runs)");
        }
    }

    static boolean isSwitchedOff(Map<String, String> environment) {
        return SWITCHES.stream()
                .map(environment::get)
                .anyMatch(value -> value != null && OFF.matcher(value.strip()).matches());
    }

    void switches() {
        for (var name : SWITCHES) {
            var value = environment.get(name);
            if (value != null
                    && !value.isBlank()
                    && !OFF.matcher(value.strip()).matches()
                    && !BOOLEAN.matcher(value.strip()).matches()) {
                errors.line(name + ": " + value + " (expected: true or false)");
            }
        }
    }

    void unknownVariables() {
        if (variables.known().isEmpty()) {
            return;
        }
        environment.keySet().stream()
                .sorted()
                .filter(name -> !variables.known().contains(name))
                .forEach(name -> {
                    var meant = variables.meant(name);
                    if (name.startsWith("PARLEY_")) {
                        warnings.line(name + ": nobody reads it (expected: "
                                + meant.orElse("one of those in docs/configuration.md") + ")");
                    } else if (meant.isPresent() && name.matches("(VOICE|JWT|REALTIME|ENABLE|OPENAI|DATABASE)_.*")) {
                        warnings.line(name + ": nobody reads it (expected: " + meant.get() + ")");
                    }
                });
        if (environment.containsKey("REALTIME_TEMPERATURE")) {
            warnings.line("REALTIME_TEMPERATURE: ignored, the GA protocol has no temperature");
        }
    }

    private static void put(Map<String, String> secrets, String key, @Nullable String secret) {
        if (secret != null) {
            secrets.put(key, secret);
        }
    }

    /** By number or by its usual name; no name is looked up. */
    private static boolean isThisMachine(@Nullable String host) {
        return host != null
                && (host.equals("localhost") || host.startsWith("127.") || host.equals("::1") || host.equals("[::1]"));
    }
}
