package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** L5, R20: tokens that somebody else signs. */
@Tag("stream")
class PublishedKeysTest {
    private static final String NOBODY_PUBLISHES = "a key that its issuer does not publish";

    private final Rig rig = new Rig();
    private Issuer issuer;

    @BeforeEach
    void open() throws IOException {
        issuer = new Issuer(Issuer.RSA, Issuer.EC);
    }

    @AfterEach
    void close() {
        rig.close();
        issuer.close();
    }

    @Test
    void whatIsSignedWithAPublishedKeyIsGoodOnEveryDoor() throws IOException {
        var gateway = gateway(issuer.settings());
        for (var key : List.<JWK>of(Issuer.RSA, Issuer.EC)) {
            for (var path : List.of("/v1/realtime", "/v1/ws/voice")) {
                try (var line = Line.to(gateway.address())) {
                    assertThat(line.upgrade(path, bearer(Issuer.token(key))).status())
                            .isEqualTo(101);
                    line.say("x");
                    assertThat(line.hear().text()).isEqualTo("x");
                }
            }
            try (var line = Line.to(gateway.address())) {
                assertThat(line.post("/v1/sessions", "{}", bearer(Issuer.token(key)))
                                .status())
                        .isEqualTo(201);
            }
        }
        assertThat(rig.sessions.joins())
                .allSatisfy(join -> assertThat(join.opening().caller().user()).isEqualTo("anna"));
        assertThat(issuer.asked).hasValue(1);
    }

    @Test
    void ourOwnTokensAreGoodBesideThem() throws IOException {
        assertThat(asks(gateway(issuer.settings()), Rig.token("otto")).status()).isEqualTo(426);
    }

    @Test
    void aSecretThatNobodyIsToUseCanBeSwitchedOff() throws IOException {
        var gateway = gateway(issuer.settings("algorithms = \"RS256\""));

        assertThat(asks(gateway, Issuer.token(Issuer.RSA)).status()).isEqualTo(426);
        assertThat(asks(gateway, Issuer.token(Issuer.EC)).body()).contains("not signed with RS256 (expected");
        assertThat(asks(gateway, Rig.token("otto")).body()).contains("not signed with RS256 (expected");
    }

    @Test
    void withoutAPlaceForKeysNobodyElseSigns() throws IOException {
        assertThat(asks(gateway(), Issuer.token(Issuer.RSA)).body()).contains("the token is not signed with HS256 (");
    }

