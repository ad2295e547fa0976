package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** L3. */
@Tag("unit")
class GuardrailTest {
    @Test
    void theDefaultsAreTheDocumentedBounds() {
        assertThat(Guardrail.DEFAULTS)
                .containsExactly(
                        standard("connection_success", Signal.CONNECTION, 0.10, 0, Comparator.CONTROL),
                        standard("first_audio", Signal.FIRST_AUDIO, 0.05, 3, Comparator.CONTROL),
                        standard("error_rate", Signal.ERROR, 0.05, 0, Comparator.CONTROL),
                        standard("session_creation", Signal.CREATION, 0.10, 0, Comparator.CONTROL),
                        standard("session_cost", Signal.COST, 0.05, 15, Comparator.ABSOLUTE));
    }

    @ParameterizedTest
    @CsvSource({"0.000001", "0.399999"})
    void takesEveryBoundThatLeavesRoomForBroken(double bound) {
        assertThatCode(() -> guardrail("x", bound, 0, 7)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({
        "x, 0, 0, 7, bound: 0.0 (expected: > 0 and < 0.4)",
        "x, 0.4, 0, 7, bound: 0.4 (expected: > 0 and < 0.4)",
        "x, NaN, 0, 7, bound: NaN (expected: > 0 and < 0.4)",
        "x, 0.1, -1, 7, threshold: -1.0 (expected: >= 0)",
        "x, 0.1, 0, 0, limit: 0.0 (expected: > 0)",
        "x, 0.1, 0, Infinity, limit: Infinity (expected: > 0)",
        "X, 0.1, 0, 7, 'id: X (expected: 1..64 of a-z, 0-9 and _)'"
    })
    void namesWhatIsWrong(String id, double bound, double threshold, double limit, String message) {
        assertThatThrownBy(() -> guardrail(id, bound, threshold, limit)).hasMessage("guardrail " + id + ": " + message);
    }

    private static Guardrail guardrail(String id, double bound, double threshold, double limit) {
        return new Guardrail(
                id, Signal.ERROR, bound, threshold, limit, Comparator.ABSOLUTE, OnFail.ROLLBACK_PREVIOUS, false);
    }

    private static Guardrail standard(String id, Signal signal, double bound, double threshold, Comparator comparator) {
        return new Guardrail(id, signal, bound, threshold, 7, comparator, OnFail.ROLLBACK_PREVIOUS, false);
    }
}
