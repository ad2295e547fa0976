package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.complete;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.admission.CallerId;
import parley.gateway.Operators.Denied;

/** R20: who may do what, and who is told of those who may not. */
@Tag("route")
class OperatorsTest {
    private static final Rig RIG = new Rig();
    private static final String API = "an-api-token-that-is-long-enough-0123";
    private static final String GLASS = "behind-the-glass-0123456789-0123456789";
    private static final GatewaySettings SETTINGS = Rig.settings("api-token = " + API, "break-glass-token = " + GLASS);

    private final List<Denied> denied = new ArrayList<>();
    private GatewaySettings settings = SETTINGS;

    @AfterAll
    static void close() {
        RIG.close();
    }

    @ParameterizedTest
    @CsvSource({
        "API, ADMIN, api-token ADMIN",
        "API, VIEWER, api-token ADMIN",
        "API, BREAK_GLASS, api-token ADMIN",
        "admin, ADMIN, ops@acme ADMIN",
        "operator, OPERATOR, ops@acme OPERATOR",
        "operator, VIEWER, ops@acme OPERATOR",
        "operator, BREAK_GLASS, ops@acme OPERATOR",
        "viewer, VIEWER, ops@acme VIEWER",
        "viewer admin, ADMIN, ops@acme ADMIN",
        "root viewer, VIEWER, ops@acme VIEWER",
        "GLASS, BREAK_GLASS, break-glass BREAK_GLASS"
    })
    void whoMayGoesOnUnderItsName(String who, Role least, String name) {
        var got = asks(least, credential(who));

        assertThat(got.status().intValue()).isEqualTo(200);
        assertThat(text(got)).isEqualTo(name);
        assertThat(denied).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "operator, ADMIN, ops@acme, OPERATOR",
        "viewer, OPERATOR, ops@acme, VIEWER",
        "viewer, ADMIN, ops@acme, VIEWER",
        "viewer, BREAK_GLASS, ops@acme, VIEWER",
        "none, VIEWER, ops@acme,",
        "root, VIEWER, ops@acme,",
        "break-glass, BREAK_GLASS, ops@acme,",
        "GLASS, VIEWER, break-glass, BREAK_GLASS",
        "GLASS, OPERATOR, break-glass, BREAK_GLASS",
        "GLASS, ADMIN, break-glass, BREAK_GLASS"
    })
    void whoMayNotIsRefusedAndTold(String who, Role least, String name, @org.jspecify.annotations.Nullable Role role) {
        var got = asks(least, credential(who));

        assertThat(got.status().intValue()).isEqualTo(403);
        assertThat(text(got)).contains("\"code\":\"role_too_small\"");
        assertThat(denied)
                .containsExactly(new Denied(
                        name,
                        role,
                        least,
                        "GET",
                        "/admin/rollout",
                        "role_too_small",
                        "expected: the role " + least + ", or one above it",
                        "an unknown network",
                        "api"));
    }

    @ParameterizedTest
    @CsvSource({"ui, ui", "cli, cli", "api, api", "node, api", "UI, api"})
    void theAuditNamesTheToolThatIsOneAndElseTheApi(String said, String via) {
        assertThat(text(asksAs(Role.VIEWER, credential("viewer"), said))).isEqualTo(via);
        assertThat(asksAs(Role.ADMIN, credential("viewer"), said).status().intValue())
                .isEqualTo(403);
        assertThat(denied.getLast().actor().via()).isEqualTo(via);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Bearer x",
                "Bearer ",
                "Basic YXBpOmFwaQ==",
                "Bearer an-api-token-that-is-long-enough-012",
                "Bearer an-api-token-that-is-long-enough-01234",
                "Bearer AN-API-TOKEN-THAT-IS-LONG-ENOUGH-0123",
                "an-api-token-that-is-long-enough-0123"
            })
    void whoBringsNothingGoodIsNobodyAndIsTold(String header) {
        var got = asks(Role.VIEWER, header);

        assertThat(got.status().intValue()).isEqualTo(401);
        assertThat(got.getHeader("WWW-Authenticate")).isPresent();
        assertThat(denied).hasSize(1).allSatisfy(one -> {
            assertThat(one.name()).isNull();
            assertThat(one.code()).isEqualTo("unauthenticated");
            assertThat(one.reason()).startsWith("unauthenticated: ").doesNotContain("0123");
        });
    }

    /** Neither that there is an API token, nor whether the one before was one, is anybody's business. */
    @Test
    void aTokenThatWasReplacedIsSaidToOpenNothing() {
        asks(Role.VIEWER, "Bearer an-api-token-that-was-replaced-0123456");
        asks(Role.VIEWER, "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.");

        assertThat(denied)
                .extracting(Denied::why)
                .containsExactly(
                        "a token that opens nothing here, or does no more (expected: Authorization: Bearer <token>)",
                        "the token is no signed JSON Web Token (expected: Authorization: Bearer <token>)");
    }

    @Test
    void anExpiredTokenHasNoRole() {
        var expired = Gateway.tokens(SETTINGS)
                .sign(new Tokens.Bearer(new CallerId("ops", "acme"), List.of("admin")), Duration.ofMinutes(-5));

        assertThat(asks(Role.VIEWER, "Bearer " + expired).status().intValue()).isEqualTo(401);
    }

    @Test
    void aCredentialThatIsNotSetIsNobodys() {
        settings = Rig.settings();

        for (var header : List.of("Bearer " + API, "Bearer " + GLASS, "Bearer null", "Bearer ")) {
            assertThat(asks(Role.BREAK_GLASS, header).status().intValue()).isEqualTo(401);
        }
    }

    private HttpResponse asks(Role least, String header) {
        var operators = new Operators(settings, Gateway.tokens(settings), denied::add);
        var request = HttpRequest.GET("/admin/rollout?secret=geheim");
        try {
            return Rig.get(operators
                    .asOperator(
                            least,
                            operator -> complete(
                                    operator.name() + " " + operator.role().name()))
                    .function(RIG.system)
                    .apply(header.isEmpty() ? request : request.addHeader(RawHeader.create("Authorization", header))));
        } catch (Exception fault) {
            throw new AssertionError(fault);
        }
    }

    private HttpResponse asksAs(Role least, String credential, String tool) {
        var operators = new Operators(settings, Gateway.tokens(settings), denied::add);
        try {
            return Rig.get(operators
                    .as(least, actor -> complete(actor.via()))
                    .function(RIG.system)
                    .apply(HttpRequest.GET("/admin/rollout")
                            .addHeader(RawHeader.create("Authorization", credential))
                            .addHeader(RawHeader.create("Parley-Via", tool))));
        } catch (Exception fault) {
            throw new AssertionError(fault);
        }
    }

    private static String credential(String who) {
        var fixed = Map.of("API", API, "GLASS", GLASS).get(who);
        return "Bearer "
                + (fixed != null
                        ? fixed
                        : Gateway.tokens(SETTINGS)
                                .sign(
                                        new Tokens.Bearer(new CallerId("ops", "acme"), List.of(who.split(" "))),
                                        Duration.ofMinutes(15)));
    }

    private static String text(HttpResponse got) {
        return Rig.get(got.entity().toStrict(10_000, RIG.system)).getData().utf8String();
    }
}
