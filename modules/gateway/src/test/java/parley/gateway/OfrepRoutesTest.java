package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.openfeature.contrib.providers.ofrep.OfrepProvider;
import dev.openfeature.contrib.providers.ofrep.OfrepProviderOptions;
import dev.openfeature.sdk.ErrorCode;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;

/** R15: the published Java provider against a bound gateway, and what other providers need of an answer. */
@Tag("route")
class OfrepRoutesTest {
    private static final String FLAGS = "/ofrep/v1/evaluate/flags";

    private final Rig rig = new Rig();
    private final Gateway gateway = rig.open(Rig.settings(), Rig.admission());
    private final HttpClient http = HttpClient.newHttpClient();

    @AfterEach
    void close() {
        Rig.get(gateway.close());
        rig.close();
    }

    @Test
    void thePublishedProviderEvaluatesTheFlag() {
        var client = client("viewer");

        var details = client.getBooleanDetails("voice-realtime", false, new ImmutableContext("anna"));

        assertThat(details.getErrorMessage()).isNull();
        assertThat(details.getValue()).isTrue();
        assertThat(details.getVariant()).isEqualTo("on");
        assertThat(details.getReason()).isEqualTo("SPLIT");
        assertThat(details.getFlagMetadata().getInteger("bucket")).isEqualTo(7);
    }

    @Test
    void thePublishedProviderIsToldWhatIsWrong() {
        assertThat(client("viewer")
                        .getBooleanDetails("other", true, new ImmutableContext("anna"))
                        .getErrorCode())
                .isEqualTo(ErrorCode.FLAG_NOT_FOUND);
        assertThat(client("")
                        .getBooleanDetails("voice-realtime", false, new ImmutableContext("anna"))
                        .getErrorCode())
                .isNotNull()
                .isNotEqualTo(ErrorCode.PARSE_ERROR);
    }

    @Test
    void everyAnswerHasTheMembersThatProvidersFailWithout() throws Exception {
        for (var body : List.of("{\"context\":{\"targetingKey\":\"a\"}}", "{\"context\":{}}", "{}", "{half")) {
            for (var role : List.of("viewer", "")) {
                var got = post(FLAGS + "/voice-realtime", body, role);
                var json = new ObjectMapper().readTree(got.body());

                assertThat(got.headers().firstValue("content-type")).hasValue("application/json");
                assertThat(json.path("metadata").isObject()).as(got.body()).isTrue();
                assertThat(json.has("key")).isTrue();
                if (got.statusCode() == 200) {
                    assertThat(json.has("value") && json.has("variant") && json.has("reason"))
                            .isTrue();
                } else {
                    assertThat(json.has("errorCode") && json.has("errorDetails"))
                            .isTrue();
                }
            }
        }
    }

    @Test
    void anotherContextIsNeverTakenForTheSame() throws Exception {
        var first = post(FLAGS, "{\"context\":{\"targetingKey\":\"a\"}}", "viewer");
        var tag = first.headers().firstValue("etag").orElseThrow();

        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(post(FLAGS, "{\"context\":{\"targetingKey\":\"a\"}}", "viewer", "If-None-Match", tag)
                        .statusCode())
                .isEqualTo(304);
        assertThat(post(FLAGS, "{\"context\":{\"targetingKey\":\"b\"}}", "viewer", "If-None-Match", tag)
                        .statusCode())
                .isEqualTo(200);
    }

    private dev.openfeature.sdk.Client client(String role) {
        var provider = OfrepProvider.constructProvider(OfrepProviderOptions.builder()
                .baseUrl("http://127.0.0.1:" + gateway.address().getPort())
                .headers(ImmutableMap.of("Authorization", ImmutableList.of("Bearer " + token(role))))
                .build());
        OpenFeatureAPI.getInstance().setProviderAndWait("ofrep-" + role, provider);
        return OpenFeatureAPI.getInstance().getClient("ofrep-" + role);
    }

    private HttpResponse<String> post(String path, String body, String role, String... headers) throws Exception {
        var request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + gateway.address().getPort() + path))
                .timeout(Duration.ofMinutes(1))
                .header("Authorization", "Bearer " + token(role))
                .POST(HttpRequest.BodyPublishers.ofString(body));
        for (int number = 0; number < headers.length; number += 2) {
            request.header(headers[number], headers[number + 1]);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private static String token(String role) {
        return Gateway.tokens(Rig.settings())
                .sign(
                        new Tokens.Bearer(
                                new CallerId("service", "default"), role.isEmpty() ? List.of() : List.of(role)),
                        Duration.ofMinutes(15));
    }
}
