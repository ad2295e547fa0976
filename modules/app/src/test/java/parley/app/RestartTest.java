package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** B7, B12: what was said outlives the process. */
@Tag("cluster")
class RestartTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void theTranscriptAndTheCostAreThereAfterARestartOnTheSameData() throws Exception {
        JsonNode before;
        String id;
        java.nio.file.Path data;
        try (var node = TestNode.start(Map.of())) {
            data = node.data();
            id = talk(node);
            awaitOver(node, id);
            before = transcript(node, id);
            assertThat(session(node, id).path("cost_usd").asDouble()).isPositive();
        }

        try (var again = TestNode.start(Map.of(), data)) {
            assertThat(transcript(again, id)).isEqualTo(before);
            assertThat(before.path("turns")).hasSize(2);
            assertThat(before.path("turns").get(0).path("text").asText()).isEqualTo("say exactly: we meet again");
            assertThat(before.path("turns").get(1).path("text").asText()).isEqualTo("we meet again");
            assertThat(session(again, id).path("cost_usd").asDouble()).isPositive();
        }
    }

    /** One typed turn with a spoken answer; the caller hangs up afterwards. */
    private static String talk(TestNode node) throws Exception {
        var id = new CompletableFuture<String>();
        var done = new CompletableFuture<Void>();
        var socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .header("Authorization", "Bearer " + node.token("anna"))
                .buildAsync(node.ws("/v1/realtime?model=simulator"), new WebSocket.Listener() {
                    private final StringBuilder message = new StringBuilder();

                    @Override
                    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
                        message.append(part);
                        if (last) {
                            hear(message.toString());
                            message.setLength(0);
                        }
                        from.request(1);
                        return null;
                    }

                    private void hear(String text) {
                        try {
                            var event = JSON.readTree(text);
                            switch (event.path("type").asText()) {
                                case "session.created" ->
                                    id.complete(event.path("session").path("id").asText());
                                case "response.done" -> done.complete(null);
                                default -> {}
                            }
                        } catch (java.io.IOException malformed) {
                            done.completeExceptionally(malformed);
                        }
                    }
                })
                .get(60, TimeUnit.SECONDS);
        socket.sendText(
                        "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\","
                                + "\"content\":[{\"type\":\"input_text\",\"text\":\"say exactly: we meet again\"}]}}",
                        true)
                .thenCompose(sent -> sent.sendText("{\"type\":\"response.create\"}", true))
                .get(60, TimeUnit.SECONDS);
        done.get(60, TimeUnit.SECONDS);
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(60, TimeUnit.SECONDS);
        return id.get();
    }

    /** Then everything that was said is in the journal. */
    private static void awaitOver(TestNode node, String id) throws Exception {
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!session(node, id).path("phase").asText().equals("over")) {
            assertThat(System.nanoTime()).as("the session is over").isLessThan(patience);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private static JsonNode transcript(TestNode node, String id) throws Exception {
        return get(node, "/v1/sessions/" + id + "/transcript");
    }

    private static JsonNode session(TestNode node, String id) throws Exception {
        return get(node, "/v1/sessions/" + id);
    }

    private static JsonNode get(TestNode node, String path) throws Exception {
        return JSON.readTree(HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(node.http(path))
                                .header("Authorization", "Bearer " + node.token("anna"))
                                .build(),
                        BodyHandlers.ofString())
                .body());
    }
}
