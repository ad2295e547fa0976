package parley.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * What one session says by one signal. Carries no user id: the sub-bucket is all that the statistics need of it.
 *
 * @param subBucket 0..63, by {@link #subBucket(String)}
 * @param failed 0..1: the failed share of the session, 0 or 1 where there is nothing between
 * @param forced in or out by a list and not by the percentage: never a sample
 * @param warmUp among the first sessions of a fresh node: no latency sample, but its errors count
 * @param probe a synthetic session with the real provider: never a user's sample
 * @param baked of a user who was in before the present stage, and for a whole stage's bake time
 */
record Observation(
        Signal signal,
        Arm arm,
        int subBucket,
        String tenant,
        double failed,
        boolean forced,
        boolean warmUp,
        boolean probe,
        boolean baked) {
    static final int SUB_BUCKETS = 64;

    Observation {
        if (subBucket < 0 || subBucket >= SUB_BUCKETS) {
            throw new IllegalArgumentException("subBucket: " + subBucket + " (expected: 0..63)");
        }
        if (tenant.isEmpty()) {
            throw new IllegalArgumentException("tenant: empty (expected: a name)");
        }
        if (!(failed >= 0 && failed <= 1)) {
            throw new IllegalArgumentException("failed: " + failed + " (expected: 0..1)");
        }
    }

    /** Of nobody who was in before. */
    Observation(
            Signal signal,
            Arm arm,
            int subBucket,
            String tenant,
            double failed,
            boolean forced,
            boolean warmUp,
            boolean probe) {
        this(signal, arm, subBucket, tenant, failed, forced, warmUp, probe, false);
    }

    /** As a guardrail counts it that compares with this; null: not at all. */
    @Nullable
    Observation heldAgainst(Comparator comparator) {
        if (comparator != Comparator.BAKED || probe) {
            return this;
        }
        if (arm == Arm.CONTROL) {
            return null;
        }
        return baked
                ? new Observation(signal, Arm.CONTROL, subBucket, tenant, failed, forced, warmUp, false, true)
                : this;
    }

    /**
     * The lowest six bits of the first byte of the SHA-256 of the id's UTF-8 bytes. Sessions are not independent of each
     * other, users are: all sessions of a user fall into one sub-bucket, whose number says nothing about {@link
     * Flag#bucket} of the same user.
     */
    static int subBucket(String user) {
        try {
            var hash = MessageDigest.getInstance("SHA-256").digest(user.getBytes(StandardCharsets.UTF_8));
            return hash[0] & (SUB_BUCKETS - 1);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }

    /** Whether users' statistics take it in at all. */
    boolean sample() {
        return !forced && !probe && counts();
    }

    /** Whether it may stand for the provider in a comparison. */
    boolean probeSample() {
        return probe && counts();
    }

    private boolean counts() {
        return !(warmUp && signal == Signal.FIRST_AUDIO);
    }
}