    /** RFC 8725 §2.1: what is public must not become a secret because a header says so. */
    @Test
    void aPublicKeyIsNeverTakenForASecret() throws Exception {
        var gateway = gateway(issuer.settings());
        var pem = "-----BEGIN PUBLIC KEY-----\n"
                + java.util.Base64.getMimeEncoder(64, new byte[] {'\n'})
                        .encodeToString(Issuer.RSA.toRSAPublicKey().getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
        for (var secret : List.of(
                Issuer.RSA.toRSAPublicKey().getEncoded(),
                pem.getBytes(StandardCharsets.US_ASCII),
                pem.strip().getBytes(StandardCharsets.US_ASCII),
                Issuer.RSA.getModulus().decode(),
                Issuer.RSA.toPublicJWK().toJSONString().getBytes(StandardCharsets.UTF_8),
                Issuer.EC.toECPublicKey().getEncoded())) {
            for (var kid : new String[] {null, "rsa-1", "ec-1"}) {
                var forged = new SignedJWT(
                        new JWSHeader.Builder(JWSAlgorithm.HS256).keyID(kid).build(), Issuer.claims());
                forged.sign(new MACSigner(secret));

                var reply = asks(gateway, forged.serialize());

                assertThat(reply.status()).isEqualTo(401);
                assertThat(reply.body()).contains("the token's signature is not ours");
            }
        }
    }

    @Test
    void aKeyHasOneAlgorithmWhateverTheHeaderSays() throws IOException {
        var gateway = gateway(issuer.settings());

        // An RSA key by an EC key's name, and the other way round.
        assertThat(asks(gateway, Issuer.token(Issuer.RSA, JWSAlgorithm.RS256, "ec-1"))
                        .body())
                .contains(NOBODY_PUBLISHES);
        assertThat(asks(gateway, Issuer.token(Issuer.EC, JWSAlgorithm.ES256, "rsa-1"))
                        .body())
                .contains(NOBODY_PUBLISHES);
        assertThat(asks(gateway, Issuer.token(Issuer.RSA, JWSAlgorithm.RS512, "rsa-1"))
                        .body())
                .contains("not signed with HS256 or RS256 or ES256");
        assertThat(asks(gateway, Issuer.token(Issuer.RSA, JWSAlgorithm.PS256, "rsa-1"))
                        .body())
                .contains("not signed with HS256 or RS256 or ES256");
        // The name of a key that is there, and the signature of another.
        assertThat(asks(gateway, Issuer.token(Issuer.rsa("x", 2048), JWSAlgorithm.RS256, "rsa-1"))
                        .body())
                .contains("the token's signature is not its issuer's");
        assertThat(asks(gateway, Issuer.token(Issuer.ec("x"), JWSAlgorithm.ES256, "ec-1"))
                        .body())
                .contains("the token's signature is not its issuer's");
    }

    @Test
    void aTokenThatNamesNoKeyMeansTheOnlyOneOfItsAlgorithm() throws IOException {
        var gateway = gateway(issuer.settings("jwks.cool-down = 1ms"));
        assertThat(asks(gateway, Issuer.token(Issuer.RSA, JWSAlgorithm.RS256, null))
                        .status())
                .isEqualTo(426);

        issuer.publishes(Issuer.RSA, Issuer.rsa("rsa-2", 2048));
        assertThat(asks(gateway, Issuer.token(Issuer.rsa("rsa-3", 2048))).status())
                .isEqualTo(401);

        assertThat(asks(gateway, Issuer.token(Issuer.RSA, JWSAlgorithm.RS256, null))
                        .body())
                .contains(NOBODY_PUBLISHES);
    }

    @Test
    void aKeyForSomethingElseIsNone() throws Exception {
        var small = Issuer.rsa("small", 1024);
        var encrypts = new RSAKey.Builder(Issuer.rsa("encrypts", 2048))
                .keyUse(KeyUse.ENCRYPTION)
                .build();
        var other = new RSAKey.Builder(Issuer.rsa("other", 2048))
                .algorithm(JWSAlgorithm.RS512)
                .build();
        var good = new RSAKey.Builder(Issuer.RSA)
                .keyUse(KeyUse.SIGNATURE)
                .algorithm(JWSAlgorithm.RS256)
                .build();
        // Among keys that nobody can read.
        issuer.answers(
                200,
                Issuer.keys(small, encrypts, other, good)
                        .replace(
                                "\"keys\":[",
                                "\"keys\":[{\"kty\":\"AKP\",\"kid\":\"pq\"},{\"kty\":\"RSA\",\"kid\":\"broken\"},"));
        var gateway = gateway(issuer.settings());

        assertThat(asks(gateway, Issuer.token(good)).status()).isEqualTo(426);
        for (var key : List.of(small, encrypts, other)) {
            assertThat(asks(gateway, Issuer.token(key)).body())
                    .as(key.getKeyID())
                    .contains(NOBODY_PUBLISHES);
        }
    }

    @Test
    void aNewKeyIsFoundByTheFirstTokenThatItSigned() throws IOException {
        var gateway = gateway(issuer.settings("jwks.cool-down = 1ms"));
        assertThat(asks(gateway, Issuer.token(Issuer.RSA)).status()).isEqualTo(426);
        var next = Issuer.rsa("rsa-2", 2048);
        issuer.publishes(Issuer.RSA, next);

        assertThat(asks(gateway, Issuer.token(next)).status()).isEqualTo(426);
        assertThat(asks(gateway, Issuer.token(Issuer.RSA)).status()).isEqualTo(426);
        assertThat(issuer.asked).hasValue(2);
    }

    @Test
    void namesOfKeysThatDoNotExistCauseOneFetchForAllAndNoneUntilItHasCooledDown() throws IOException {
        var gateway = gateway(issuer.settings());
        assertThat(asks(gateway, Issuer.token(Issuer.RSA)).status()).isEqualTo(426);
        for (int name = 0; name < 20; name++) {
            assertThat(asks(gateway, Issuer.token(Issuer.RSA, JWSAlgorithm.RS256, "none-" + name))
                            .body())
                    .contains(NOBODY_PUBLISHES);
        }

        assertThat(issuer.asked).hasValue(1);
    }

    @Test
    void allWhoWaitForAKeyWaitForOneFetchAndNobodyElseWaits() throws IOException {
        issuer.fallsSilent();
        var gateway = gateway(issuer.settings("jwks { timeout = 2s }"));
        var lines = new ArrayList<Line>();
        try {
            for (int caller = 0; caller < 20; caller++) {
                var line = Line.to(gateway.address());
                lines.add(line);
                line.write("GET /v1/realtime HTTP/1.1\r\nHost: " + line.host() + "\r\n"
                        + bearer(Issuer.token(Issuer.EC)) + "\r\n\r\n");
            }
            try (var other = Line.to(gateway.address())) {
                // On every event loop there is.
                assertThat(asks(gateway, Rig.token("otto")).status()).isEqualTo(426);
                assertThat(asks(gateway, Rig.token("otto")).status()).isEqualTo(426);
                assertThat(other.ask("GET", "/health").status()).isEqualTo(200);
            }

            for (var line : lines) {
                var reply = line.reply(false);
                assertThat(reply.status()).isEqualTo(503);
                assertThat(reply.body()).contains("\"code\":\"identity_unavailable\"");
                assertThat(reply.header("retry-after")).isEqualTo("30");
            }
        } finally {
            for (var line : lines) {
                line.close();
            }
        }
        assertThat(issuer.asked).hasValue(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {"500|{}", "302|{}", "404|KEYS", "200|<html>", "200|[]", "200|{}", "200|{\"keys\":5}", "200|LONG"})
    void keysThatCannotBeHadAreAReasonToComeAgainAndWhenTheyAreThereAllIsWell(int status, String body)
            throws IOException {
        var keys = Issuer.keys(Issuer.RSA);
        issuer.answers(
                status,
                switch (body) {
                    case "KEYS" -> keys;
                    case "LONG" -> keys + " ".repeat(300_000);
                    default -> body;
                });
        var gateway = gateway(issuer.settings("jwks.cool-down = 100ms"));

        assertThat(asks(gateway, Issuer.token(Issuer.RSA)).status()).isEqualTo(503);
        assertThat(asks(gateway, Rig.token("otto")).status()).isEqualTo(426);

        issuer.publishes(Issuer.RSA);
        Rig.await("the next fetch", () -> status(gateway, Issuer.token(Issuer.RSA)) == 426);
    }

    @Test
    void aPageIsToldToComeAgainToo() throws IOException {
        issuer.answers(500, "");
        try (var line = Line.to(gateway(issuer.settings()).address())) {
            line.upgrade(
                    "/v1/ws/voice",
                    "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + Issuer.token(Issuer.RSA));

            assertThat(line.hear().text()).contains("\"code\":\"identity_unavailable\"", "\"retry_after_ms\":30000");
            assertThat(line.hear()).isEqualTo(new Line.Heard(1013, "identity_unavailable"));
        }
    }

    @Test
    void theLastKeysAreGoodWhileTheIssuerIsGoneButNotForever() throws IOException {
        var gateway = gateway(
                issuer.settings("jwks { refresh-every = 100ms, cool-down = 100ms, stale-for = 10s, timeout = 1s }"));
        Rig.await("the keys", () -> status(gateway, Issuer.token(Issuer.RSA)) == 426);
        issuer.answers(500, "");
        int before = issuer.asked.get();
        Rig.await("failures", () -> issuer.asked.get() > before + 2);

        assertThat(asks(gateway, Issuer.token(Issuer.RSA)).status()).isEqualTo(426);
        assertThat(asks(gateway, Issuer.token(Issuer.rsa("new", 2048))).status())
                .as("perhaps it is published by now")
                .isEqualTo(503);
        Rig.await("the keys to be too old", () -> status(gateway, Issuer.token(Issuer.RSA)) == 503);

        issuer.publishes(Issuer.RSA);
        Rig.await("the keys to be back", () -> status(gateway, Issuer.token(Issuer.RSA)) == 426);
    }

    @Test
    void aKeyThatIsTakenBackIsGoodNoLonger() throws IOException {
        var gateway = gateway(issuer.settings("jwks { refresh-every = 100ms, cool-down = 100ms }"));
        Rig.await("the keys", () -> status(gateway, Issuer.token(Issuer.RSA)) == 426);

        issuer.publishes(Issuer.EC);

        Rig.await("the key to be gone", () -> status(gateway, Issuer.token(Issuer.RSA)) == 401);
        assertThat(asks(gateway, Issuer.token(Issuer.EC)).status()).isEqualTo(426);
    }

    @Test
    void whatSomebodyElseSignedIsNotRefreshedHere() throws IOException {
        try (var line = Line.to(gateway(issuer.settings()).address())) {
            var reply = line.post("/v1/tokens/refresh", "", bearer(Issuer.token(Issuer.RSA)));

            assertThat(reply.status()).isEqualTo(403);
            assertThat(reply.body()).contains("\"code\":\"not_refreshable\"", "expected: to be refreshed there");
        }
    }

    private Gateway gateway(String... settings) {
        return rig.open(Rig.settings(settings), Rig.admission());
    }

    private static int status(Gateway gateway, String token) {
        try {
            return asks(gateway, token).status();
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    private static Line.Reply asks(Gateway gateway, String token) throws IOException {
        try (var line = Line.to(gateway.address())) {
            return line.ask("GET", "/v1/realtime", bearer(token));
        }
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token;
    }
}
