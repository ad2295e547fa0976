package parley.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import parley.admission.Decision.Why;

/**
 * Who is in: {@code bucket(user) < percentage}, so raising the percentage keeps everyone who was in, and a few rules
 * that come before.
 *
 * <p>The rules in order, the first that matches decides: switched off, denied, tenant off, allowed, cohort, tenant on,
 * bucket. No rule looks at the percentage but the last, so that none of them can make a rising percentage put anybody
 * out.
 *
 * @param percentage 0..100
 * @param salt put in front of the user's id before it is hashed, so that another flag picks other people first; empty for
 *     the formula as it is
 * @param allow user ids that are in at any percentage
 * @param deny user ids that are out at any percentage; beats {@code allow}
 * @param cohorts names; whoever's token has one of them is in at any percentage
 * @param tenants whole tenants that are in or out at any percentage
 */
public record Flag(
        boolean enabled,
        int percentage,
        String salt,
        Set<String> allow,
        Set<String> deny,
        Set<String> cohorts,
        Map<String, Tenant> tenants) {
    /** What is said of a whole tenant. */
    public enum Tenant {
        ON,
        OFF
    }

    /** Longer lists belong into cohorts. */
    private static final int MOST_NAMES = 10_000;

    private static final int LONGEST_SALT = 64;

    /** To make one costs more than to use it; after each digest it is as new. */
    private static final ThreadLocal<MessageDigest> MD5 = ThreadLocal.withInitial(Flag::md5);

    public Flag {
        if (percentage < 0 || percentage > 100) {
            throw new IllegalArgumentException("percentage: " + percentage + " (expected: 0..100)");
        }
        if (salt.length() > LONGEST_SALT) {
            throw new IllegalArgumentException(
                    "salt: " + salt.length() + " characters (expected: at most " + LONGEST_SALT + ")");
        }
        allow = names("allow", allow);
        deny = names("deny", deny);
        cohorts = names("cohorts", cohorts);
        names("tenants", tenants.keySet());
        tenants = Map.copyOf(tenants);
    }

    /** Only these: what most flags are. */
    public Flag(boolean enabled, int percentage, Set<String> allow, Set<String> deny) {
        this(enabled, percentage, "", allow, deny, Set.of(), Map.of());
    }

    /** An arm and the rule that chose it. */
    public record Assignment(Arm arm, Why why) {}

    /** The same answer for the same user, on every node, as long as nobody changes the flag. */
    public Assignment assign(CallerId caller, Set<String> memberOf) {
        if (!enabled) {
            return new Assignment(Arm.CONTROL, Why.SWITCHED_OFF);
        }
        if (deny.contains(caller.user())) {
            return new Assignment(Arm.CONTROL, Why.DENIED);
        }
        var tenant = tenants.get(caller.tenant());
        if (tenant == Tenant.OFF) {
            return new Assignment(Arm.CONTROL, Why.TENANT);
        }
        if (allow.contains(caller.user())) {
            return new Assignment(Arm.VOICE, Why.ALLOWED);
        }
        if (isIn(memberOf)) {
            return new Assignment(Arm.VOICE, Why.COHORT);
        }
        if (tenant == Tenant.ON) {
            return new Assignment(Arm.VOICE, Why.TENANT);
        }
        return new Assignment(bucketOf(caller) < percentage ? Arm.VOICE : Arm.CONTROL, Why.BUCKET);
    }

    /** 0..99, with the salt. */
    public int bucketOf(CallerId caller) {
        return bucket(salt.isEmpty() ? caller.user() : salt + caller.user());
    }

    /**
     * The MD5 of the id's UTF-8 bytes as an unsigned 128-bit number, modulo 100. The id is taken as it is: no trimming,
     * no case folding.
     */
    public static int bucket(String user) {
        int bucket = 0;
        for (byte digit : MD5.get().digest(user.getBytes(StandardCharsets.UTF_8))) {
            // 256 mod 100 = 56: the number in base 256, reduced digit by digit.
            bucket = (bucket * 56 + (digit & 0xff)) % 100;
        }
        return bucket;
    }

    /** Whether {@code later} lets somebody in whom this one does not, by other rules than the percentage. */
    boolean mayLetIn(Flag later) {
        return !salt.equals(later.salt)
                || !allow.containsAll(later.allow)
                || !cohorts.containsAll(later.cohorts)
                || !later.deny.containsAll(deny)
                || later.tenants.entrySet().stream()
                        .anyMatch(rule -> rule.getValue() == Tenant.ON && tenants.get(rule.getKey()) != Tenant.ON)
                || tenants.entrySet().stream()
                        .anyMatch(rule -> rule.getValue() == Tenant.OFF && later.tenants.get(rule.getKey()) == null);
    }

    Flag withPercentage(int changed) {
        return new Flag(enabled, changed, salt, allow, deny, cohorts, tenants);
    }

    private boolean isIn(Set<String> memberOf) {
        if (cohorts.isEmpty()) {
            return false;
        }
        for (var cohort : memberOf) {
            if (cohorts.contains(cohort)) {
                return true;
            }
        }
        return false;
    }

    private static Set<String> names(String key, Set<String> names) {
        if (names.size() > MOST_NAMES) {
            throw new IllegalArgumentException(
                    key + ": " + names.size() + " names (expected: at most " + MOST_NAMES + "; use a cohort)");
        }
        if (names.contains("")) {
            throw new IllegalArgumentException(key + ": an empty name (expected: names)");
        }
        return Set.copyOf(names);
    }

    /** In one order, so that two flags that are the same look the same. */
    Map<String, Object> described() {
        var described = new TreeMap<String, Object>();
        described.put("/enabled", enabled);
        described.put("/percentage", percentage);
        described.put("/salt", salt);
        described.put("/allow", new TreeSet<>(allow));
        described.put("/deny", new TreeSet<>(deny));
        described.put("/cohorts", new TreeSet<>(cohorts));
        described.put("/tenants", new TreeMap<>(tenants));
        return described;
    }

    private static MessageDigest md5() {
        try {
            return MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has MD5", impossible);
        }
    }
}
