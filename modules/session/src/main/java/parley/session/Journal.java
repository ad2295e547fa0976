package parley.session;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.postgresql.Driver;

/**
 * The database that sessions are journaled in.
 *
 * @param url a JDBC URL
 */
public record Journal(String url, String user, String password) {
    /** Locked by the node that changes the tables. Any number that no other program locks in this database. */
    private static final long LOCK = 0x7061726c6578L;

    private static final Duration LOCK_EVERY = Duration.ofMillis(100);
    private static final Duration LOCK_WITHIN = Duration.ofMinutes(10);
    private static final Duration LOCK_ANSWER = Duration.ofSeconds(10);

    /** Reads {@code postgresql://user:password@host:port/database}; its query is passed on to the driver. */
    public static Journal at(String databaseUrl) {
        URI uri;
        try {
            uri = new URI(databaseUrl);
        } catch (URISyntaxException malformed) {
            throw wrong();
        }
        var user = uri.getRawUserInfo();
        if (!("postgresql".equals(uri.getScheme()) || "postgres".equals(uri.getScheme()))
                || uri.getHost() == null
                || user == null
                || uri.getPath() == null
                || uri.getPath().length() < 2) {
            throw wrong();
        }
        int colon = user.indexOf(':');
        // Last, so that it counts: the driver would print the facts it could not write, which are what people said.
        var query = (uri.getRawQuery() == null ? "?" : "?" + uri.getRawQuery() + "&") + "logServerErrorDetail=false";
        return new Journal(
                "jdbc:postgresql://" + uri.getHost() + ":" + (uri.getPort() < 0 ? 5432 : uri.getPort()) + uri.getPath()
                        + query,
                decode(colon < 0 ? user : user.substring(0, colon)),
                colon < 0 ? "" : decode(user.substring(colon + 1)));
    }

    /** Where the database is, for people: no user, no password. */
    public String place() {
        return url.replaceFirst("^jdbc:", "").replaceFirst("\\?.*$", "");
    }

    /** What the actor system's configuration must contain. */
    public Config config() {
        var database = "pekko-persistence-jdbc.shared-databases.slick.db.";
        return ConfigFactory.parseMap(
                        Map.of(database + "url", url, database + "user", user, database + "password", password))
                .withFallback(ConfigFactory.parseResources(Journal.class, "journal.conf"));
    }

    /**
     * A connection of one's own, beside the pool's. Nothing waits longer than {@code timeout} on it, its opening
     * included (that in whole seconds), whatever the URL says.
     */
    Connection connect(Duration timeout) throws SQLException {
        long seconds = Math.max(1, timeout.plusMillis(999).toSeconds());
        var info = new Properties();
        info.setProperty("user", user);
        info.setProperty("password", password);
        // Not through DriverManager: its login timeout is the pool's, for the whole JVM.
        var connection = new Driver()
                .connect(
                        url + (url.contains("?") ? "&" : "?") + "connectTimeout=" + seconds + "&loginTimeout=" + seconds
                                + "&socketTimeout=" + seconds + "&tcpKeepAlive=true",
                        info);
        if (connection == null) {
            throw new SQLException("not a PostgreSQL URL", "08001");
        }
        connection.setNetworkTimeout(Runnable::run, Math.toIntExact(timeout.toMillis()));
        return connection;
    }

    /**
     * Brings the tables to this release's form. Safe to run on every node at once: one does it, the others wait. Nodes of
     * the previous release go on writing meanwhile: indexes are built beside them.
     *
     * @throws IllegalStateException when the database cannot be reached or changed, or somebody has been changing it for
     *     ten minutes; the message is for people
     */
    public void migrate() {
        try (var turn = connect(LOCK_ANSWER)) {
            awaitTurn(turn);
            migrateAlone();
        } catch (SQLException failed) {
            throw new IllegalStateException("database " + place() + ": " + firstLine(failed), failed);
        }
    }

    /** Asked for again and again: who waits in the database keeps an index from being built beside the writers. */
    private void awaitTurn(Connection turn) throws SQLException {
        long until = System.nanoTime() + LOCK_WITHIN.toNanos();
        try (var statement = turn.createStatement()) {
            while (true) {
                try (var answer = statement.executeQuery("SELECT pg_try_advisory_lock(" + LOCK + ")")) {
                    if (answer.next() && answer.getBoolean(1)) {
                        return;
                    }
                }
                if (System.nanoTime() - until > 0) {
                    throw new SQLException("another node has been changing its tables for " + LOCK_WITHIN);
                }
                LockSupport.parkNanos(LOCK_EVERY.toNanos());
            }
        }
    }

    private void migrateAlone() {
        try {
            var flyway = Flyway.configure(getClass().getClassLoader())
                    .dataSource(url, user, password)
                    .locations("classpath:parley/session/migrations")
                    .table("session_migrations")
                    .baselineOnMigrate(true)
                    .baselineVersion("0")
                    .connectRetries(0);
            // An index that is built beside the writers waits for every transaction, so the lock must not be one.
            flyway.getConfigurationExtension(PostgreSQLConfigurationExtension.class)
                    .setTransactionalLock(false);
            flyway.load().migrate();
        } catch (FlywayException failed) {
            Throwable cause = failed;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new IllegalStateException("database " + place() + ": " + firstLine(cause), failed);
        }
    }

    private static String firstLine(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnknownHostException) {
                // The driver says no more than that it failed.
                return "there is no such host";
            }
        }
        return String.valueOf(failure.getMessage()).lines().findFirst().orElse("?");
    }

    /** The password stays out of everything that is printed. */
    @Override
    public String toString() {
        return "Journal[" + place() + "]";
    }

    private static String decode(String part) {
        return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static IllegalArgumentException wrong() {
        return new IllegalArgumentException(
                "DATABASE_URL: malformed (expected: postgresql://user:password@host:port/database)");
    }
}
