package parley.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Set;

/**
 * Who is in at a percentage: {@code bucket(user) < percentage}, so raising the percentage keeps everyone who was in.
 *
 * @param percentage 0..100
 * @param allow user ids that are in at any percentage
 * @param deny user ids that are out at any percentage; beats {@code allow}
 */
public record Flag(boolean on, int percentage, Set<String> allow, Set<String> deny) {
    public Flag {
        if (percentage < 0 || percentage > 100) {
            throw new IllegalArgumentException("percentage: " + percentage + " (expected: 0..100)");
        }
        allow = Set.copyOf(allow);
        deny = Set.copyOf(deny);
    }

    /** An arm and the rule that chose it. */
    public record Assignment(Arm arm, Decision.Why why) {}

    public Assignment assign(CallerId caller) {
        if (!on) {
            return new Assignment(Arm.CONTROL, Decision.Why.SWITCHED_OFF);
        }
        if (deny.contains(caller.user())) {
            return new Assignment(Arm.CONTROL, Decision.Why.DENIED);
        }
        if (allow.contains(caller.user())) {
            return new Assignment(Arm.VOICE, Decision.Why.ALLOWED);
        }
        return new Assignment(bucket(caller.user()) < percentage ? Arm.VOICE : Arm.CONTROL, Decision.Why.BUCKET);
    }

    /**
     * The MD5 of the id's UTF-8 bytes as an unsigned 128-bit number, modulo 100. The id is taken as it is: no trimming,
     * no case folding.
     */
    public static int bucket(String user) {
        int bucket = 0;
        for (byte digit : md5(user.getBytes(StandardCharsets.UTF_8))) {
            // 256 mod 100 = 56: the number in base 256, reduced digit by digit.
            bucket = (bucket * 56 + (digit & 0xff)) % 100;
        }
        return bucket;
    }

    private static byte[] md5(byte[] bytes) {
        try {
            return MessageDigest.getInstance("MD5").digest(bytes);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has MD5", impossible);
        }
    }
}
