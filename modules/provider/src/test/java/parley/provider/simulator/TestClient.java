package parley.provider.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parley.protocol.AudioFormat;
import parley.protocol.Wire;

/** A realtime client on the WebSocket of the JDK. Every wait is bounded. */
final class TestClient implements AutoCloseable, WebSocket.Listener {

    private static final long PATIENCE_SECONDS = 60;

    private final HttpClient http = HttpClient.newHttpClient();
    private final LinkedBlockingQueue<JsonNode> inbox = new LinkedBlockingQueue<>();
    private final List<JsonNode> events = new ArrayList<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private final StringBuilder partial = new StringBuilder();
    private volatile boolean reading = true;
    private @Nullable WebSocket socket;

    static TestClient connect(URI uri, Consumer<WebSocket.Builder> with) {
        var client = new TestClient();
        var builder = client.http.newWebSocketBuilder();
        with.accept(builder);
        client.socket = builder.buildAsync(uri, client)
                .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
        return client;
    }

    WebSocket socket() {
        return java.util.Objects.requireNonNull(socket);
    }

    /** The close code; fails when the connection was lost. */
    CompletableFuture<Integer> closed() {
        return closed;
    }

    /** Sends an event; apostrophes stand for quotes. */
    void send(String json) {
        socket().sendText(json.replace('\'', '"'), true)
                .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    void append(byte[] audio) {
        send("{'type':'input_audio_buffer.append','audio':'"
                + Base64.getEncoder().encodeToString(audio) + "'}");
    }

    void hear(AudioFormat format, byte[] audio) {
        int frame = 20 * format.bytesPerMillisecond();
        for (int at = 0; at < audio.length; at += frame) {
            append(Arrays.copyOfRange(audio, at, Math.min(audio.length, at + frame)));
        }
    }

    JsonNode next() {
        try {
            var event = inbox.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (event == null) throw new AssertionError("nothing came after " + Bench.types(events));
            events.add(event);
            return event;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new AssertionError(stopped);
        }
    }

    JsonNode until(String type) {
        var event = next();
        while (!event.path("type").asText().equals(type)) event = next();
        return event;
    }

    boolean quietFor(long millis) {
        try {
            return inbox.poll(millis, TimeUnit.MILLISECONDS) == null;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Lets time pass on the other side; whatever comes is left for later. */
    void rest(long millis) {
        try {
            new CompletableFuture<Void>().get(millis, TimeUnit.MILLISECONDS);
        } catch (java.util.concurrent.TimeoutException over) {
            return;
        } catch (InterruptedException | java.util.concurrent.ExecutionException impossible) {
            throw new AssertionError(impossible);
        }
    }

    boolean eventually(BooleanSupplier condition) {
        for (int i = 0; i < 600 && !condition.getAsBoolean(); i++) rest(50);
        return condition.getAsBoolean();
    }

    /** From now on what the server sends stays in the network. */
    void stopReading() {
        reading = false;
    }

    String answer() {
        return events.stream()
                .filter(event -> event.path("type").asText().equals("response.output_audio_transcript.done"))
                .map(event -> event.path("transcript").asText())
                .findFirst()
                .orElseThrow();
    }

    byte[] audio() {
        return Sound.join(events.stream()
                .filter(event -> event.path("type").asText().equals("response.output_audio.delta"))
                .map(event -> Base64.getDecoder().decode(event.path("delta").asText()))
                .toArray(byte[][]::new));
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        partial.append(data);
        if (last) {
            inbox.add(Wire.parse(partial.toString()));
            partial.setLength(0);
        }
        if (reading) from.request(1);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
        closed.complete(code);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
        closed.completeExceptionally(error);
    }

    @Override
    public void close() {
        if (socket != null) socket.abort();
        http.shutdownNow();
    }
}
