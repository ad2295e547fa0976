package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static parley.gateway.TokensTest.jwt;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.typesafe.config.ConfigFactory;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.admission.CallerId;
import parley.gateway.Tokens.Bearer;
import parley.gateway.Tokens.Checked;
import parley.session.Journal;
import parley.session.JournalSettings;
import parley.session.UsedOnce;

/** R20: a browser's ticket, on gateways that share a database and nothing else. */
@Tag("cluster")
class TicketsTest {
    private static final String PAGE = "Sec-WebSocket-Protocol: realtime";
    private static final String APP = "Origin: https://app.example.com";
    private static final String SHOP = "Origin: https://shop.example.com";
    private static final String ORIGINS = "allowed-origins = \"https://app.example.com, https://shop.example.com\"";

    private static EmbeddedPostgres postgres;
    private static Journal journal;

    private final Rig rig = new Rig();
    private final List<UsedOnce> opened = new ArrayList<>();

    @BeforeAll
    static void start() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start();
        journal = Journal.at("postgresql://postgres:postgres@127.0.0.1:" + postgres.getPort() + "/postgres");
        journal.migrate();
    }

    @AfterAll
    static void stop() throws IOException {
        postgres.close();
    }

    @BeforeEach
    void open() {
        rig.used = onTheDatabase();
    }

    @AfterEach
    void close() {
        rig.close();
        opened.forEach(UsedOnce::close);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/ws/voice"})
    void aTicketLetsItsCallerInOnce(String face) throws IOException {
        var gateway = gateway();
        var ticket = ticket(gateway, APP);
        try (var line = Line.to(gateway.address())) {
            var reply = line.upgrade(face + "?ticket=" + ticket, PAGE, APP);

            assertThat(reply.status()).isEqualTo(101);
            assertThat(reply.header("sec-websocket-protocol")).isEqualTo("realtime");
            line.say("x");
            assertThat(line.hear().text()).isEqualTo("x");
            assertThat(rig.sessions.joins().remove().opening().caller()).isEqualTo(new CallerId("anna", "default"));
        }
        assertUsed(gateway, face, ticket);
    }

    @Test
    void anotherGatewayKnowsThatItWasUsedAndSoDoesOneThatStartsLater() throws IOException {
        var one = gateway();
        rig.used = onTheDatabase();
        var two = gateway();
        var ticket = ticket(one, APP);
        try (var line = Line.to(two.address())) {
            assertThat(line.upgrade("/v1/realtime?ticket=" + ticket, PAGE, APP).status())
                    .isEqualTo(101);
        }

        assertUsed(one, "/v1/realtime", ticket);
        assertUsed(two, "/v1/realtime", ticket);
        Rig.get(one.close());
        Rig.get(two.close());
        rig.used = onTheDatabase();
        assertUsed(gateway(), "/v1/realtime", ticket);
    }

    @Test
    void ofManyWhoShowItAtOnceOneIsLetIn() throws IOException {
        var one = gateway();
        rig.used = onTheDatabase();
        var gateways = List.of(one, gateway());
        var ticket = ticket(one, APP);
        var lines = new ArrayList<Line>();
        try {
            for (int caller = 0; caller < 10; caller++) {
                var line = Line.to(gateways.get(caller % 2).address());
                lines.add(line);
                line.write("GET /v1/realtime?ticket=" + ticket + " HTTP/1.1\r\nHost: " + line.host() + "\r\n" + APP
                        + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
            }
            var statuses = new ArrayList<Integer>();
            for (var line : lines) {
                statuses.add(line.reply(false).status());
            }

            assertThat(statuses).containsOnly(101, 401).containsOnlyOnce(101);
        } finally {
            for (var line : lines) {
                line.close();
            }
        }
    }

    /** And it is not used up by whoever it does not belong to. */
    @Test
    void aTicketBelongsToPagesOfOneOrigin() throws IOException {
        var gateway = gateway();
        var ticket = ticket(gateway, APP);
        for (var others : List.of(new String[] {PAGE, SHOP}, new String[] {PAGE}, new String[] {PAGE, APP, SHOP})) {
            assertRefused(gateway, ticket, "the ticket was given to a page of another origin", others);
        }
        try (var line = Line.to(gateway.address())) {
            assertThat(line.upgrade("/v1/realtime?ticket=" + ticket, PAGE, APP).status())
                    .isEqualTo(101);
        }
    }

    @Test
    void whoIsNoPageGetsATicketForAnyAllowedOne() throws IOException {
        var gateway = gateway();
        for (var origin : List.of(APP, "X: y")) {
            try (var line = Line.to(gateway.address())) {
                assertThat(line.upgrade("/v1/realtime?ticket=" + ticket(gateway), PAGE, origin)
                                .status())
                        .isEqualTo(101);
            }
        }
        try (var line = Line.to(gateway.address())) {
            assertThat(line.upgrade("/v1/realtime?ticket=" + ticket(gateway), PAGE, "Origin: https://evil.example")
                            .status())
                    .isEqualTo(403);
        }
    }

    @Test
    void aTicketIsNoTokenAndATokenNoTicket() throws IOException {
        var gateway = gateway();
        var ticket = ticket(gateway);
        for (var path : List.of("/v1/realtime", "/v1/ws/voice", "/v1/sessions/" + FakeSessions.id(1))) {
            try (var line = Line.to(gateway.address())) {
                var reply = line.ask("GET", path, "Authorization: Bearer " + ticket);
                assertThat(reply.status()).isEqualTo(401);
                assertThat(reply.body()).contains("the token is of another type (header typ)");
            }
        }
        for (var path : List.of("/v1/tickets", "/v1/tokens/refresh", "/v1/sessions")) {
            try (var line = Line.to(gateway.address())) {
                assertThat(line.post(path, "", "Authorization: Bearer " + ticket)
                                .status())
                        .isEqualTo(401);
            }
        }
        assertRefused(gateway, Rig.token("anna"), "the ticket is of another type (header typ)", PAGE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/ws/voice"})
    void aTokenInAnAddressIsNone(String face) throws IOException {
        var gateway = gateway();
        for (var name : List.of("token", "access_token", "bearer_token", "authorization", "api_key", "key", "jwt")) {
            try (var line = Line.to(gateway.address())) {
                var query = face + "?" + name + "=" + Rig.token("anna");
                assertThat(line.upgrade(query, PAGE).status()).as(name).isEqualTo(401);
                assertThat(line.ask("GET", query).status()).as(name).isEqualTo(401);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'alg':'none','typ':'ticket+jwt'}|{'sub':'anna','aud':'AUD','jti':'1','exp':EXP}|not a ticket",
                "{'alg':'HS512','typ':'ticket+jwt'}|{'sub':'anna','aud':'AUD','jti':'1','exp':EXP}|the ticket is not signed",
                "{'alg':'HS256'}|{'sub':'anna','aud':'AUD','jti':'1','exp':EXP}|the ticket is of another type",
                "{'alg':'HS256','typ':'ticket+jwt'}|{'sub':'anna','jti':'1','exp':EXP}|the ticket is for another audience",
                "{'alg':'HS256','typ':'ticket+jwt'}|{'sub':'anna','aud':'x','jti':'1','exp':EXP}|the ticket is for another",
                "{'alg':'HS256','typ':'ticket+jwt'}|{'sub':'anna','aud':'AUD','exp':EXP}|the ticket has no name",
                "{'alg':'HS256','typ':'ticket+jwt'}|{'sub':'anna','aud':'AUD','jti':'1','exp':9}|the ticket has expired",
                "{'alg':'HS256','typ':'ticket+jwt'}|{'sub':'anna','aud':'AUD','jti':1,'exp':EXP}|not a ticket",
                "{'alg':'HS256','typ':'ticket+jwt','crit':['x'],'x':1}|{'sub':'anna','aud':'AUD','jti':'1','exp':EXP}|the ticket demands",
            })
    void aTicketOfAnotherMakeIsRefused(String header, String claims, String why) throws IOException {
        var ticket = jwt(
                header,
                claims.replace("AUD", "urn:parley:ticket")
                        .replace("EXP", "" + Instant.now().plusSeconds(60).getEpochSecond()));

        assertRefused(gateway(), ticket, why, PAGE);
    }

    @Test
    void aTicketEndsSoon() {
        var settings = Rig.settings().tokens();
        var noon = Instant.parse("2026-01-01T12:00:00Z");
        var anna = new Bearer(new CallerId("anna", "acme"), List.of("viewer"), Set.of("beta"));
        var ticket = tickets(settings, noon).issue(anna, null);

        assertThat(Rig.get(tickets(settings, noon.plusSeconds(91)).use(ticket, List.of())))
                .isEqualTo(new Checked.Invalid("the ticket has expired"));
        assertThat(Rig.get(tickets(settings, noon.plusSeconds(60)).use(ticket, List.of())))
                .isEqualTo(new Checked.Valid(anna));
    }

    /** Nobody is let in twice because it cannot be known whether it was once. */
    @Test
    void whileTheDatabaseDoesNotAnswerNoTicketIsGoodButATokenIs() throws IOException {
        rig.used = (key, until) -> CompletableFuture.failedFuture(new IOException("no answer"));
        var gateway = gateway();
        try (var line = Line.to(gateway.address());
                var page = Line.to(gateway.address());
                var other = Line.to(gateway.address())) {
            var reply = line.upgrade("/v1/realtime?ticket=" + ticket(gateway), PAGE);
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.body()).contains("\"code\":\"identity_unavailable\"");
            assertThat(page.upgrade("/v1/ws/voice?ticket=" + ticket(gateway), PAGE)
                            .status())
                    .isEqualTo(101);
            assertThat(page.hear().text()).contains("\"code\":\"identity_unavailable\"");
            assertThat(page.hear()).isEqualTo(new Line.Heard(1013, "identity_unavailable"));
            assertThat(other.upgrade("/v1/realtime", "Authorization: Bearer " + Rig.token("anna"))
                            .status())
                    .isEqualTo(101);
        }
    }

    @Test
    void aTicketIsGivenToWhoeverHasATokenAndToldHowLongItLasts() throws IOException {
        try (var line = Line.to(gateway("jwt.ticket-life = 20s").address())) {
            var reply = line.post("/v1/tickets", "", "Authorization: Bearer " + Rig.token("anna"));

            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.header("cache-control")).isEqualTo("no-store");
            assertThat(reply.body()).matches("\\{\"ticket\":\"[^\"]+\",\"expires_in\":20}");
            assertThat(line.post("/v1/tickets", "").status()).isEqualTo(401);
            assertThat(line.post("/v1/tickets", "", "Authorization: Bearer x").status())
                    .isEqualTo(401);
            assertThat(line.post(
                                    "/v1/tickets",
                                    "",
                                    "Authorization: Bearer " + Rig.token("anna"),
                                    "Origin: https://evil.example")
                            .status())
                    .isEqualTo(403);
        }
    }

    @Test
    void aTicketOfTheSecretBeforeIsGoodDuringARotation() throws IOException {
        var before = gateway();
        var after = gateway("jwt.secret = a-new-secret-0123456789-0123456789", "jwt.previous-secret = " + Rig.SECRET);
        try (var line = Line.to(after.address())) {
            assertThat(line.upgrade("/v1/realtime?ticket=" + ticket(before, APP), PAGE, APP)
                            .status())
                    .isEqualTo(101);
        }
    }

    private UsedOnce onTheDatabase() {
        var used = UsedOnce.in(
                journal,
                JournalSettings.from(ConfigFactory.parseString("parley.session.journal.used-once.timeout = 30s")
                        .withFallback(ConfigFactory.load())));
        opened.add(used);
        return used;
    }

    private Gateway gateway(String... settings) {
        return rig.open(Rig.settings(Line.and(settings, ORIGINS)), Rig.admission());
    }

    private static Tickets tickets(TokenSettings settings, Instant now) {
        return new Tickets(
                settings, (key, until) -> CompletableFuture.completedFuture(true), Clock.fixed(now, ZoneOffset.UTC));
    }

    private static void assertUsed(Gateway gateway, String face, String ticket) throws IOException {
        try (var line = Line.to(gateway.address())) {
            if (face.equals("/v1/ws/voice")) {
                line.upgrade(face + "?ticket=" + ticket, PAGE, APP);
                assertThat(line.hear().text()).contains("\"code\":\"unauthenticated\"", "the ticket was used already");
                assertThat(line.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
                return;
            }
        }
        assertRefused(gateway, ticket, "the ticket was used already", PAGE, APP);
    }

    private static void assertRefused(Gateway gateway, String ticket, String why, String... headers)
            throws IOException {
        try (var line = Line.to(gateway.address())) {
            var reply = line.upgrade("/v1/realtime?ticket=" + ticket, headers);

            assertThat(reply.status()).isEqualTo(401);
            assertThat(reply.body()).contains(why).doesNotContain(ticket);
        }
    }

    private static String ticket(Gateway gateway, String... headers) throws IOException {
        try (var line = Line.to(gateway.address())) {
            var reply = line.post("/v1/tickets", "", Line.and(headers, "Authorization: Bearer " + Rig.token("anna")));
            return JsonMapper.builder()
                    .build()
                    .readTree(reply.body())
                    .get("ticket")
                    .asText();
        }
    }
}
