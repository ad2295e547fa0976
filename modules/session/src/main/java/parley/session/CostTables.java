package parley.session;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The costs, read from the projections' tables: each report on a connection of its own, two at a time, with a few more
 * waiting. A page, its total and how old it is are of one moment.
 */
final class CostTables implements Costs, AutoCloseable {
    private static final Duration QUERY = Duration.ofSeconds(10);
    private static final int AT_A_TIME = 2;
    private static final int WAITING = 8;

    private static final String TOTAL = """
            SELECT coalesce(sum(cost_micros), 0) FROM costs
            WHERE day BETWEEN ? AND ? AND (?::text IS NULL OR tenant = ?)""";
    private static final String BEHIND = "SELECT max(behind_seconds) FROM projection_lag";

    private final Journal journal;
    private final ThreadPoolExecutor threads = new ThreadPoolExecutor(
            AT_A_TIME,
            AT_A_TIME,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(WAITING),
            Thread.ofPlatform().daemon().name("cost-report-", 0).factory());

    CostTables(Journal journal) {
        this.journal = journal;
        threads.allowCoreThreadTimeOut(true);
    }

    @Override
    public CompletionStage<Report> report(Question question) {
        var report = new CompletableFuture<Report>();
        try {
            threads.execute(() -> {
                try {
                    report.complete(read(question));
                } catch (SQLException | RuntimeException failed) {
                    report.completeExceptionally(failed);
                }
            });
        } catch (RejectedExecutionException full) {
            report.completeExceptionally(new Busy());
        }
        return report;
    }

    private Report read(Question question) throws SQLException {
        try (var connection = journal.connect(QUERY)) {
            connection.setReadOnly(true);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setAutoCommit(false);
            var rows = rows(connection, question);
            boolean more = rows.size() > question.rows();
            var page = more ? rows.subList(0, question.rows()) : rows;
            var report = new Report(
                    page, total(connection, question), more ? page.getLast().key() : null, behind(connection));
            connection.commit();
            return report;
        }
    }

    private static List<Row> rows(Connection connection, Question question) throws SQLException {
        try (var query = connection.prepareStatement(rowsBy(question.by()))) {
            int next = where(query, question);
            query.setString(next, question.after());
            query.setString(next + 1, question.after());
            query.setInt(next + 2, question.rows() + 1);
            var rows = new ArrayList<Row>();
            try (var found = query.executeQuery()) {
                while (found.next()) {
                    rows.add(row(found));
                }
            }
            return rows;
        }
    }

    /** In the order of code points, whatever the database's locale: it is the cursor's. */
    private static String rowsBy(By by) {
        var key = switch (by) {
            case DAY -> "day::text COLLATE \"C\"";
            case TENANT -> "tenant COLLATE \"C\"";
            case SESSION -> "session COLLATE \"C\"";
        };
        return """
                SELECT %s, %s, count(DISTINCT session), sum(text_in), sum(text_cached), sum(audio_in), sum(audio_cached),
                  sum(image_in), sum(image_cached), sum(text_out), sum(audio_out), sum(transcribed_seconds),
                  sum(cost_micros)
                FROM costs
                WHERE day BETWEEN ? AND ? AND (?::text IS NULL OR tenant = ?) AND (?::text IS NULL OR %s > ?)
                GROUP BY 1 ORDER BY 1 LIMIT ?""".formatted(key, by == By.SESSION ? "min(tenant)" : "NULL", key);
    }

    /** @return the number of the next parameter */
    private static int where(PreparedStatement query, Question question) throws SQLException {
        query.setObject(1, question.from());
        query.setObject(2, question.to());
        query.setString(3, question.tenant());
        query.setString(4, question.tenant());
        return 5;
    }

    private static Row row(ResultSet found) throws SQLException {
        return new Row(
                found.getString(1),
                found.getString(2),
                found.getLong(3),
                found.getLong(4),
                found.getLong(5),
                found.getLong(6),
                found.getLong(7),
                found.getLong(8),
                found.getLong(9),
                found.getLong(10),
                found.getLong(11),
                found.getDouble(12),
                usd(found.getBigDecimal(13)));
    }

    private static BigDecimal total(Connection connection, Question question) throws SQLException {
        try (var query = connection.prepareStatement(TOTAL)) {
            where(query, question);
            try (var sum = query.executeQuery()) {
                sum.next();
                return usd(sum.getBigDecimal(1));
            }
        }
    }

    private static Duration behind(Connection connection) throws SQLException {
        try (var query = connection.prepareStatement(BEHIND);
                var age = query.executeQuery()) {
            age.next();
            return Duration.ofMillis(Math.round(age.getDouble(1) * 1000));
        }
    }

    private static BigDecimal usd(BigDecimal micros) {
        return micros.movePointLeft(6).setScale(6);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
