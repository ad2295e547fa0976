package parley.admission;

import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What was spent in a month, by everybody, each tenant and each user. Pure. Its size does not grow with the sessions.
 *
 * @param month as in {@code 2026-11}; a cost belongs to the month in which it was told
 * @param byTenant of those that are counted one by one, as {@code byUser}: of tenant and user
 * @param sessions that a node of the release before told of, and may tell of again
 * @param version one more with each telling
 * @param lives what each node's life told last
 */
record BudgetState(
        long version,
        String month,
        long micros,
        Map<String, Long> byTenant,
        Map<String, Long> byUser,
        Map<String, Counted> sessions,
        Map<String, Last> lives)
        implements CborSerializable {
    /** Nobody is told of a session after this time: it cannot live that long. */
    static final Duration SESSION = Duration.ofHours(26);

    /** Nor does a life tell the same again so late. */
    static final Duration LIFE = SESSION;

    /** Old sessions are looked for once in so many tellings. */
    private static final long TIDY_EVERY = 1000;

    /** The number of what a life told last. */
    record Last(long number, Instant at) {}

    /**
     * What was spent.
     *
     * @param tenant "" where tenants are not counted one by one; {@code user} "" where users are not
     */
    record Amount(String tenant, String user, long micros) {}

    /** What a session had cost when it was told last. */
    record Counted(long micros, Instant at) {}

    /** What a session has cost so far. */
    record Total(String session, String tenant, String user, long micros) {}

    BudgetState {
        byTenant = Map.copyOf(byTenant);
        byUser = Map.copyOf(byUser);
        sessions = Map.copyOf(sessions);
        // The release before knows none.
        lives = lives == null ? Map.of() : Map.copyOf(lives);
    }

    static final BudgetState NONE = new BudgetState(0, "", 0, Map.of(), Map.of(), Map.of(), Map.of());

    /** Of one session the greatest total counts, however often and in whatever order they come. */
    BudgetState after(List<Total> totals, Instant at) {
        var now = YearMonth.from(at.atOffset(ZoneOffset.UTC)).toString();
        boolean same = now.equals(month);
        long sum = same ? micros : 0;
        var tenants = new HashMap<>(same ? byTenant : Map.<String, Long>of());
        var users = new HashMap<>(same ? byUser : Map.<String, Long>of());
        var counted = new HashMap<>(sessions);
        counted.values().removeIf(session -> session.at().isBefore(at.minus(SESSION)));
        for (var total : totals) {
            var known = counted.get(total.session());
            long more = total.micros() - (known == null ? 0 : known.micros());
            if (more > 0) {
                sum += more;
                tenants.merge(total.tenant(), more, Long::sum);
                users.merge(user(total.tenant(), total.user()), more, Long::sum);
                counted.put(total.session(), new Counted(total.micros(), at));
            }
        }
        return new BudgetState(version + 1, now, sum, tenants, users, counted, lives);
    }

    /** Whether it is counted already. */
    boolean knows(String life, long number) {
        var last = lives.get(life);
        return last != null && number <= last.number();
    }

    /** What is known already changes nothing. */
    BudgetState after(String life, long number, List<Amount> amounts, Instant at) {
        if (knows(life, number)) {
            return this;
        }
        var now = YearMonth.from(at.atOffset(ZoneOffset.UTC)).toString();
        boolean same = now.equals(month);
        long sum = same ? micros : 0;
        var tenants = new HashMap<>(same ? byTenant : Map.<String, Long>of());
        var users = new HashMap<>(same ? byUser : Map.<String, Long>of());
        for (var amount : amounts) {
            sum += amount.micros();
            if (!amount.tenant().isEmpty()) {
                tenants.merge(amount.tenant(), amount.micros(), Long::sum);
            }
            if (!amount.user().isEmpty()) {
                users.merge(user(amount.tenant(), amount.user()), amount.micros(), Long::sum);
            }
        }
        var last = new HashMap<>(lives);
        last.values().removeIf(each -> each.at().isBefore(at.minus(LIFE)));
        last.put(life, new Last(number, at));
        return new BudgetState(version + 1, now, sum, tenants, users, tidied(at), last);
    }

    private Map<String, Counted> tidied(Instant at) {
        if (version % TIDY_EVERY != 0) {
            return sessions;
        }
        var left = new HashMap<>(sessions);
        left.values().removeIf(session -> session.at().isBefore(at.minus(SESSION)));
        return left;
    }

    static String user(String tenant, String user) {
        return tenant.length() + ":" + tenant + user;
    }
}
