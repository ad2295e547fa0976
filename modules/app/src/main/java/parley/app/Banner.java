package parley.app;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import parley.gateway.Gateway;

/** What a person reads when Parley has started. */
final class Banner {
    private Banner() {}

    static String of(AppSettings settings, Gateway gateway, Duration took) {
        var host = settings.gateway().host();
        var http = "http://" + host + ":" + gateway.address().getPort();
        var secure = gateway.secureAddress() == null
                ? null
                : "https://" + host + ":" + gateway.secureAddress().getPort();
        var text = new StringBuilder()
                .append(String.format(
                        Locale.ROOT,
                        "parley ready  %s%s  (%.1f s)%n",
                        http,
                        secure == null ? "" : "  " + secure,
                        took.toMillis() / 1000.0))
                .append(line("page", http + "/"))
                .append(line("admin", http + "/admin"))
                .append(line("OpenAI clients", "base URL " + (secure == null ? http : secure) + "/v1"));
        if (secure != null && settings.gateway().certificate() == null) {
            text.append(line(
                    "certificate",
                    settings.gateway().developmentCertificates().resolve("certificate.pem")
                            + " (self-signed, development)"));
        }
        text.append(line("provider", provider(settings))).append(line("journal", journal(settings)));
        if (!settings.production()) {
            text.append(line("token", token(settings)));
        }
        return text.toString().stripTrailing();
    }

    static String cluster(AppSettings settings, List<String> hosts, Duration took) {
        var port = settings.gateway().port();
        var urls = hosts.stream().map(host -> "http://" + host + ":" + port).toList();
        var text = new StringBuilder()
                .append(String.format(
                        Locale.ROOT, "parley ready  %s  (%.1f s)%n", String.join("  ", urls), took.toMillis() / 1000.0))
                .append(line("page", urls.getFirst() + "/"))
                .append(line("admin", urls.getFirst() + "/admin"))
                .append(line("provider", provider(settings)))
                .append(line("journal", journal(settings)));
        if (!settings.production()) {
            text.append(line("token", token(settings)));
        }
        return text.toString().stripTrailing();
    }

    private static String provider(AppSettings settings) {
        return settings.simulated()
                ? "simulator, no model behind it (set OPENAI_API_KEY for a real one)"
                : settings.providers().getFirst().url().getHost() + ", "
                        + settings.providers().getFirst().model();
    }

    private static String journal(AppSettings settings) {
        var journal = settings.journal();
        return journal == null ? "embedded PostgreSQL in " + settings.data().resolve("postgres") : journal.place();
    }

    private static String token(AppSettings settings) {
        return Gateway.tokens(settings.gateway()).development();
    }

    private static String line(String name, String value) {
        return String.format("  %-14s  %s%n", name, value);
    }
}
