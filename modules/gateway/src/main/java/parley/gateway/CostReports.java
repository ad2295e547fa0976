package parley.gateway;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import parley.session.Costs;

/** Costs as the API shows them. */
final class CostReports {
    private static final List<String> COLUMNS = List.of(
            "tenant",
            "sessions",
            "text_in",
            "text_cached",
            "audio_in",
            "audio_cached",
            "image_in",
            "image_cached",
            "text_out",
            "audio_out",
            "transcribed_seconds",
            "cost_usd");

    private CostReports() {}

    static HttpResponse json(Costs.By by, Costs.Report report) {
        var json = JsonNodeFactory.instance.objectNode();
        var rows = json.putArray("rows");
        for (var row : report.rows()) {
            var one = rows.addObject().put(name(by), row.key());
            if (row.tenant() != null) {
                one.put("tenant", row.tenant());
            }
            one.put("sessions", row.sessions())
                    .put("text_in", row.textIn())
                    .put("text_cached", row.textCached())
                    .put("audio_in", row.audioIn())
                    .put("audio_cached", row.audioCached())
                    .put("image_in", row.imageIn())
                    .put("image_cached", row.imageCached())
                    .put("text_out", row.textOut())
                    .put("audio_out", row.audioOut())
                    .put("transcribed_seconds", row.transcribedSeconds())
                    .put("cost_usd", row.costUsd());
        }
        json.put("total_usd", report.totalUsd());
        json.put("next", report.next());
        json.put("behind_seconds", report.behind().toMillis() / 1e3);
        return Responses.of(200, json);
    }

    /**
     * RFC 4180 in UTF-8, with a header. A text that a spreadsheet would take for a formula begins with an apostrophe
     * (OWASP, CSV Injection).
     */
    static HttpResponse csv(Costs.By by, Costs.Report report) {
        var columns = COLUMNS.stream().filter(column -> by == Costs.By.SESSION || !column.equals("tenant"));
        var header = Stream.concat(Stream.of(name(by)), columns).collect(Collectors.joining(","));
        var lines = Stream.concat(Stream.of(header), report.rows().stream().map(row -> line(by, row)))
                .collect(Collectors.joining("\r\n", "", "\r\n"));
        return HttpResponse.create()
                .addHeader(RawHeader.create("Cache-Control", "no-store"))
                .addHeader(RawHeader.create(
                        "Content-Disposition", "attachment; filename=\"costs-by-" + name(by) + ".csv\""))
                .withEntity(HttpEntities.create(
                        ContentTypes.parse("text/csv; charset=UTF-8"), lines.getBytes(StandardCharsets.UTF_8)));
    }

    private static String line(Costs.By by, Costs.Row row) {
        var tenant = row.tenant() == null ? "" : row.tenant();
        return Stream.of(
                        text(row.key()),
                        by == Costs.By.SESSION ? text(tenant) : null,
                        row.sessions(),
                        row.textIn(),
                        row.textCached(),
                        row.audioIn(),
                        row.audioCached(),
                        row.imageIn(),
                        row.imageCached(),
                        row.textOut(),
                        row.audioOut(),
                        row.transcribedSeconds(),
                        row.costUsd().toPlainString())
                .filter(field -> field != null)
                .map(String::valueOf)
                .collect(Collectors.joining(","));
    }

    private static String text(String value) {
        var safe = !value.isEmpty() && "=+-@\t\r".indexOf(value.charAt(0)) >= 0 ? "'" + value : value;
        return safe.chars().anyMatch(letter -> letter == ',' || letter == '"' || letter == '\r' || letter == '\n')
                ? '"' + safe.replace("\"", "\"\"") + '"'
                : safe;
    }

    private static String name(Costs.By by) {
        return by.name().toLowerCase(Locale.ROOT);
    }
}
