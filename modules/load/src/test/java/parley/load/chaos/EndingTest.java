package parley.load.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class EndingTest {

    @ParameterizedTest
    @ValueSource(ints = {1000, 1002, 1003, 1007, 1008, 1009, 3000, 4000, 4400, 4404, 4503, 401, 403, 404, 410})
    void afterTheseNobodyComesBack(int code) {
        assertThat(new Ending(code, "").isFinal()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1001, 1005, 1006, 1011, 1012, 1013, 4001, 4401, 429, 500, 503})
    void afterTheseEverybodyDoes(int code) {
        assertThat(new Ending(code, "").isFinal()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {1006, 1012, 1013, 503})
    void afterTheseTheNodeIsInDoubt(int code) {
        assertThat(new Ending(code, "").elsewhere()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1001, 1011, 429})
    void afterTheseItIsNot(int code) {
        assertThat(new Ending(code, "").elsewhere()).isFalse();
    }
}
