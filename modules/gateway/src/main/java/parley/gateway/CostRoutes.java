package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.onComplete;
import static org.apache.pekko.http.javadsl.server.Directives.parameterMap;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.Directives.pathPrefix;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.server.Route;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.session.Costs;

/**
 * {@code GET /admin/costs?by=day|tenant|session}: what was spent, as JSON or CSV, a page at a time.
 *
 * <p>{@code from} and {@code to} are days (UTC), both included; without them the last thirty. {@code after} is the last key
 * of the page before; the address of the next page is in {@code Link} (RFC 8288), and in JSON its key in {@code next}.
 */
final class CostRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(CostRoutes.class);
    private static final int USUAL_DAYS = 30;
    private static final Set<String> PARAMETERS =
            new TreeSet<>(Set.of("by", "from", "to", "tenant", "format", "after", "limit"));
    private static final Map<String, Costs.By> BY =
            Map.of("day", Costs.By.DAY, "tenant", Costs.By.TENANT, "session", Costs.By.SESSION);

    private final Function<Supplier<Route>, Route> asViewer;
    private final Costs costs;
    private final Clock clock;

    /** @param asViewer lets through whoever may read what sessions cost, and answers everybody else */
    CostRoutes(Function<Supplier<Route>, Route> asViewer, Costs costs, Clock clock) {
        this.asViewer = asViewer;
        this.costs = costs;
        this.clock = clock;
    }

    Route routes() {
        return pathPrefix(
                "admin", () -> path("costs", () -> get(() -> asViewer.apply(() -> parameterMap(this::report)))));
    }

    private Route report(Map<String, String> asked) {
        Costs.Question question;
        boolean csv;
        try {
            question = question(asked);
            csv = isCsv(asked.getOrDefault("format", "json"));
        } catch (IllegalArgumentException wrong) {
            return Responses.problem(Problem.badRequest(String.valueOf(wrong.getMessage())));
        }
        return onComplete(costs.report(question), outcome -> {
            if (outcome.isFailure()) {
                return refused(outcome.failed().get());
            }
            var report = outcome.get();
            var answer = csv ? CostReports.csv(question.by(), report) : CostReports.json(question.by(), report);
            return complete(report.next() == null ? answer : linked(answer, asked, report.next()));
        });
    }

    private Costs.Question question(Map<String, String> asked) {
        for (var name : asked.keySet()) {
            if (!PARAMETERS.contains(name)) {
                throw new IllegalArgumentException(name + ": unknown (expected: one of " + PARAMETERS + ")");
            }
        }
        var by = BY.get(asked.getOrDefault("by", ""));
        if (by == null) {
            throw new IllegalArgumentException(
                    "by: " + asked.getOrDefault("by", "none") + " (expected: day, tenant or session)");
        }
        var today = LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
        var to = day(asked, "to", today);
        return new Costs.Question(
                by,
                day(asked, "from", to.minusDays(USUAL_DAYS - 1)),
                to,
                asked.get("tenant"),
                asked.get("after"),
                number(asked.getOrDefault("limit", Integer.toString(Costs.MOST_ROWS))));
    }

    private static LocalDate day(Map<String, String> asked, String name, LocalDate otherwise) {
        var text = asked.get(name);
        try {
            var day = text == null ? otherwise : LocalDate.parse(text);
            if (day.getYear() >= 1 && day.getYear() <= 9999) {
                return day;
            }
        } catch (DateTimeParseException malformed) {
            // The same complaint.
        }
        throw new IllegalArgumentException(name + ": " + text + " (expected: a day such as 2026-05-01)");
    }

    private static int number(String text) {
        if (!text.matches("\\d{1,6}")) {
            throw new IllegalArgumentException("limit: " + text + " (expected: 1.." + Costs.MOST_ROWS + ")");
        }
        return Integer.parseInt(text);
    }

    private static boolean isCsv(String format) {
        return switch (format) {
            case "json" -> false;
            case "csv" -> true;
            default -> throw new IllegalArgumentException("format: " + format + " (expected: json or csv)");
        };
    }

    private static Route refused(Throwable failure) {
        boolean busy = failure instanceof Costs.Busy || failure.getCause() instanceof Costs.Busy;
        if (!busy) {
            LOG.warn("no report of costs: {}", failure.getClass().getSimpleName());
        }
        return Responses.problem(
                Problem.costsUnavailable(busy ? "too many reports at once" : "the database does not answer"));
    }

    private static HttpResponse linked(HttpResponse answer, Map<String, String> asked, String next) {
        var query = asked.entrySet().stream()
                .filter(parameter -> !parameter.getKey().equals("after"))
                .sorted(Map.Entry.comparingByKey())
                .map(parameter -> parameter.getKey() + "=" + encoded(parameter.getValue()))
                .collect(Collectors.joining("&"));
        return answer.addHeader(RawHeader.create(
                "Link", String.format(Locale.ROOT, "</admin/costs?%s&after=%s>; rel=\"next\"", query, encoded(next))));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
