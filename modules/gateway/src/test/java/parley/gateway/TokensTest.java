package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static parley.gateway.Rig.check;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.admission.CallerId;
import parley.gateway.Tokens.Bearer;
import parley.gateway.Tokens.Checked;

@Tag("unit")
class TokensTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
    private static final long NOW = NOON.getEpochSecond();
    private static final String HS256 = "{'alg':'HS256','typ':'JWT'}";
    private static final Bearer ANNA = new Bearer(new CallerId("anna", "acme"), List.of("operator"));

    private final Tokens tokens = tokens(null, null, NOON);

    @Test
    void whatIsSignedIsGood() {
        assertThat(check(tokens, tokens.sign(ANNA, Duration.ofMinutes(1)))).isEqualTo(new Checked.Valid(ANNA));
    }

    @Test
    void tenantAndRolesMayBeLeftOut() {
        assertThat(check(tokens, jwt(HS256, "{'sub':'anna','exp':" + (NOW + 60) + "}")))
                .isEqualTo(new Checked.Valid(new Bearer(new CallerId("anna", "default"), List.of())));
    }

    @Test
    void aNumberNamesAUserAsItsDigitsDo() {
        assertThat(check(tokens, jwt(HS256, "{'sub':5,'exp':" + (NOW + 60) + "}")))
                .isEqualTo(new Checked.Valid(new Bearer(new CallerId("5", "default"), List.of())));
    }

    @Test
    void aTokenOutlivesItsExpiryByTheSkewAndNotLonger() {
        var token = tokens.sign(ANNA, Duration.ofMinutes(1));

        assertThat(check(tokens(null, null, NOON.plusSeconds(90)), token)).isInstanceOf(Checked.Valid.class);
        assertThat(check(tokens(null, null, NOON.plusSeconds(91)), token)).isEqualTo(no("the token has expired"));
    }

    @Test
    void aTokenBeginsTheSkewBeforeItsTimeAndNotEarlier() {
        var token = tokens.sign(ANNA, Duration.ofMinutes(1));

        assertThat(check(tokens(null, null, NOON.minusSeconds(30)), token)).isInstanceOf(Checked.Valid.class);
        assertThat(check(tokens(null, null, NOON.minusSeconds(31)), token)).isEqualTo(no("the token is not valid yet"));
    }

    @Test
    void anotherSecretIsNotOurs() {
        var theirs = tokens(NOON, "jwt.secret = another-secret-that-is-long-enough-0123");

        assertThat(check(tokens, theirs.sign(ANNA, Duration.ofMinutes(1))))
                .isEqualTo(no("the token's signature is not ours"));
    }

    @Test
    void aChangedClaimIsNotOurs() {
        var parts = tokens.sign(ANNA, Duration.ofMinutes(1)).split("\\.");
        var other = base64("{'sub':'otto','exp':" + (NOW + 60) + "}");

        assertThat(check(tokens, parts[0] + "." + other + "." + parts[2]))
                .isEqualTo(no("the token's signature is not ours"));
    }

    @Test
    void anUnsignedTokenIsNone() {
        var claims = base64("{'sub':'anna','exp':" + (NOW + 60) + "}");

        for (var alg : List.of("none", "None", "NONE", "")) {
            var header = base64("{'alg':'" + alg + "'}");
            assertThat(check(tokens, header + "." + claims + ".")).isInstanceOf(Checked.Invalid.class);
            assertThat(check(tokens, header + "." + claims + "." + base64("x"))).isInstanceOf(Checked.Invalid.class);
        }
    }

    @Test
    void anotherHashWithTheSameSecretIsRefused() throws Exception {
        var long512 = Rig.SECRET.repeat(2);
        var token = new SignedJWT(new JWSHeader(JWSAlgorithm.HS512), claims());
        token.sign(new MACSigner(long512));
        var mine = tokens(NOON, "jwt.secret = " + long512);

        assertThat(check(mine, token.serialize())).isEqualTo(no("the token is not signed with HS256"));
    }

    @Test
    void anotherKindOfKeyIsRefusedWhateverTheHeaderSays() throws Exception {
        var pair = rsa(2048);
        var token = new SignedJWT(new JWSHeader(JWSAlgorithm.RS256), claims());
        token.sign(new RSASSASigner(pair.getPrivate()));
        var parts = token.serialize().split("\\.");

        assertThat(check(tokens, token.serialize())).isEqualTo(no("the token is not signed with HS256"));
        assertThat(check(tokens, base64(HS256) + "." + parts[1] + "." + parts[2]))
                .isEqualTo(no("the token's signature is not ours"));
        assertThat(check(tokens, jwt("{'alg':'RS256'}", "{'sub':'anna','exp':" + (NOW + 60) + "}")))
                .isEqualTo(no("the token is not signed with HS256"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'exp':EXP}|the token names no user (claim sub)",
                "{'sub':'','exp':EXP}|the token names no user (claim sub)",
                "{'sub':null,'exp':EXP}|the token names no user (claim sub)",
                "{'sub':'anna'}|the token never expires (claim exp)",
                "{'sub':'anna','exp':null}|the token never expires (claim exp)",
                "{'sub':'anna','exp':0}|the token has expired",
                "{'sub':'anna','exp':-1}|the token has expired",
                "{'sub':'anna','exp':EXP,'nbf':EXP}|the token is not valid yet",
            })
    void aClaimThatIsMissingOrPastIsNamed(String claims, String why) {
        assertThat(check(tokens, jwt(HS256, claims.replace("EXP", "" + (NOW + 60)))))
                .isEqualTo(no(why));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'sub':['anna'],'exp':EXP}",
                "{'sub':{},'exp':EXP}",
                "{'sub':'anna','exp':'EXP'}",
                "{'sub':'anna','exp':'soon'}",
                "{'sub':'anna','exp':[EXP]}",
                "{'sub':'anna','exp':true}",
                "{'sub':'anna','exp':EXP,'nbf':'now'}",
                "{'sub':'anna','exp':EXP,'iat':'now'}",
                "{'sub':'anna','exp':EXP,'tenant':5}",
                "{'sub':'anna','exp':EXP,'tenant':{}}",
                "{'sub':'anna','exp':EXP,'roles':'admin'}",
                "{'sub':'anna','exp':EXP,'roles':{'admin':true}}",
                "{'sub':'anna','exp':EXP,'roles':[1]}",
                "{'sub':'anna','exp':EXP,'roles':[null]}",
                "{'sub':'anna','exp':EXP,'roles':['a',['b']]}",
                "{'sub':'anna','exp':EXP,'iss':7}",
                "5",
                "'anna'",
                "{",
            })
    void aClaimOfTheWrongTypeIsARefusalAndNoFault(String claims) {
        assertThat(check(tokens, jwt(HS256, claims.replace("EXP", "" + (NOW + 60)))))
                .isEqualTo(no("a claim of the token is of the wrong type"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "1e300", "99999999999999999999999"})
    void anExpiryBeyondAllTimeIsNoFault(String exp) {
        assertThat(check(tokens, jwt(HS256, "{'sub':'anna','exp':" + exp + "}")))
                .isNotNull();
    }

    @Test
    void aTokenOfAnotherKindIsRefused() {
        assertThat(check(tokens, jwt("{'alg':'HS256','typ':'refresh+jwt'}", good())))
                .isEqualTo(no("the token is of another type (header typ)"));
        assertThat(check(tokens, jwt("{'alg':'HS256','typ':'jwt'}", good()))).isInstanceOf(Checked.Valid.class);
        assertThat(check(tokens, jwt("{'alg':'HS256'}", good()))).isInstanceOf(Checked.Valid.class);
    }

    @Test
    void aDemandThatIsNotUnderstoodIsRefused() {
        for (var header : List.of(
                "{'alg':'HS256','crit':['exp'],'exp':1}",
                "{'alg':'HS256','crit':['b64'],'b64':false}",
                "{'alg':'HS256','crit':['b64'],'b64':true}")) {
            assertThat(check(tokens, jwt(header, good()))).isInstanceOf(Checked.Invalid.class);
        }
        assertThat(check(
                        tokens,
                        jwt("{'alg':'HS256','crit':['http://example.com/x'],'http://example.com/x':1}", good())))
                .isEqualTo(no("the token demands what is not understood here (header crit)"));
    }

    @Test
    void issuerAndAudienceAreCheckedWhenTheyAreSet() {
        var strict = tokens("us", "here", NOON);

        assertThat(check(strict, strict.sign(ANNA, Duration.ofMinutes(1)))).isEqualTo(new Checked.Valid(ANNA));
        assertThat(check(strict, jwt(HS256, good()))).isEqualTo(no("the token is from another issuer"));
        assertThat(check(strict, jwt(HS256, "{'sub':'anna','iss':'us','exp':" + (NOW + 60) + "}")))
                .isEqualTo(no("the token is for another audience"));
        assertThat(check(strict, jwt(HS256, "{'sub':'anna','iss':'us','aud':['there'],'exp':" + (NOW + 60) + "}")))
                .isEqualTo(no("the token is for another audience"));
        assertThat(check(strict, jwt(HS256, "{'sub':'anna','iss':'us','aud':7,'exp':" + (NOW + 60) + "}")))
                .isInstanceOf(Checked.Invalid.class);
        assertThat(check(strict, jwt(HS256, "{'sub':'anna','iss':'us','aud':['a','here'],'exp':" + (NOW + 60) + "}")))
                .isInstanceOf(Checked.Valid.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "...",
                "....",
                "x",
                "a.b.c",
                "eyJhbGciOiJIUzI1NiJ9",
                "eyJhbGciOiJIUzI1NiJ9..",
                "e30.e30.e30",
                "W10.e30.e30",
                "ü.ü.ü",
                "\u0000",
                "a.b.c.d.e",
                "null.null.null"
            })
    void garbageIsNoTokenAndNoFault(String garbage) {
        assertThat(check(tokens, garbage)).isInstanceOf(Checked.Invalid.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null", "", "{}"})
    void claimsThatAreNoneNameNobody(String claims) {
        assertThat(check(tokens, jwt(HS256, claims))).isInstanceOf(Checked.Invalid.class);
    }

    @Test
    void aDeeplyNestedHeaderIsNoFault() {
        var header = base64("{'alg':" + "[".repeat(5000) + "]".repeat(5000) + "}");

        assertThat(check(tokens, header + ".e30.e30")).isInstanceOf(Checked.Invalid.class);
        assertThat(check(tokens, jwt(HS256, "{'sub':" + "[".repeat(5000) + "]".repeat(5000) + "}")))
                .isInstanceOf(Checked.Invalid.class);
    }

    @Test
    void cohortsAreCarriedAndRolesThatNobodyKnowsAreNot() {
        assertThat(check(
                        tokens,
                        jwt(
                                HS256,
                                "{'sub':'anna','exp':EXP,'roles':['root','viewer'],'cohorts':['beta','staff']}"
                                        .replace("EXP", "" + (NOW + 60)))))
                .isEqualTo(new Checked.Valid(
                        new Bearer(new CallerId("anna", "default"), List.of("viewer"), Set.of("beta", "staff"))));
        var beta = new Bearer(new CallerId("anna", "acme"), List.of(), Set.of("beta"));
        assertThat(check(tokens, tokens.sign(beta, Duration.ofMinutes(1)))).isEqualTo(new Checked.Valid(beta));
        assertThat(check(
                        tokens,
                        jwt(HS256, "{'sub':'anna','exp':EXP,'cohorts':'beta'}".replace("EXP", "" + (NOW + 60)))))
                .isEqualTo(no("a claim of the token is of the wrong type"));
    }

    @Test
    void aTokenThatWasMadeForLongerThanAllowedIsRefused() {
        var strict = tokens(NOON, "jwt.max-life = 15m");

        assertThat(check(strict, strict.sign(ANNA, Duration.ofMinutes(15)))).isInstanceOf(Checked.Valid.class);
        for (var claims : List.of(
                "{'sub':'anna','iat':" + NOW + ",'exp':" + (NOW + 901) + "}",
                "{'sub':'anna','exp':" + (NOW + 901) + "}",
                "{'sub':'anna','iat':" + (NOW - 3600) + ",'exp':" + (NOW + 60) + "}",
                "{'sub':'anna','iat':" + (NOW + 3600) + ",'exp':" + (NOW + 3660) + "}",
                "{'sub':'anna','exp':99999999999}")) {
            assertThat(check(strict, jwt(HS256, claims)))
                    .as(claims)
                    .isEqualTo(no("the token was made for longer than PT15M (claim exp)"));
        }
    }

    @Test
    void onlyDevelopmentsOwnTokenIsNotMeasuredAndOnlyInDevelopment() {
        var strict = tokens(NOON, "jwt.max-life = 15m");
        var production = tokens(NOON, "jwt.max-life = 15m, production = true, api-token = " + "a".repeat(32));

        assertThat(check(strict, strict.development())).isInstanceOf(Checked.Valid.class);
        assertThat(check(production, strict.development())).isInstanceOf(Checked.Invalid.class);
    }

    /** R20: rotation with overlap. */
    @Test
    void thePreviousSecretIsGoodUntilItsEndAndNeverSigned() {
        var before = tokens(NOON, "jwt.secret = the-secret-of-yesterday-0123456789");
        var token = before.sign(ANNA, Duration.ofHours(2));
        var overlap = "jwt.previous-secret = the-secret-of-yesterday-0123456789";
        var until = "jwt.previous-until = \"2026-01-01T13:00:00Z\"";

        assertThat(check(tokens(NOON, overlap), token)).isEqualTo(new Checked.Valid(ANNA));
        assertThat(check(tokens(NOON, overlap, until), token)).isEqualTo(new Checked.Valid(ANNA));
        assertThat(check(tokens(NOON.plusSeconds(3600), overlap, until), token))
                .isEqualTo(no("the token's signature is not ours"));
        assertThat(check(tokens, token)).isEqualTo(no("the token's signature is not ours"));
        assertThat(check(before, tokens(NOON, overlap).sign(ANNA, Duration.ofHours(2))))
                .isEqualTo(no("the token's signature is not ours"));
    }

    @Test
    void aSecretThatIsTooShortIsRefusedWithoutBeingShown() {
        assertThatThrownBy(() -> tokens(NOON, "jwt.secret = short-secret"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("32")
                .hasMessageNotContaining("short-secret");
    }

    private static KeyPair rsa(int bits) throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        return generator.generateKeyPair();
    }

    private static String good() {
        return "{'sub':'anna','exp':" + (NOW + 60) + "}";
    }

    private static JWTClaimsSet claims() {
        return new JWTClaimsSet.Builder()
                .subject("anna")
                .expirationTime(Date.from(NOON.plusSeconds(60)))
                .build();
    }

    private static Checked no(String why) {
        return new Checked.Invalid(why);
    }

    private static Tokens tokens(
            @org.jspecify.annotations.Nullable String issuer,
            @org.jspecify.annotations.Nullable String audience,
            Instant now) {
        return tokens(
                now,
                "jwt.issuer = \"" + (issuer == null ? "" : issuer) + "\"",
                "jwt.audience = \"" + (audience == null ? "" : audience) + "\"");
    }

    private static Tokens tokens(Instant now, String... settings) {
        return new Tokens(Rig.settings(settings), null, Clock.fixed(now, ZoneOffset.UTC));
    }

    /** Signed by hand: no library that would refuse to make a bad one. Apostrophes stand for quotes. */
    static String jwt(String header, String claims) {
        try {
            var signed = base64(header) + "." + base64(claims);
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(Rig.SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return signed + "."
                    + Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String base64(String json) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }
}
