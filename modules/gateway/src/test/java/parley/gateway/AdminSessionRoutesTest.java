package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.session.Face;
import parley.session.Sessions;

/** Operators see everybody's sessions, by role; through a bound gateway. */
@Tag("route")
class AdminSessionRoutesTest {
    private final Rig rig = new Rig();
    private final Gateway gateway = rig.open(Rig.settings(), Rig.admission());
    private final HttpClient http = HttpClient.newHttpClient();

    AdminSessionRoutesTest() {
        for (int number = 0; number < 3; number++) {
            Rig.get(rig.sessions.open(
                    FakeSessions.id(number),
                    new Sessions.Opening(
                            new CallerId("caller-" + number, "red"), Face.VOICE, Arm.VOICE, null, "BUCKET", 42L)));
        }
    }

    @AfterEach
    void close() {
        Rig.get(gateway.close());
        rig.close();
    }

    @Test
    void everybodysSessionsAreListedPageByPage() throws Exception {
        var first = json(ask("GET", "?limit=2", "viewer"));
        var rest = json(ask("GET", "?limit=2&after=" + first.path("next").asText(), "viewer"));

        assertThat(first.path("sessions")).hasSize(2);
        var session = first.path("sessions").get(0);
        assertThat(session.path("caller").asText()).isEqualTo("caller-0");
        assertThat(session.path("tenant").asText()).isEqualTo("red");
        assertThat(session.path("node").asText()).isEqualTo("pekko://parley@here:1");
        assertThat(session.path("edge_node").asText()).isEqualTo("pekko://parley@there:1");
        assertThat(session.path("rule").asText()).isEqualTo("bucket");
        assertThat(session.path("rollout_revision").asLong()).isEqualTo(42);
        assertThat(rest.path("sessions")).hasSize(1);
        assertThat(rest.path("next").isNull()).isTrue();
    }

    @Test
    void aBadPageIsNamed() throws Exception {
        assertThat(ask("GET", "?limit=1000", "viewer").statusCode()).isEqualTo(400);
        assertThat(ask("GET", "?after=nonsense", "viewer").statusCode()).isEqualTo(400);
    }

    @Test
    void whatWasSaidIsForAdministrators() throws Exception {
        var path = "/" + FakeSessions.id(1) + "/transcript";

        assertThat(ask("GET", path, "operator").statusCode()).isEqualTo(403);
        assertThat(json(ask("GET", path, "admin")).path("turns")).hasSize(2);
    }

    @Test
    void anOperatorEndsWhatAViewerOnlySees() throws Exception {
        var path = "/" + FakeSessions.id(1);

        assertThat(json(ask("GET", path, "viewer")).path("caller").asText()).isEqualTo("caller-1");
        assertThat(ask("DELETE", path, "viewer").statusCode()).isEqualTo(403);
        assertThat(ask("DELETE", path, "operator").statusCode()).isEqualTo(200);
        assertThat(ask("GET", "/" + FakeSessions.id(9), "viewer").statusCode()).isEqualTo(404);
        var none = ask("GET", "/nonsense", "viewer");
        assertThat(none.statusCode()).isEqualTo(404);
        assertThat(none.body()).contains("unknown_session", "(expected: sess_…)");
        assertThat(ask("GET", path, "").statusCode()).isEqualTo(403);
    }

    private HttpResponse<String> ask(String method, String path, String role) throws Exception {
        var token = Gateway.tokens(Rig.settings())
                .sign(
                        new Tokens.Bearer(new CallerId("amir", "default"), role.isEmpty() ? List.of() : List.of(role)),
                        Duration.ofMinutes(15));
        return http.send(
                HttpRequest.newBuilder(URI.create(
                                "http://127.0.0.1:" + gateway.address().getPort() + "/admin/sessions" + path))
                        .timeout(Duration.ofMinutes(1))
                        .header("Authorization", "Bearer " + token)
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                BodyHandlers.ofString());
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        return new ObjectMapper().readTree(response.body());
    }
}
