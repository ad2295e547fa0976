package parley.load;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;

/**
 * Opens sessions by REST at one node, so that their callers may connect to another: what a caller's frame costs when
 * its session lives elsewhere. Parley's own resource; other servers have none.
 */
final class Opening implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(Caller.PATIENCE_SECONDS);
    private static final Pattern ID = Pattern.compile("\"id\" *: *\"([A-Za-z0-9_-]{1,100})\"");

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private final URI url;
    private final HttpRequest request;

    Opening(URI node, Options options) {
        this.url = options.url();
        var request = HttpRequest.newBuilder(node.resolve("/v1/sessions"))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JsonNodeFactory.instance
                        .objectNode()
                        .put("face", "realtime")
                        .put("model", options.openModel())
                        .toString()));
        options.access().headers().forEach(header -> request.header(header.name(), header.value()));
        this.request = request.build();
    }

    /** Completes with the address to connect to, or fails with what the node answered. */
    CompletableFuture<URI> open() {
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8))
                .thenApply(answer -> {
                    var id = ID.matcher(answer.body());
                    if (answer.statusCode() != 201 || !id.find()) {
                        throw new CompletionException(new IOException(
                                "HTTP " + answer.statusCode() + " to POST /v1/sessions" + Refusal.said(answer.body())));
                    }
                    return URI.create(url + (url.getRawQuery() == null ? "?" : "&") + "session_id=" + id.group(1));
                });
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
