package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class CredentialsTest {
    @ParameterizedTest
    @ValueSource(strings = {"Bearer abc", "bearer abc", "BEARER abc", "Bearer   abc", "Bearer abc  "})
    void theSchemeIsReadWithoutCaseAndSpaceAroundTheTokenIsNotPartOfIt(String header) {
        assertThat(Credentials.bearer(header)).isEqualTo("abc");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "Bearer", "Bearerabc", "Basic YTpi", "Token Bearer abc", " Bearer abc"})
    void anythingElseIsNoToken(String header) {
        assertThat(Credentials.bearer(header)).isNull();
    }

    @Test
    void noHeaderIsNoToken() {
        assertThat(Credentials.bearer(null)).isNull();
    }
}
