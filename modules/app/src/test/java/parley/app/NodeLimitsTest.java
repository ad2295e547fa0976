package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parley.admission.QuotaSettings;
import parley.gateway.RateSettings;
import parley.gateway.RateSettings.Rate;

/** L7: the limits of a whole node, and those that production has. */
@Tag("client")
class NodeLimitsTest {
    private static final Map<String, ?> TWO = Map.of("parley.admission.sessions-per-hour", 2);

    @Test
    void aUsersSessionsAreCountedAcrossARestart(@TempDir Path data) throws IOException, InterruptedException {
        try (var node = TestNode.start(TWO, data)) {
            assertThat(opens(node, "anna").statusCode()).isEqualTo(201);
            assertThat(opens(node, "anna").statusCode()).isEqualTo(201);
            assertThat(opens(node, "anna").statusCode()).isEqualTo(429);
            assertThat(opens(node, "ben").statusCode()).isEqualTo(201);
        }
        try (var node = TestNode.start(TWO, data)) {
            var refused = opens(node, "anna");

            assertThat(refused.statusCode()).isEqualTo(429);
            assertThat(refused.body()).contains("\"code\":\"quota_exceeded\"");
            assertThat(refused.headers().firstValueAsLong("retry-after").orElseThrow())
                    .isBetween(3000L, 3600L);
            assertThat(opens(node, "ben").statusCode()).isEqualTo(201);
        }
    }

    private static HttpResponse<String> opens(TestNode node, String user) throws IOException, InterruptedException {
        try (var client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(node.http("/v1/sessions"))
                            .header("Authorization", "Bearer " + node.token(user))
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build(),
                    BodyHandlers.ofString());
        }
    }

    @Test
    void productionHasLimitsAndDevelopmentHasNone() {
        var production = AppSettings.load(TestNode.home(), "production");
        var development = AppSettings.load(TestNode.home(), "development");

        assertThat(QuotaSettings.from(production).sessionsPerHour()).isEqualTo(5);
        assertThat(RateSettings.from(production))
                .extracting(RateSettings::requests, RateSettings::upgrades)
                .containsExactly(new Rate(10, 20), new Rate(5, 10));
        assertThat(QuotaSettings.from(development).sessionsPerHour()).isZero();
        assertThat(RateSettings.from(development))
                .extracting(RateSettings::requests, RateSettings::upgrades)
                .containsExactly(new Rate(0, 20), new Rate(0, 10));
    }
}
