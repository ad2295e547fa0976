package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("stream")
class FirstCallTest {
    @Test
    void aNodeThatIsReadyTellsItsHealth() throws Exception {
        var node = TestNode.shared();

        var answer = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(node.http("/health")).build(), BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("\"status\":\"ok\"");
    }
}
