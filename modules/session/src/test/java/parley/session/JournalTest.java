package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class JournalTest {
    @Test
    void aDatabaseUrlIsReadInFull() {
        assertThat(Journal.at("postgresql://us%40er:p%3Ass+1@db.example:5433/parley?sslmode=require"))
                .isEqualTo(new Journal(
                        "jdbc:postgresql://db.example:5433/parley?sslmode=require&logServerErrorDetail=false",
                        "us@er",
                        "p:ss+1"));
    }

    @Test
    void thePortAndThePasswordMayBeLeftOut() {
        assertThat(Journal.at("postgres://user@db/parley"))
                .isEqualTo(new Journal("jdbc:postgresql://db:5432/parley?logServerErrorDetail=false", "user", ""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "mysql://u:geheim@h/d",
                "postgresql://h/d",
                "postgresql://u:geheim@h",
                "postgresql://u:geheim@h/",
                "postgresql://u:geheim @h/d"
            })
    void aMalformedUrlIsRefusedWithoutRepeatingIt(String url) {
        assertThatThrownBy(() -> Journal.at(url))
                .hasMessage("DATABASE_URL: malformed (expected: postgresql://user:password@host:port/database)");
    }

    /** O4: the driver's complaint about a failed write would hold what people said. */
    @Test
    void theDriverIsToldToKeepQuietAboutWhatItCouldNotWriteWhateverTheUrlSays() {
        assertThat(Journal.at("postgresql://user@db/parley?logServerErrorDetail=true")
                        .url())
                .endsWith("&logServerErrorDetail=false");
    }

    @Test
    void thePasswordIsNeverPrinted() {
        var journal = Journal.at("postgresql://user:geheim@db/parley?password=geheim");

        assertThat(journal.toString()).isEqualTo("Journal[postgresql://db:5432/parley]");
    }

    @Test
    void anUnreachableDatabaseIsToldByItsPlace() {
        var journal = Journal.at("postgresql://user:geheim@127.0.0.1:1/parley");

        assertThatThrownBy(journal::migrate)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("database postgresql://127.0.0.1:1/parley: ")
                .hasMessageNotContaining("geheim");
    }

    @Test
    void thePluginsAreChosenWhateverTheOrderOfTheClassPath() {
        var config = Journal.at("postgresql://user:geheim@db/parley").config();

        assertThat(config.getString("pekko.persistence.journal.plugin")).isEqualTo("jdbc-journal");
        assertThat(config.getString("pekko.persistence.snapshot-store.plugin")).isEqualTo("jdbc-snapshot-store");
        assertThat(config.getString("jdbc-journal.use-shared-db")).isEqualTo("slick");
        assertThat(config.getString("pekko.cluster.sharding.passivation.strategy"))
                .isEqualTo("none");
    }
}
