package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import parley.app.clients.NodeScript;
import parley.app.clients.Seen;
import parley.app.clients.Seen.Said;
import parley.app.clients.Speech;

/**
 * {@code RealtimeSession} of the npm package {@code @openai/agents-realtime}, which keeps a history of its own, runs
 * functions and handles interruptions by itself. It names the model in its first event only.
 */
class AgentsJsClientTest extends RealtimeClientTest {
    /** The client's clock ticks in milliseconds. */
    private static final long CLOCKS_DIFFER_MS = 2;

    @Override
    Seen hold(String conversation, String token) throws Exception {
        var seen = run(conversation, token);

        assertThat(seen.notes().path("troubles")).hasSameSizeAs(seen.all("error"));
        assertThat(seen.notes().path("strange")).isEmpty();
        assertThat(seen.notes().at("/usage/totalTokens").asLong())
                .isEqualTo(seen.responses().stream()
                        .mapToLong(
                                response -> response.at("/usage/total_tokens").asLong())
                        .sum());
        return seen;
    }

    @Override
    String refusal(String token) throws Exception {
        return run("refused", token).notes().path("refusal").asText();
    }

    @Test
    void theModelOfTheFirstEventIsDialled() throws Exception {
        var seen = hold("other-model");

        assertThat(seen.only("session.created").at("/session/model").asText()).isEqualTo("simulator:delta_ms=250");
        var first =
                seen.all("response.output_audio.delta").getFirst().path("delta").asText();
        assertThat(Base64.getDecoder().decode(first)).hasSize(250 * Speech.BYTES_PER_MS);
    }

    @Test
    void theClientsHistoryTellsASpokenTurn() throws Exception {
        var seen = hold("voice-turn");

        assertThat(history(seen)).isEqualTo(seen.turns());
        assertThat(seen.notes().path("audioBytes").asLong() / Speech.BYTES_PER_MS)
                .isEqualTo(seen.audioMs(seen.turns().getLast().itemId()));
    }

    @Test
    void theClientRunsTheFunctionOnce() throws Exception {
        var seen = hold("function-call");

        assertThat(seen.notes().path("asked")).extracting(JsonNode::asText).containsExactly("Paris");
        assertThat(seen.notes().path("history"))
                .extracting(item -> item.path("type").asText())
                .containsExactly("message", "function_call", "message");
        assertThat(seen.notes().at("/history/1/output").asText()).isEqualTo("sunny");
    }

    @Test
    void theClientTruncatesAtWhatItPlayedAndKeepsTheOrderOfItsHistory() throws Exception {
        var seen = hold("barge-in");

        long heard =
                seen.only("conversation.item.truncated").path("audio_end_ms").asLong();
        assertThat(heard)
                .isLessThanOrEqualTo(seen.notes().path("receivedMs").asLong())
                .isBetween(
                        seen.notes().at("/played/least").asLong() - CLOCKS_DIFFER_MS,
                        seen.notes().at("/played/most").asLong() + CLOCKS_DIFFER_MS);
        assertThat(seen.notes().path("interruptions").asInt()).isEqualTo(1);
        assertThat(history(seen)).extracting(Said::itemId).isEqualTo(itemIds(seen));
        assertThat(seen.notes().path("history"))
                .extracting(item -> item.path("status").asText())
                .containsExactly("completed", "incomplete", "completed", "completed");
    }

    @Test
    void anInterruptionByTheApplicationStopsTheAgentAndTheConversationGoesOn() throws Exception {
        var seen = hold("interrupt");

        assertThat(seen.types()).doesNotContain("error", "input_audio_buffer.speech_started");
        assertThat(seen.responses())
                .extracting(response -> response.path("status").asText())
                .containsExactly("cancelled", "completed");
        assertThat(seen.responses().getFirst().at("/status_details/reason").asText())
                .isEqualTo("client_cancelled");
        isCutAtWhatWasHeard(seen);
        assertThat(history(seen)).extracting(Said::itemId).isEqualTo(itemIds(seen));
        assertThat(words(seen).getLast()).isEqualTo("As you wish.");
    }

    private static Seen run(String conversation, String token) throws Exception {
        return NodeScript.run(
                "agents.mjs",
                conversation,
                Map.of(
                        "NODE_URL", NODE.http("").toString(),
                        "CALLER_TOKEN", token,
                        "SPEECH", speech.toString()));
    }

    private static List<String> itemIds(Seen seen) {
        return seen.turns().stream().map(Said::itemId).toList();
    }

    private static List<Said> history(Seen seen) {
        return StreamSupport.stream(seen.notes().path("history").spliterator(), false)
                .map(item -> new Said(
                        item.path("role").asText().equals("assistant") ? "agent" : "user",
                        item.path("itemId").asText(),
                        item.path("words").asText()))
                .toList();
    }
}
