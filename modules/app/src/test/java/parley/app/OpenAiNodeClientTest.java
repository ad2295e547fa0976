package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import parley.app.clients.NodeScript;
import parley.app.clients.Seen;

/** {@code OpenAIRealtimeWS} of the npm package {@code openai}, which speaks TLS only. */
class OpenAiNodeClientTest extends RealtimeClientTest {
    @Override
    Seen hold(String conversation, String token) throws Exception {
        var seen = run(conversation, token);

        assertThat(seen.notes().path("code").asInt()).isEqualTo(1000);
        assertThat(seen.notes().path("troubles")).hasSameSizeAs(seen.all("error"));
        return seen;
    }

    @Override
    String refusal(String token) throws Exception {
        return run("refused", token).notes().path("refusal").asText();
    }

    private static Seen run(String conversation, String token) throws Exception {
        return NodeScript.run(
                "openai.mjs",
                conversation,
                Map.of(
                        "NODE_URL", NODE.https("").toString(),
                        "NODE_EXTRA_CA_CERTS",
                                NODE.certificate().toAbsolutePath().toString(),
                        "CALLER_TOKEN", token,
                        "SPEECH", speech.toString()));
    }
}
