package parley.provider.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.wire.HttpServer;
import parley.wire.HttpServer.Reply;

/** Who gets in: everything that is decided before the upgrade, and the answers in the form of the protocol's REST part. */
final class Door implements HttpServer.Handler {

    private static final Logger LOG = LoggerFactory.getLogger(Door.class);
    private static final Set<String> PARAMETERS = Set.of("model", "intent", "call_id");
    private static final String SUBPROTOCOL = "realtime";
    private static final String KEY_ITEM = "openai-insecure-api-key.";
    private static final String CALLER = "OpenAI-Safety-Identifier";
    private static final String BEARER = "bearer ";
    private static final int RETRY_AFTER_SECONDS = 1;

    private final House house;
    private final SimulatorSettings settings;
    private final SimulatorCounters counters;

    Door(House house) {
        this.house = house;
        this.settings = house.settings();
        this.counters = house.counters();
    }

    @Override
    public CompletionStage<Reply> handle(FullHttpRequest request, HttpServer.Connection connection) {
        return CompletableFuture.completedFuture(answer(request));
    }

    @Override
    public void onFault(String method, String path, Throwable fault) {
        counters.faults.increment();
        LOG.error("a connection could not be answered", fault);
    }

    private Reply answer(FullHttpRequest request) {
        var uri = new QueryStringDecoder(request.uri());
        if (!uri.path().equals(Simulator.PATH)) {
            return refuse(
                    404, "invalid_request_error", "not_found", "There is nothing here; try " + Simulator.PATH + ".");
        }
        int refusing = house.crowd().refusing();
        if (refusing != 0) return told(refusing);
        var named = parameter(uri, "model");
        var model = Objects.requireNonNullElse(named, settings.defaultModel());
        Switches switches;
        try {
            switches = settings.switches().with(query(uri)).with(ModelName.switches(model));
        } catch (IllegalArgumentException wrong) {
            return refuse(400, "invalid_request_error", "unknown_switch", "switch " + wrong.getMessage());
        }
        if (switches.refuse() != 0) return told(switches.refuse());
        if (!settings.apiKey().isEmpty() && !settings.apiKey().equals(key(request))) return told(401);
        if (parameter(uri, "call_id") != null) {
            return refuse(404, "invalid_request_error", "call_id_not_found", "There is no such call.");
        }
        if (!HttpServer.isUpgrade(request)) {
            return refuse(400, "invalid_request_error", "invalid_request", "This path speaks WebSocket only.");
        }
        var beta = request.headers().getAll("OpenAI-Beta").contains("realtime=v1");
        var opening = new SimulatedConversation.Opening(model, named != null, parameter(uri, "intent"), beta);
        var caller = request.headers().get(CALLER, "");
        return new Reply.Upgrade(
                subprotocols(request).contains(SUBPROTOCOL) ? SUBPROTOCOL : null,
                new DefaultHttpHeaders(),
                socket -> new Connection(
                                socket, opening, switches, house.archive().begin(caller, model), house)
                        .open());
    }

    /** A refusal that a switch, or a fault, asked for. */
    private Reply told(int status) {
        return switch (status) {
            case 401 -> refuse(status, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");
            case 403 -> refuse(status, "invalid_request_error", "forbidden", "You are not allowed to do this.");
            case 404 -> refuse(status, "invalid_request_error", "model_not_found", "The model does not exist.");
            case 429 -> refuse(status, "requests", "rate_limit_exceeded", "Rate limit reached. Try again later.");
            default -> refuse(status, "server_error", "server_error", "The engine is overloaded. Try again later.");
        };
    }

    private Reply refuse(int status, String type, String code, String message) {
        counters.refusals.increment();
        var body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", message)
                .put("type", type)
                .putNull("param")
                .put("code", code);
        var response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                HttpResponseStatus.valueOf(status),
                Unpooled.copiedBuffer(body.toString(), UTF_8));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/json");
        if (status == 429) response.headers().set(HttpHeaderNames.RETRY_AFTER, RETRY_AFTER_SECONDS);
        return new Reply.Answer(response);
    }

    /** What in the query is not the protocol's own. */
    private static Map<String, String> query(QueryStringDecoder uri) {
        var switches = new HashMap<String, String>();
        uri.parameters().forEach((name, values) -> {
            if (!PARAMETERS.contains(name)) switches.put(name, values.getLast());
        });
        return switches;
    }

    private static @Nullable String parameter(QueryStringDecoder uri, String name) {
        var values = uri.parameters().get(name);
        return values == null ? null : values.getLast();
    }

    private static @Nullable String key(FullHttpRequest request) {
        var authorization = request.headers().get(HttpHeaderNames.AUTHORIZATION);
        if (authorization != null && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return authorization.substring(BEARER.length()).strip();
        }
        return subprotocols(request).stream()
                .filter(item -> item.startsWith(KEY_ITEM))
                .map(item -> item.substring(KEY_ITEM.length()))
                .findFirst()
                .orElse(null);
    }

    private static List<String> subprotocols(FullHttpRequest request) {
        return request.headers().getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL).stream()
                .flatMap(line -> List.of(line.split(",")).stream())
                .map(String::strip)
                .toList();
    }
}
