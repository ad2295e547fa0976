package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        assertThat(tokens.check(tokens.sign(ANNA, Duration.ofMinutes(1)))).isEqualTo(new Checked.Valid(ANNA));
    }

    @Test
    void tenantAndRolesMayBeLeftOut() {
        assertThat(tokens.check(jwt(HS256, "{'sub':'anna','exp':" + (NOW + 60) + "}")))
                .isEqualTo(new Checked.Valid(new Bearer(new CallerId("anna", "default"), List.of())));
    }

    @Test
    void aNumberNamesAUserAsItsDigitsDo() {
        assertThat(tokens.check(jwt(HS256, "{'sub':5,'exp':" + (NOW + 60) + "}")))
                .isEqualTo(new Checked.Valid(new Bearer(new CallerId("5", "default"), List.of())));
    }

    @Test
    void aTokenOutlivesItsExpiryByTheSkewAndNotLonger() {
        var token = tokens.sign(ANNA, Duration.ofMinutes(1));

        assertThat(tokens(null, null, NOON.plusSeconds(90)).check(token)).isInstanceOf(Checked.Valid.class);
        assertThat(tokens(null, null, NOON.plusSeconds(91)).check(token)).isEqualTo(no("the token has expired"));
    }

    @Test
    void aTokenBeginsTheSkewBeforeItsTimeAndNotEarlier() {
        var token = tokens.sign(ANNA, Duration.ofMinutes(1));

        assertThat(tokens(null, null, NOON.minusSeconds(30)).check(token)).isInstanceOf(Checked.Valid.class);
        assertThat(tokens(null, null, NOON.minusSeconds(31)).check(token)).isEqualTo(no("the token is not valid yet"));
    }

    @Test
    void anotherSecretIsNotOurs() {
        var theirs = new Tokens(
                "another-secret-that-is-long-enough-0123",
                null,
                null,
                Duration.ZERO,
                Clock.fixed(NOON, ZoneOffset.UTC));

        assertThat(tokens.check(theirs.sign(ANNA, Duration.ofMinutes(1))))
                .isEqualTo(no("the token's signature is not ours"));
    }

    @Test
    void aChangedClaimIsNotOurs() {
        var parts = tokens.sign(ANNA, Duration.ofMinutes(1)).split("\\.");
        var other = base64("{'sub':'otto','exp':" + (NOW + 60) + "}");

        assertThat(tokens.check(parts[0] + "." + other + "." + parts[2]))
                .isEqualTo(no("the token's signature is not ours"));
    }

    @Test
    void anUnsignedTokenIsNone() {
        var claims = base64("{'sub':'anna','exp':" + (NOW + 60) + "}");

        for (var alg : List.of("none", "None", "NONE", "")) {
            var header = base64("{'alg':'" + alg + "'}");
            assertThat(tokens.check(header + "." + claims + ".")).isInstanceOf(Checked.Invalid.class);
            assertThat(tokens.check(header + "." + claims + "." + base64("x"))).isInstanceOf(Checked.Invalid.class);
        }
    }

    @Test
    void anotherHashWithTheSameSecretIsRefused() throws Exception {
        var long512 = Rig.SECRET.repeat(2);
        var token = new SignedJWT(new JWSHeader(JWSAlgorithm.HS512), claims());
        token.sign(new MACSigner(long512));
        var mine = new Tokens(long512, null, null, Duration.ZERO, Clock.fixed(NOON, ZoneOffset.UTC));

        assertThat(mine.check(token.serialize())).isEqualTo(no("the token is not signed with HS256"));
    }

    @Test
    void anotherKindOfKeyIsRefusedWhateverTheHeaderSays() throws Exception {
        var pair = rsa(2048);
        var token = new SignedJWT(new JWSHeader(JWSAlgorithm.RS256), claims());
        token.sign(new RSASSASigner(pair.getPrivate()));
        var parts = token.serialize().split("\\.");

        assertThat(tokens.check(token.serialize())).isEqualTo(no("the token is not signed with HS256"));
        assertThat(tokens.check(base64(HS256) + "." + parts[1] + "." + parts[2]))
                .isEqualTo(no("the token's signature is not ours"));
        assertThat(tokens.check(jwt("{'alg':'RS256'}", "{'sub':'anna','exp':" + (NOW + 60) + "}")))
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
        assertThat(tokens.check(jwt(HS256, claims.replace("EXP", "" + (NOW + 60)))))
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
        assertThat(tokens.check(jwt(HS256, claims.replace("EXP", "" + (NOW + 60)))))
                .isEqualTo(no("a claim of the token is of the wrong type"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "1e300", "99999999999999999999999"})
    void anExpiryBeyondAllTimeIsNoFault(String exp) {
        assertThat(tokens.check(jwt(HS256, "{'sub':'anna','exp':" + exp + "}"))).isNotNull();
    }

    @Test
    void aTokenOfAnotherKindIsRefused() {
        assertThat(tokens.check(jwt("{'alg':'HS256','typ':'refresh+jwt'}", good())))
                .isEqualTo(no("the token is of another type (header typ)"));
        assertThat(tokens.check(jwt("{'alg':'HS256','typ':'jwt'}", good()))).isInstanceOf(Checked.Valid.class);
        assertThat(tokens.check(jwt("{'alg':'HS256'}", good()))).isInstanceOf(Checked.Valid.class);
    }

    @Test
    void aDemandThatIsNotUnderstoodIsRefused() {
        for (var header : List.of(
                "{'alg':'HS256','crit':['exp'],'exp':1}",
                "{'alg':'HS256','crit':['b64'],'b64':false}",
                "{'alg':'HS256','crit':['b64'],'b64':true}")) {
            assertThat(tokens.check(jwt(header, good()))).isInstanceOf(Checked.Invalid.class);
        }
        assertThat(tokens.check(
                        jwt("{'alg':'HS256','crit':['http://example.com/x'],'http://example.com/x':1}", good())))
                .isEqualTo(no("the token demands what is not understood here (header crit)"));
    }

    @Test
    void issuerAndAudienceAreCheckedWhenTheyAreSet() {
        var strict = tokens("us", "here", NOON);

        assertThat(strict.check(strict.sign(ANNA, Duration.ofMinutes(1)))).isEqualTo(new Checked.Valid(ANNA));
        assertThat(strict.check(jwt(HS256, good()))).isEqualTo(no("the token is from another issuer"));
        assertThat(strict.check(jwt(HS256, "{'sub':'anna','iss':'us','exp':" + (NOW + 60) + "}")))
                .isEqualTo(no("the token is for another audience"));
        assertThat(strict.check(jwt(HS256, "{'sub':'anna','iss':'us','aud':['there'],'exp':" + (NOW + 60) + "}")))
                .isEqualTo(no("the token is for another audience"));
        assertThat(strict.check(jwt(HS256, "{'sub':'anna','iss':'us','aud':7,'exp':" + (NOW + 60) + "}")))
                .isInstanceOf(Checked.Invalid.class);
        assertThat(strict.check(jwt(HS256, "{'sub':'anna','iss':'us','aud':['a','here'],'exp':" + (NOW + 60) + "}")))
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
        assertThat(tokens.check(garbage)).isInstanceOf(Checked.Invalid.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null", "", "{}"})
    void claimsThatAreNoneNameNobody(String claims) {
        assertThat(tokens.check(jwt(HS256, claims))).isInstanceOf(Checked.Invalid.class);
    }

    @Test
    void aDeeplyNestedHeaderIsNoFault() {
        var header = base64("{'alg':" + "[".repeat(5000) + "]".repeat(5000) + "}");

        assertThat(tokens.check(header + ".e30.e30")).isInstanceOf(Checked.Invalid.class);
        assertThat(tokens.check(jwt(HS256, "{'sub':" + "[".repeat(5000) + "]".repeat(5000) + "}")))
                .isInstanceOf(Checked.Invalid.class);
    }

    @Test
    void aSecretThatIsTooShortIsRefusedWithoutBeingShown() {
        assertThatThrownBy(() -> new Tokens("short-secret", null, null, Duration.ZERO, Clock.systemUTC()))
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
        return new Tokens(Rig.SECRET, issuer, audience, Duration.ofSeconds(30), Clock.fixed(now, ZoneOffset.UTC));
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
