package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.optionalHeaderValueByName;
import static org.apache.pekko.http.javadsl.server.Directives.parameterOptional;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;
import parley.meter.Meters;

/** {@code /metrics} for Prometheus, {@code /api/metrics} for people with {@code jq}. */
final class MetricsRoutes {
    private static final ContentType PROMETHEUS = ContentTypes.parse("text/plain; version=0.0.4; charset=utf-8");
    private static final ContentType OPEN_METRICS =
            ContentTypes.parse("application/openmetrics-text; version=1.0.0; charset=utf-8");

    private final Meters meters;
    private final Guard guard;
    private final boolean open;

    /** @param open whether nobody has to say who asks */
    MetricsRoutes(Meters meters, Guard guard, boolean open) {
        this.meters = meters;
        this.guard = guard;
        this.open = open;
    }

    Route routes() {
        return concat(
                path("metrics", () -> get(() -> guarded(this::scrape))),
                path(segment("api").slash("metrics"), () -> get(() -> guarded(this::look))));
    }

    private Route guarded(Supplier<Route> inner) {
        return open ? inner.get() : guard.as(Role.VIEWER, actor -> inner.get());
    }

    private Route scrape() {
        return optionalHeaderValueByName(
                "Accept",
                accept -> accept.orElse("").contains("application/openmetrics-text")
                        ? text(OPEN_METRICS, meters.openMetrics())
                        : text(PROMETHEUS, meters.prometheus()));
    }

    private Route look() {
        return parameterOptional("format", format -> switch (format.orElse("json")) {
            case "json" -> text(ContentTypes.APPLICATION_JSON, meters.json());
            case "prom" -> text(PROMETHEUS, meters.prometheus());
            default -> Responses.problem(Problem.badRequest("format: " + format.get() + " (expected: json or prom)"));
        });
    }

    private static Route text(ContentType type, String text) {
        return complete(HttpResponse.create()
                .addHeader(RawHeader.create("Cache-Control", "no-store"))
                .withEntity(HttpEntities.create(type, text.getBytes(StandardCharsets.UTF_8))));
    }
}
