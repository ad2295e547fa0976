package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Random;
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

        assertThat(flag.assign(caller("anna"), Set.of()))
                .isEqualTo(new Flag.Assignment(Arm.CONTROL, Decision.Why.DENIED));
    }

    @Test
    void anAllowedCallerIsInAtZeroPercentButNotWhenOff() {
        assertThat(new Flag(true, 0, Set.of("anna"), Set.of()).assign(caller("anna"), Set.of()))
                .isEqualTo(new Flag.Assignment(Arm.VOICE, Decision.Why.ALLOWED));
        assertThat(new Flag(false, 0, Set.of("anna"), Set.of()).assign(caller("anna"), Set.of()))
                .isEqualTo(new Flag.Assignment(Arm.CONTROL, Decision.Why.SWITCHED_OFF));
    }

    @Test
    void noRuleMakesARisingPercentagePutAnybodyOut() {
        var tenants = Map.of("red", Flag.Tenant.ON, "blue", Flag.Tenant.OFF);
        var random = new Random(1);
        for (int caller = 0; caller < 2000; caller++) {
            var id = new CallerId(
                    "user-" + caller, List.of("red", "blue", "default").get(random.nextInt(3)));
            var cohorts = random.nextInt(10) == 0 ? Set.of("premium") : Set.<String>of();
            boolean in = false;
            for (int percentage = 0; percentage <= 100; percentage++) {
                var flag =
                        new Flag(true, percentage, "", Set.of("user-7"), Set.of("user-8"), Set.of("premium"), tenants);
                boolean now = flag.assign(id, cohorts).arm() == Arm.VOICE;
                assertThat(in && !now).as("%s at %s %%", id.user(), percentage).isFalse();
                in = now;
            }
        }
    }

    @Test
    void rulesAreAskedInTheirOrder() {
        var flag = new Flag(
                true,
                0,
                "",
                Set.of("anna", "blue-anna"),
                Set.of("eve"),
                Set.of("premium"),
                Map.of("red", Flag.Tenant.ON, "blue", Flag.Tenant.OFF));

        assertThat(flag.assign(new CallerId("eve", "red"), Set.of("premium")))
                .isEqualTo(new Flag.Assignment(Arm.CONTROL, Decision.Why.DENIED));
        assertThat(flag.assign(new CallerId("blue-anna", "blue"), Set.of("premium")))
                .isEqualTo(new Flag.Assignment(Arm.CONTROL, Decision.Why.TENANT));
        assertThat(flag.assign(new CallerId("anna", "red"), Set.of("premium")))
                .isEqualTo(new Flag.Assignment(Arm.VOICE, Decision.Why.ALLOWED));
        assertThat(flag.assign(new CallerId("ben", "red"), Set.of("premium")))
                .isEqualTo(new Flag.Assignment(Arm.VOICE, Decision.Why.COHORT));
        assertThat(flag.assign(new CallerId("ben", "red"), Set.of()))
                .isEqualTo(new Flag.Assignment(Arm.VOICE, Decision.Why.TENANT));
        assertThat(flag.assign(new CallerId("ben", "default"), Set.of()))
                .isEqualTo(new Flag.Assignment(Arm.CONTROL, Decision.Why.BUCKET));
    }

    @Test
    void anotherSaltPicksOtherPeopleFirst() {
        var salted = new Flag(true, 10, "v2", Set.of(), Set.of(), Set.of(), Map.of());

        assertThat(salted.bucketOf(caller("user-1"))).isEqualTo(Flag.bucket("v2user-1"));
        assertThat(callersIn(salted)).isNotEqualTo(callersIn(at(10)));
    }

    /** 100,000 ids against arithmetic with whole numbers of any size. */
    @Test
    void bucketsAreThoseOfAnIndependentImplementation() {
        var counts = new int[100];
        for (int number = 0; number < 100_000; number++) {
            var user = "user-" + number;
            int bucket = Flag.bucket(user);
            counts[bucket]++;
            assertThat(bucket).as(user).isEqualTo(slowly(user));
        }
        double chiSquare = 0;
        for (int count : counts) {
            chiSquare += (count - 1000.0) * (count - 1000.0) / 1000.0;
        }
        // 99 degrees of freedom: 148.2 is passed once in a thousand times.
        assertThat(chiSquare).isLessThan(148.2);
    }

    private static int slowly(String user) {
        try {
            var hash = java.security.MessageDigest.getInstance("MD5")
                    .digest(user.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            return new java.math.BigInteger(1, hash)
                    .mod(java.math.BigInteger.valueOf(100))
                    .intValue();
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
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
                .filter(user -> flag.assign(caller(user), Set.of()).arm() == Arm.VOICE)
                .collect(Collectors.toSet());
    }
}
