package parley.app;

import com.typesafe.config.Config;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * {@code parley.app.tracing} in reference.conf, where each key is explained.
 *
 * @param endpoint null: nobody is told
 * @param ratio of the traces that their callers have not decided about
 */
record TracingSettings(@Nullable URI endpoint, String service, double ratio, int queue) {
    TracingSettings {
        var wrong = new ArrayList<String>();
        if (!(ratio >= 0 && ratio <= 1)) {
            wrong.add("ratio: " + ratio + " (expected: 0..1)");
        }
        if (queue < 1) {
            wrong.add("queue: " + queue + " (expected: at least 1)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.app.tracing: " + String.join("; ", wrong));
        }
    }

    /** Reads the block of a whole configuration. */
    static TracingSettings from(Config config) {
        var tracing = config.getConfig("parley.app.tracing");
        var endpoint = tracing.getString("endpoint");
        return new TracingSettings(
                endpoint.isEmpty() ? null : traces(endpoint),
                tracing.getString("service"),
                tracing.getDouble("ratio"),
                tracing.getInt("queue"));
    }

    /** As OpenTelemetry has it: the endpoint is the collector's, and each signal has its path there. */
    private static URI traces(String endpoint) {
        try {
            var uri = new URI(endpoint);
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return URI.create(endpoint.endsWith("/") ? endpoint + "v1/traces" : endpoint + "/v1/traces");
            }
        } catch (URISyntaxException none) {
            throw new IllegalArgumentException(expected(endpoint), none);
        }
        throw new IllegalArgumentException(expected(endpoint));
    }

    private static String expected(String endpoint) {
        return "parley.app.tracing: endpoint: " + endpoint + " (expected: http or https, as in http://127.0.0.1:4318)";
    }
}
