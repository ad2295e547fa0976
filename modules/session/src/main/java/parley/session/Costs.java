package parley.session;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What sessions have cost, as far as it is told from the journal. Thread-safe; never blocks. */
public interface Costs {
    /** At most so many rows are in one report. */
    int MOST_ROWS = 1000;

    /**
     * @return the rows; fails with {@link Busy} when too many ask at once, and otherwise when the database does not answer
     *     within ten seconds
     */
    CompletionStage<Report> report(Question question);

    /** What a row is about. */
    enum By {
        DAY,
        TENANT,
        SESSION
    }

    /**
     * @param from the first day, UTC
     * @param to the last day, included; not before the first
     * @param tenant null: all
     * @param after the key of the last row of the page before; null: the first page
     * @param rows at most so many, up to {@link #MOST_ROWS}
     */
    record Question(
            By by,
            LocalDate from,
            LocalDate to,
            @Nullable String tenant,
            @Nullable String after,
            int rows) {
        public Question {
            if (to.isBefore(from)) {
                throw new IllegalArgumentException("to: " + to + " (expected: not before from, " + from + ")");
            }
            if (has0(tenant) || has0(after)) {
                throw new IllegalArgumentException("tenant, after: with the character 0 (expected: without)");
            }
            if (rows < 1 || rows > MOST_ROWS) {
                throw new IllegalArgumentException("limit: " + rows + " (expected: 1.." + MOST_ROWS + ")");
            }
        }
    }

    private static boolean has0(@Nullable String text) {
        return text != null && text.indexOf('\0') >= 0;
    }

    /**
     * One day, tenant or session.
     *
     * @param key the day as in 2026-05-01, the tenant's name, or the session's id
     * @param tenant of a session; null of anything else
     * @param sessions that had a cost
     * @param costUsd in US dollars, six digits after the point
     */
    record Row(
            String key,
            @Nullable String tenant,
            long sessions,
            long textIn,
            long textCached,
            long audioIn,
            long audioCached,
            long imageIn,
            long imageCached,
            long textOut,
            long audioOut,
            double transcribedSeconds,
            BigDecimal costUsd) {}

    /**
     * A page of rows in the order of their keys.
     *
     * @param totalUsd of all pages
     * @param next the key to go on after; null when this is the last page
     * @param behind how long the oldest fact has been waiting that is not in here yet; zero when all are
     */
    record Report(
            List<Row> rows, BigDecimal totalUsd, @Nullable String next, Duration behind) {
        public Report {
            rows = List.copyOf(rows);
        }
    }

    /** Too many ask at once. */
    final class Busy extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Busy() {
            super("too many reports at once", null, false, false);
        }
    }
}
