package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** L2. */
@Tag("unit")
class FlagTest {
    @ParameterizedTest
    @CsvSource(
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "'',66",
                "user-1,20",
                "user-2,75",
                "user-42,35",
                "alice,0",
                "ALICE,32",
                "alice@example.com,24",
                "用户,7",
                "550e8400-e29b-41d4-a716-446655440000,65",
                " user-1,98",
                "user-1 ,29",
                "0,50",
                "00,79",
                "user-128,4",
                "user-47,5",
                "user-203,24",
                "user-0,25",
                "user-192,99",
                "user-40,0"
            })
    void bucketsAsEveryOtherImplementationDoes(String user, int bucket) {
        assertThat(Flag.bucket(user)).isEqualTo(bucket);
    }

    @Test
    void aCallerWhoIsInStaysInAsTheRampGrows() {
        assertThat(callersIn(at(5))).isNotEmpty();
        assertThat(callersIn(at(25))).containsAll(callersIn(at(5)));
        assertThat(callersIn(at(100))).hasSize(1000).containsAll(callersIn(at(25)));
    }

    @Test
    void aDeniedCallerStaysOutEvenWhenAllowed() {
        var flag = new Flag(true, 100, Set.of("anna"), Set.of("anna"));

        assertThat(flag.assign(caller("anna"))).isEqualTo(new Flag.Assignment(Arm.CONTROL, Decision.Why.DENIED));
    }

    @Test
    void anAllowedCallerIsInAtZeroPercentButNotWhenOff() {
        assertThat(new Flag(true, 0, Set.of("anna"), Set.of()).assign(caller("anna")))
                .isEqualTo(new Flag.Assignment(Arm.VOICE, Decision.Why.ALLOWED));
        assertThat(new Flag(false, 0, Set.of("anna"), Set.of()).assign(caller("anna")))
                .isEqualTo(new Flag.Assignment(Arm.CONTROL, Decision.Why.SWITCHED_OFF));
    }

    @Test
    void aPercentageBeyondTheScaleIsNamed() {
        assertThatThrownBy(() -> at(120)).hasMessage("percentage: 120 (expected: 0..100)");
    }

    private static Flag at(int percentage) {
        return new Flag(true, percentage, Set.of(), Set.of());
    }

    private static CallerId caller(String user) {
        return new CallerId(user, "default");
    }

    private static Set<String> callersIn(Flag flag) {
        return IntStream.range(0, 1000)
                .mapToObj(number -> "user-" + number)
                .filter(user -> flag.assign(caller(user)).arm() == Arm.VOICE)
                .collect(Collectors.toSet());
    }
}
