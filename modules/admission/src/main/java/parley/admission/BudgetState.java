package parley.admission;

import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What was spent in a month, by everybody, each tenant and each user, and what of each session is counted in it. Pure.
 *
 * @param month as in {@code 2026-11}; a cost belongs to the month in which it was told
 * @param byUser of tenant and user
 * @param sessions that may still be told of
 * @param version one more with each telling
 */
record BudgetState(
        long version,
        String month,
        long micros,
        Map<String, Long> byTenant,
        Map<String, Long> byUser,
        Map<String, Counted> sessions)
        implements CborSerializable {
    /** Nobody is told of a session after this time: it cannot live that long. */
    static final Duration SESSION = Duration.ofHours(26);

    /** What a session had cost when it was told last. */
    record Counted(long micros, Instant at) {}

    /** What a session has cost so far. */
    record Total(String session, String tenant, String user, long micros) {}

    BudgetState {
        byTenant = Map.copyOf(byTenant);
        byUser = Map.copyOf(byUser);
        sessions = Map.copyOf(sessions);
    }

    static final BudgetState NONE = new BudgetState(0, "", 0, Map.of(), Map.of(), Map.of());

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
        return new BudgetState(version + 1, now, sum, tenants, users, counted);
    }

    static String user(String tenant, String user) {
        return tenant.length() + ":" + tenant + user;
    }
}
