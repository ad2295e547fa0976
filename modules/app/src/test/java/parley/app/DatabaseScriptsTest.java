package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import parley.session.Journal;

/**
 * O8: on a real PostgreSQL, what wrote to the tables before a change goes on writing after it, and each change is taken
 * back and made again. With {@code psql} of the machine.
 */
@Tag("cluster")
@Execution(ExecutionMode.CONCURRENT)
class DatabaseScriptsTest {
    /** In a database that several tests use, one after the other. */
    private static long number = 1;

    @TempDir
    private Path directory;

    private static EmbeddedPostgres postgres() throws IOException {
        return EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start();
    }

    private static String url(EmbeddedPostgres postgres) {
        return "postgresql://postgres:postgres@127.0.0.1:" + postgres.getPort() + "/postgres";
    }

    private static Connection connect(EmbeddedPostgres postgres) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:" + url(postgres).replace("postgres:postgres@", ""), "postgres", "postgres");
    }

    /** The tables as a release of that form leaves them. */
    private static Flyway form(EmbeddedPostgres postgres, String version) {
        var flyway = Flyway.configure()
                .dataSource(postgres.getPostgresDatabase())
                .locations("classpath:parley/session/migrations")
                .table("session_migrations")
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .target(version);
        flyway.getConfigurationExtension(PostgreSQLConfigurationExtension.class).setTransactionalLock(false);
        return flyway.load();
    }

    @Test
    void eachChangeLetsTheReleaseBeforeItWriteAndIsTakenBack() throws Exception {
        try (var postgres = postgres()) {
            var versions = new ArrayList<String>();
            for (MigrationInfo info : form(postgres, "latest").info().all()) {
                if (info.getVersion() != null && !info.getVersion().toString().equals("0")) {
                    versions.add(info.getVersion().toString());
                }
            }
            form(postgres, versions.getFirst()).migrate();
            for (int at = 1; at < versions.size(); at++) {
                var before = versions.get(at - 1);
                var after = versions.get(at);
                try (var connection = connect(postgres)) {
                    var known = columns(connection);
                    var form = snapshot(connection);
                    write(connection, known);

                    form(postgres, after).migrate();
                    var changed = snapshot(connection);
                    write(connection, known);
                    var back = new Script("db-step-back.sh")
                            .with("DATABASE_URL", url(postgres))
                            .run("--yes");

                    assertThat(back.output()).as("back from %s", after).contains("the tables are of form " + before);
                    assertThat(back.code()).isZero();
                    assertThat(snapshot(connection))
                            .as("after %s was taken back", after)
                            .isEqualTo(form);
                    write(connection, known);
                    form(postgres, after).migrate();
                    assertThat(snapshot(connection)).as("%s made again", after).isEqualTo(changed);
                }
            }
            // What a node does at its start changes nothing any more.
            try (var connection = connect(postgres)) {
                var whole = snapshot(connection);
                Journal.at(url(postgres)).migrate();
                assertThat(snapshot(connection)).isEqualTo(whole);
                assertThat(rows(connection, "event_journal")).isGreaterThan(2L * versions.size());
            }
            refusals(postgres);
        }
    }

    private static void refusals(EmbeddedPostgres postgres) throws Exception {
        var script = new Script("db-step-back.sh").with("DATABASE_URL", url(postgres));
        var said = script.run();
        var upwards = script.run("--to", "99");
        var nowhere = new Script("db-step-back.sh")
                .with("DATABASE_URL", "postgresql://postgres:wrong-word@127.0.0.1:1/none")
                .run();
        var malformed =
                new Script("db-step-back.sh").with("DATABASE_URL", "mysql://x").run();

        assertThat(said.output()).contains("would take V", "(say --yes)");
        assertThat(said.code()).isZero();
        assertThat(upwards.output()).contains("(expected: --to below it)");
        assertThat(upwards.code()).isEqualTo(1);
        assertThat(nowhere.code()).isEqualTo(1);
        assertThat(nowhere.output()).doesNotContain("wrong-word");
        assertThat(malformed.output()).contains("DATABASE_URL: malformed");
        assertThat(malformed.code()).isEqualTo(2);
    }

    /** Tables that a release writes to, with the columns it knows and their types. */
    private static Map<String, Map<String, String>> columns(Connection connection) throws SQLException {
        var tables = new LinkedHashMap<String, Map<String, String>>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT c.table_name, c.column_name, c.data_type FROM"
                        + " information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
                        + " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_nullable = 'NO'"
                        + " AND c.column_default IS NULL AND c.table_name <> 'session_migrations'"
                        + " ORDER BY c.table_name <> 'event_journal', c.table_name, c.ordinal_position")) {
            while (rows.next()) {
                tables.computeIfAbsent(rows.getString(1), table -> new LinkedHashMap<>())
                        .put(rows.getString(2), rows.getString(3));
            }
        }
        return tables;
    }

    /** A row into each, of nothing but the columns that were known. */
    private static void write(Connection connection, Map<String, Map<String, String>> tables) throws SQLException {
        try (var statement = connection.createStatement()) {
            for (var table : tables.entrySet()) {
                long unique = number++;
                var values = table.getValue().entrySet().stream()
                        .map(column -> value(table.getKey(), column.getKey(), column.getValue(), unique))
                        .toList();
                statement.execute("INSERT INTO " + table.getKey() + " ("
                        + String.join(", ", table.getValue().keySet()) + ") VALUES (" + String.join(", ", values)
                        + ")");
            }
        }
    }

    private static String value(String table, String column, String type, long unique) {
        if (table.equals("event_tag") && column.equals("event_id")) {
            return "(SELECT max(ordering) FROM event_journal)";
        }
        return switch (type) {
            case "bigint", "integer", "numeric", "double precision" -> Long.toString(unique);
            case "boolean" -> "false";
            case "bytea" -> "'\\x00'";
            case "date", "timestamp with time zone" -> "now()";
            default -> type.startsWith("character") || type.equals("text") ? "'" + unique % 1000 + "'" : "NULL";
        };
    }

    /** Everything that a change of the tables may change: tables, columns, indexes, views. */
    private static SortedSet<String> snapshot(Connection connection) throws SQLException {
        var all = new TreeSet<String>();
        for (var query : List.of(
                "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' ||"
                        + " coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'",
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
                "SELECT viewname || ' ' || definition FROM pg_views WHERE schemaname = 'public'",
                "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
                        + " WHERE connamespace = 'public'::regnamespace")) {
            try (var statement = connection.createStatement();
                    var rows = statement.executeQuery(query)) {
                while (rows.next()) {
                    all.add(rows.getString(1));
                }
            }
        }
        return all;
    }

    private static long rows(Connection connection, String table) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT count(*) FROM " + table)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    /** A backup wants {@code pg_dump} of the server's own version: the machine's PostgreSQL, where it has one. */
    @Test
    void aBackupIsReadAgainAndRestored() throws Exception {
        var programs = MachinePostgres.programs();
        Assumptions.assumeTrue(programs.isPresent(), "this machine has no PostgreSQL server");
        try (var postgres = MachinePostgres.start(programs.get(), directory)) {
            Journal.at(postgres.url("postgres")).migrate();
            try (var connection = DriverManager.getConnection(postgres.jdbc("postgres"))) {
                write(connection, columns(connection));
            }
            var out = directory.resolve("calls.dump");
            var made = new Script("db-backup.sh")
                    .with("DATABASE_URL", postgres.url("postgres"))
                    .run("--out", out.toString());
            var twice = new Script("db-backup.sh")
                    .with("DATABASE_URL", postgres.url("postgres"))
                    .run("--out", out.toString());
            try (var connection = DriverManager.getConnection(postgres.jdbc("postgres"));
                    var statement = connection.createStatement()) {
                statement.execute("CREATE DATABASE other");
            }
            var restored = new Script("db-backup.sh")
                    .with("DATABASE_URL", postgres.url("other"))
                    .run("--restore", out.toString());
            var notEmpty = new Script("db-backup.sh")
                    .with("DATABASE_URL", postgres.url("other"))
                    .run("--restore", out.toString());

            assertThat(made.output()).contains(" tables, ", out.toString());
            assertThat(made.code()).isZero();
            assertThat(Files.getPosixFilePermissions(out)).hasSize(2);
            assertThat(twice.code()).isEqualTo(2);
            assertThat(restored.code()).as(restored.output()).isZero();
            try (var was = DriverManager.getConnection(postgres.jdbc("postgres"));
                    var is = DriverManager.getConnection(postgres.jdbc("other"))) {
                assertThat(snapshot(is)).isEqualTo(snapshot(was));
                assertThat(rows(is, "event_journal")).isEqualTo(1);
            }
            assertThat(notEmpty.output()).contains("is not empty");
            assertThat(notEmpty.code()).isEqualTo(1);
        }
    }
}
