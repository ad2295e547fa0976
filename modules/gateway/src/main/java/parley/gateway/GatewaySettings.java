package parley.gateway;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code parley.gateway} in reference.conf, where each key is explained.
 *
 * @param voicePort an extra port for the same; 0: none
 * @param httpsPort 0 with {@code https} off
 * @param apiToken admits to the admin API; null: nobody but bearers of a role
 * @param breakGlassToken may kill and nothing else; null: none
 */
public record GatewaySettings(
        String host,
        int port,
        int voicePort,
        boolean https,
        int httpsPort,
        @Nullable Path certificate,
        @Nullable Path certificateKey,
        Path developmentCertificates,
        TokenSettings tokens,
        @Nullable String apiToken,
        @Nullable String breakGlassToken,
        Duration developmentTokenLife,
        boolean production,
        Set<String> allowedOrigins,
        WsSettings ws,
        String version) {
    /** What every secret begins with that was made for development. Production refuses it. */
    public static final String DEVELOPMENT = "dev-";

    /** As browsers send it: in lower case, and without the port that its scheme implies. */
    private static final Pattern ORIGIN =
            Pattern.compile("(?!http:.*:80$|https:.*:443$)https?://([a-z0-9_.-]+|\\[[0-9a-f:.]+])(:[1-9][0-9]{0,4})?");

    public GatewaySettings {
        var wrong = new ArrayList<String>();
        port("port", port, wrong);
        port("voice-port", voicePort, wrong);
        port("https.port", httpsPort, wrong);
        differs("https.port", https ? httpsPort : 0, port, "port", wrong);
        differs("voice-port", voicePort, port, "port", wrong);
        differs("voice-port", voicePort, https ? httpsPort : 0, "https.port", wrong);
        wrong.addAll(tokens.complaints(production));
        wrong.addAll(ws.complaints(production));
        if (apiToken != null || production) {
            TokenSettings.secret("api-token", apiToken == null ? "" : apiToken, production, wrong);
        }
        if (breakGlassToken != null) {
            TokenSettings.secret("break-glass-token", breakGlassToken, production, wrong);
            if (breakGlassToken.equals(apiToken)) {
                wrong.add("break-glass-token: the same as api-token (expected: one of its own)");
            }
        }
        if ((certificate == null) != (certificateKey == null)) {
            wrong.add("https: only one of certificate and certificate-key is set (expected: both or none)");
        }
        if (!developmentTokenLife.isPositive()) {
            wrong.add("development-token-life: " + developmentTokenLife + " (expected: > 0)");
        }
        for (var origin : allowedOrigins) {
            if (!ORIGIN.matcher(origin).matches()) {
                wrong.add("allowed-origins: " + origin
                        + " (expected: what a browser sends, scheme and host as in https://app.example.com)");
            }
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.gateway: " + String.join("; ", wrong));
        }
        allowedOrigins = Set.copyOf(allowedOrigins);
    }

    /** Reads the block {@code parley.gateway} of a whole configuration. */
    public static GatewaySettings from(Config config) {
        var gateway = config.getConfig("parley.gateway");
        return new GatewaySettings(
                gateway.getString("host"),
                gateway.getInt("port"),
                gateway.getInt("voice-port"),
                gateway.getBoolean("https.enabled"),
                gateway.getInt("https.port"),
                path(gateway.getString("https.certificate")),
                path(gateway.getString("https.certificate-key")),
                Path.of(gateway.getString("https.development-certificates")),
                TokenSettings.from(gateway.getConfig("jwt")),
                orNull(gateway.getString("api-token")),
                orNull(gateway.getString("break-glass-token")),
                gateway.getDuration("development-token-life"),
                gateway.getBoolean("production"),
                Set.copyOf(list(gateway.getString("allowed-origins"))),
                WsSettings.from(gateway.getConfig("ws")),
                gateway.getString("version"));
    }

    /** Secrets stay out of everything that is printed. */
    @Override
    public String toString() {
        return "GatewaySettings[" + host + ":" + port + (https ? ", https " + httpsPort : "") + "]";
    }

    private static void port(String key, int port, List<String> wrong) {
        if (port < 0 || port > 65535) {
            wrong.add(key + ": " + port + " (expected: 0..65535)");
        }
    }

    private static void differs(String key, int port, int other, String otherKey, List<String> wrong) {
        if (port != 0 && port == other) {
            wrong.add(key + ": " + port + " (expected: another than " + otherKey + ")");
        }
    }

    private static @Nullable Path path(String text) {
        return text.isEmpty() ? null : Path.of(text);
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }

    static List<String> list(String commaSeparated) {
        return List.of(commaSeparated.split(",")).stream()
                .map(String::strip)
                .filter(item -> !item.isEmpty())
                .toList();
    }
}
