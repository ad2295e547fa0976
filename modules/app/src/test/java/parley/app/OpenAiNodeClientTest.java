package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.Test;
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

    /** What a newcomer pastes: whether it was heard is said by its exit code as well. */
    @Test
    void theReadmesFirstCallerEndsWellOnlyWhenItWasLetIn() throws Exception {
        var readme = Files.readString(TestNode.home().resolve("README.md"));
        int begin = readme.indexOf("```js\n") + "```js\n".length();
        var module = readme.substring(begin, readme.indexOf("```", begin))
                .replace("https://127.0.0.1:8443", NODE.https("").toString().replaceFirst("/$", ""));
        var certificate = NODE.certificate().toAbsolutePath().toString();

        var heard = NodeScript.evaluate(
                module, Map.of("PARLEY_TOKEN", NODE.token("anna"), "NODE_EXTRA_CA_CERTS", certificate));
        var refused =
                NodeScript.evaluate(module, Map.of("PARLEY_TOKEN", "not-a-token", "NODE_EXTRA_CA_CERTS", certificate));

        assertThat(heard.output()).contains("agent   Good morning.");
        assertThat(heard.code()).isZero();
        assertThat(refused.errors()).contains("401");
        assertThat(refused.code()).isEqualTo(1);
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
