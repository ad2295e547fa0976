package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.server.Route;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.session.Costs;
import parley.session.Costs.By;
import parley.session.Costs.Question;
import parley.session.Costs.Report;

/** O9: costs, exported. */
@Tag("route")
class CostRoutesTest {
    private static final Rig RIG = new Rig();
    private static final Clock NOON = Clock.fixed(Instant.parse("2026-05-31T12:00:00Z"), ZoneOffset.UTC);
    private static final LocalDate TODAY = LocalDate.of(2026, 5, 31);
    private final FakeCosts costs = new FakeCosts();
    private Function<Supplier<Route>, Route> asViewer = Supplier::get;

    /** Answers what the test says, and remembers what it was asked. */
    private static final class FakeCosts implements Costs {
        private final List<Question> asked = new ArrayList<>();
        private Report answer = new Report(List.of(), new BigDecimal("0.000000"), null, Duration.ZERO);
        private @Nullable RuntimeException failure;

        @Override
        public CompletionStage<Report> report(Question question) {
            asked.add(question);
            return failure == null
                    ? CompletableFuture.completedFuture(answer)
                    : CompletableFuture.failedFuture(failure);
        }
    }

    @AfterAll
    static void close() {
        RIG.close();
    }

    private record Got(int status, String type, String link, String body) {}

    private Got asks(String query) {
        var routes = new CostRoutes(asViewer, costs, NOON).routes().function(RIG.system);
        HttpResponse response;
        try {
            response = Rig.get(routes.apply(HttpRequest.GET("/admin/costs" + query)));
        } catch (Exception fault) {
            throw new AssertionError(fault);
        }
        var body = Rig.get(response.entity().toStrict(60_000, RIG.system))
                .getData()
                .utf8String();
        return new Got(
                response.status().intValue(),
                response.entity().getContentType().toString(),
                response.getHeader("Link").map(HttpHeader::value).orElse(""),
                body);
    }

    private static Costs.Row row(String key, @Nullable String tenant) {
        return new Costs.Row(key, tenant, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1.5, new BigDecimal("0.014412"));
    }

    private void answers(@Nullable String next, Costs.Row... rows) {
        costs.answer = new Report(List.of(rows), new BigDecimal("1234.500000"), next, Duration.ofMillis(1500));
    }

    @Test
    void aReportIsReadAsJson() {
        answers(null, row("2026-05-01", null));

        var got = asks("?by=day&from=2026-05-01&to=2026-05-02&tenant=acme&limit=7&after=2026-04-30");

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.type()).isEqualTo("application/json");
        assertThat(got.body())
                .isEqualTo("{\"rows\":[{\"day\":\"2026-05-01\",\"sessions\":1,\"text_in\":2,\"text_cached\":3,"
                        + "\"audio_in\":4,\"audio_cached\":5,\"image_in\":6,\"image_cached\":7,\"text_out\":8,"
                        + "\"audio_out\":9,\"transcribed_seconds\":1.5,\"cost_usd\":0.014412}],"
                        + "\"total_usd\":1234.500000,\"next\":null,\"behind_seconds\":1.5}");
        assertThat(costs.asked)
                .containsExactly(new Question(
                        By.DAY, LocalDate.of(2026, 5, 1), LocalDate.of(2026, 5, 2), "acme", "2026-04-30", 7));
    }

    @Test
    void withoutDaysItIsAboutTheLastThirty() {
        asks("?by=tenant");

        assertThat(costs.asked)
                .containsExactly(new Question(By.TENANT, LocalDate.of(2026, 5, 2), TODAY, null, null, 1000));
    }

    @Test
    void aReportIsReadAsCsvWithAHeader() {
        answers(null, row("sess_1", "acme"), row("sess_2", "a \"b\", c\nd"));

        var got = asks("?by=session&format=csv");

        assertThat(got.type()).isEqualTo("text/csv; charset=UTF-8");
        assertThat(got.body())
                .isEqualTo("session,tenant,sessions,text_in,text_cached,audio_in,audio_cached,image_in,image_cached,"
                        + "text_out,audio_out,transcribed_seconds,cost_usd\r\n"
                        + "sess_1,acme,1,2,3,4,5,6,7,8,9,1.5,0.014412\r\n"
                        + "sess_2,\"a \"\"b\"\", c\nd\",1,2,3,4,5,6,7,8,9,1.5,0.014412\r\n");
    }

    @ParameterizedTest
    @CsvSource({"=HYPERLINK(1), '''=HYPERLINK(1)'", "+1, '''+1'", "-1, '''-1'", "@SUM(A1), '''@SUM(A1)'", "a=b, a=b"})
    void noTenantIsAFormula(String tenant, String written) {
        answers(null, row(tenant, null));

        assertThat(asks("?by=tenant&format=csv").body().lines().skip(1))
                .containsExactly(written + ",1,2,3,4,5,6,7,8,9,1.5,0.014412");
    }

    @Test
    void whatFollowsHasAnAddress() {
        answers("ä & b", row("ä & b", null));

        var got = asks("?by=tenant&from=2026-05-01&after=a&format=csv");

        assertThat(got.link())
                .isEqualTo("</admin/costs?by=tenant&format=csv&from=2026-05-01&after=%C3%A4+%26+b>; rel=\"next\"");
        assertThat(asks("?by=tenant").body()).contains("\"next\":\"ä & b\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | by: none (expected: day, tenant or session)",
                "?by=user | by: user (expected: day, tenant or session)",
                "?by=day&from=May | from: May (expected: a day such as 2026-05-01)",
                "?by=day&to=%2B10000-01-01 | to: +10000-01-01 (expected: a day such as 2026-05-01)",
                "?by=day&from=2026-06-01 | to: 2026-05-31 (expected: not before from, 2026-06-01)",
                "?by=day&format=xml | format: xml (expected: json or csv)",
                "?by=day&limit=0 | limit: 0 (expected: 1..1000)",
                "?by=day&limit=many | limit: many (expected: 1..1000)",
                "?by=day&tenant=%00 | tenant, after: with the character 0 (expected: without)",
                "?by=day&form=csv | form: unknown (expected: one of [after, by, format, from, limit, tenant, to])",
            })
    void aQuestionThatMakesNoSenseIsRefusedByName(String query, String complaint) {
        var got = asks(query);

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.body()).contains("\"detail\":\"" + complaint + "\"");
        assertThat(costs.asked).isEmpty();
    }

    @Test
    void aDatabaseThatIsAwayIsNoFaultOfOurs() {
        costs.failure = new IllegalStateException("gone");

        var got = asks("?by=day");

        assertThat(got.status()).isEqualTo(503);
        assertThat(got.body()).contains("\"code\":\"costs_unavailable\"", "the database does not answer");
    }

    @Test
    void nobodyIsAnsweredWhoMayNotSeeIt() {
        asViewer = inner -> complete(StatusCodes.FORBIDDEN);

        assertThat(asks("?by=day").status()).isEqualTo(403);
        assertThat(costs.asked).isEmpty();
    }
}
