package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;

/** Answers of the routes. What people say and who they are is nobody's to cache. */
final class Responses {
    private static final RawHeader NO_STORE = RawHeader.create("Cache-Control", "no-store");

    private Responses() {}

    static Route json(int status, JsonNode body) {
        return complete(of(status, body));
    }

    static HttpResponse of(int status, JsonNode body) {
        return HttpResponse.create()
                .withStatus(StatusCodes.get(status))
                .addHeader(NO_STORE)
                .withEntity(HttpEntities.create(
                        ContentTypes.APPLICATION_JSON, body.toString().getBytes(StandardCharsets.UTF_8)));
    }

    static Route problem(Problem problem) {
        return complete(of(problem));
    }

    static HttpResponse of(Problem problem) {
        var type = ContentTypes.parse(Problem.MEDIA_TYPE);
        var response = HttpResponse.create()
                .withStatus(StatusCodes.get(problem.status()))
                .addHeader(NO_STORE)
                .withEntity(HttpEntities.create(type, problem.json()));
        var retryAfter = problem.retryAfterHeader();
        if (retryAfter != null) {
            response = response.addHeader(RawHeader.create("Retry-After", retryAfter));
        }
        if (problem.sendsAway()) {
            response = response.addHeader(RawHeader.create("Connection", "close"));
        }
        return switch (problem.status()) {
            case 401 -> response.addHeader(RawHeader.create("WWW-Authenticate", "Bearer"));
            case 426 ->
                response.addHeader(RawHeader.create("Upgrade", "websocket"))
                        .addHeader(RawHeader.create("Sec-WebSocket-Version", "13"));
            default -> response;
        };
    }
}
