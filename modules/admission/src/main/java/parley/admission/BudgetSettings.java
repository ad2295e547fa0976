package parley.admission;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/**
 * {@code parley.admission.budget} in reference.conf, where each key is explained.
 *
 * @param monthlyMicros for everybody, {@code tenantMicros} for each tenant, {@code userMicros} for each user, in
 *     millionths of a US dollar per calendar month (UTC); 0: no bound
 * @param alertShare of a bound, beyond which the log and the metrics hear of it
 */
public record BudgetSettings(
        long monthlyMicros, long tenantMicros, long userMicros, double alertShare, Duration reportEvery) {
    public BudgetSettings {
        var wrong = new ArrayList<String>();
        if (monthlyMicros < 0 || tenantMicros < 0 || userMicros < 0) {
            wrong.add("monthly-usd, tenant-usd, user-usd: below 0 (expected: at least 0; 0: no bound)");
        }
        if (!(alertShare > 0 && alertShare <= 1)) {
            wrong.add("alert-share: " + alertShare + " (expected: above 0, at most 1)");
        }
        if (reportEvery.compareTo(Duration.ofMillis(10)) < 0 || reportEvery.compareTo(Duration.ofSeconds(10)) > 0) {
            wrong.add("report-every: " + reportEvery + " (expected: 10 ms to 10 s)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.admission.budget: " + String.join("; ", wrong));
        }
    }

    /** Reads the block {@code parley.admission.budget} of a whole configuration. */
    public static BudgetSettings from(Config config) {
        var budget = config.getConfig("parley.admission.budget");
        return new BudgetSettings(
                micros(budget, "monthly-usd"),
                micros(budget, "tenant-usd"),
                micros(budget, "user-usd"),
                budget.getDouble("alert-share"),
                budget.getDuration("report-every"));
    }

    /** Whether anybody has to count. */
    boolean isBounded() {
        return monthlyMicros > 0 || tenantMicros > 0 || userMicros > 0;
    }

    private static long micros(Config budget, String key) {
        return Math.round(budget.getDouble(key) * 1e6);
    }
}
