package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.server.Route;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.session.Erasure;

@Tag("route")
class ErasureRoutesTest {
    private static final Rig RIG = new Rig();
    private final FakeErasure erasure = new FakeErasure();

    private static final class FakeErasure implements Erasure {
        private final List<CallerId> forgotten = new ArrayList<>();
        private CompletionStage<Erased> answer =
                CompletableFuture.completedFuture(new Erased(2, Map.of("snapshot", 1L, "event_journal", 31L)));

        @Override
        public CompletionStage<Erased> forget(CallerId caller) {
            forgotten.add(caller);
            return answer;
        }
    }

    @AfterAll
    static void close() {
        RIG.close();
    }

    private String asks(String path, Function<Supplier<Route>, Route> asAdmin) throws Exception {
        var response = Rig.get(new ErasureRoutes(erasure, asAdmin)
                .routes()
                .handler(RIG.system)
                .apply(HttpRequest.create(path).withMethod(HttpMethods.DELETE)));
        var body = Rig.get(response.entity().toStrict(60_000, RIG.system)).getData();
        return response.status().intValue() + " " + body.decodeString(StandardCharsets.UTF_8);
    }

    @Test
    void aUserIsForgottenAndTheAnswerTellsWhatWasDeleted() throws Exception {
        assertThat(asks("/admin/users/anna%40example.com?tenant=acme", Supplier::get))
                .isEqualTo("200 {\"sessions\":2,\"rows\":{\"event_journal\":31,\"snapshot\":1}}");
        asks("/admin/users/bert", Supplier::get);

        assertThat(erasure.forgotten)
                .containsExactly(new CallerId("anna@example.com", "acme"), new CallerId("bert", "default"));
    }

    @Test
    void whoIsNoAdministratorDeletesNothing() throws Exception {
        assertThat(asks("/admin/users/anna", inner -> Responses.problem(Problem.unauthenticated("no token"))))
                .startsWith("401 ");

        assertThat(erasure.forgotten).isEmpty();
    }

    @Test
    void anEmptyTenantIsNamed() throws Exception {
        assertThat(asks("/admin/users/anna?tenant=", Supplier::get))
                .startsWith("400 ")
                .contains("tenant: empty");

        assertThat(erasure.forgotten).isEmpty();
    }

    @Test
    void whatWasNotDeletedIsToBeAskedForAgain() throws Exception {
        erasure.answer = CompletableFuture.failedFuture(new IllegalStateException("the database does not answer"));

        assertThat(asks("/admin/users/anna", Supplier::get))
                .startsWith("503 ")
                .contains("\"code\":\"not_forgotten\"", "\"retry_after_ms\":5000")
                .doesNotContain("anna");
    }
}
