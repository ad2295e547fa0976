package parley.gateway;

import org.jspecify.annotations.Nullable;
import parley.meter.Histogram;
import parley.meter.Meters;
import parley.meter.Unit;
import parley.wire.HttpServer.Reply;

/** What HTTP requests were answered, and how soon. */
final class HttpMetrics {
    private static final double[] DURATION = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
    private static final int UPGRADED = 101;

    private final Meters meters;
    private final Histogram duration;

    HttpMetrics(Meters meters, Rates rates) {
        this.meters = meters;
        this.duration = meters.histogram(
                "http_request_duration_seconds", "Until the answer was there.", Unit.SECONDS, DURATION);
        for (int status : new int[] {UPGRADED, 200, 400, 401, 403, 404, 429, 500, 503}) {
            count(status, 0);
        }
        var limited = "http_rate_limited_total";
        var says = "Requests refused because their client calls too often.";
        meters.counted(limited, says, rates::requestsRefused, "kind", "request");
        meters.counted(limited, says, rates::upgradesRefused, "kind", "upgrade");
    }

    /** @param reply null: it failed */
    void answered(@Nullable Reply reply, long began) {
        switch (reply) {
            case null -> count(500, 1);
            case Reply.Answer(var response) -> count(response.status().code(), 1);
            case Reply.Streamed(var head, var body) -> count(head.status().code(), 1);
            case Reply.Upgrade upgrade -> count(UPGRADED, 1);
        }
        if (!(reply instanceof Reply.Upgrade)) {
            duration.since(began);
        }
    }

    private void count(int status, long more) {
        meters.counter("http_requests_total", "Answers by status.", "status", Integer.toString(status))
                .add(more);
    }
}
