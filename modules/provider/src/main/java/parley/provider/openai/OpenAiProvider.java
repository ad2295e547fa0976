package parley.provider.openai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import parley.provider.Provider;
import parley.provider.ProviderRefused;
import parley.provider.ProviderSettings;
import parley.wire.Port;
import parley.wire.WebSocketClient;

/**
 * Dials {@code <url>/realtime?model=<model>} with a key of the pool, each key in turn. Sends no {@code OpenAI-Beta}
 * header, which selects the GA dialect, and offers no compression, which costs more than it saves on base64 audio.
 */
public final class OpenAiProvider implements Provider {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ProviderSettings settings;
    private final WebSocketClient client;
    private final AtomicInteger calls = new AtomicInteger();

    public OpenAiProvider(ProviderSettings settings, WebSocketClient client) {
        this.settings = settings;
        this.client = client;
    }

    @Override
    public String name() {
        return settings.name();
    }

    @Override
    public String defaultModel() {
        return settings.model();
    }

    @Override
    public String modelFor(@Nullable String asked) {
        if (asked == null) return settings.model();
        var models = settings.models();
        return models.contains(asked) || models.contains(ProviderSettings.ANY_MODEL) ? asked : settings.model();
    }

    @Override
    public Duration maxAge() {
        return settings.maxAge();
    }

    @Override
    public CompletionStage<Port> dial(Call call) {
        return client.connect(call.loop(), address(call.model()), headers(call)).handle((socket, failure) -> {
            if (failure != null) {
                throw refused(failure);
            }
            return socket;
        });
    }

    private URI address(String model) {
        var base = settings.url().toString().replaceFirst("^http", "ws");
        int query = base.indexOf('?');
        var path = query < 0 ? base : base.substring(0, query);
        var fixed = query < 0 ? "" : "&" + base.substring(query + 1);
        return URI.create(path + "/realtime?model=" + URLEncoder.encode(model, StandardCharsets.UTF_8) + fixed);
    }

    private HttpHeaders headers(Call call) {
        var headers = new DefaultHttpHeaders();
        settings.headers().forEach(headers::set);
        var keys = settings.apiKeys();
        if (!keys.isEmpty()) {
            headers.set("Authorization", "Bearer " + keys.get(Math.floorMod(calls.getAndIncrement(), keys.size())));
        }
        headers.set("OpenAI-Safety-Identifier", call.safetyIdentifier());
        return headers;
    }

    private static ProviderRefused refused(Throwable failure) {
        var cause = failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof WebSocketClient.Refused answer
                ? refused(answer)
                : new ProviderRefused("upstream_unavailable", "the provider cannot be reached", true);
    }

    /** A 4xx is about the call, except 408 and 429; everything else may pass. */
    private static ProviderRefused refused(WebSocketClient.Refused answer) {
        int status = answer.status();
        boolean retryable = status >= 500 || status == 408 || status == 429 || status < 400;
        var error = error(answer.body());
        var code = error.path("code").asText("");
        // A key the provider rejects is this deployment's trouble; the caller can do nothing with the details.
        if (status == 401 || status == 403) {
            return new ProviderRefused("upstream_refused", "the provider refused this deployment's credentials", false);
        }
        return new ProviderRefused(
                code.isEmpty() ? "upstream_http_" + status : code,
                error.path("message").asText("the provider answered HTTP " + status),
                retryable);
    }

    private static JsonNode error(String body) {
        try {
            return JSON.readTree(body).path("error");
        } catch (JsonProcessingException notJson) {
            return JSON.createObjectNode();
        }
    }
}
