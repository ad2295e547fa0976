package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** O5: a start that cannot succeed says why, and what to do, in a line or two. */
@Tag("stream")
class StartFailureTest {
    @Test
    void everyTakenPortIsNamedWithItsVariable() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> TestNode.start(Map.of("parley.gateway.port", taken.getLocalPort())))
                    .isInstanceOf(StartFailure.class)
                    .hasMessageContaining("127.0.0.1:" + taken.getLocalPort() + " (PARLEY_HTTP_PORT)")
                    .hasMessageContaining("end it, or set the variable");
        }
    }

    @Test
    void aDatabaseThatIsNotThereIsNamedWithoutItsPassword() throws IOException {
        int nobody;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = free.getLocalPort();
        }

        assertThatThrownBy(() -> TestNode.start(Map.of(
                        "parley.app.database-url", "postgresql://anna:topsecret@127.0.0.1:" + nobody + "/calls")))
                .isInstanceOf(StartFailure.class)
                .hasMessageStartingWith("database postgresql://127.0.0.1:" + nobody + "/calls:")
                .hasMessageNotContaining("topsecret");
        assertThatThrownBy(() -> TestNode.start(
                        Map.of("parley.app.database-url", "postgresql://anna:topsecret@nowhere.invalid/calls")))
                .isInstanceOf(StartFailure.class)
                .hasMessage("database postgresql://nowhere.invalid:5432/calls: there is no such host");
    }

    /** The first start of a checkout takes minutes: it says how far it is, and what Maven complained of. */
    @Test
    void aBuildSaysHowFarItIsAndWhyItFailed(@TempDir Path checkout) throws Exception {
        var scripts = Files.createDirectory(checkout.resolve("scripts"));
        for (var script : List.of("parley", "find-jdk")) {
            Files.copy(TestNode.home().resolve("scripts").resolve(script), scripts.resolve(script));
        }
        Files.createDirectories(checkout.resolve("modules/app/src/main"));
        Files.createFile(checkout.resolve("pom.xml"));
        Files.createFile(checkout.resolve("modules/app/pom.xml"));
        var mvn = Files.createDirectory(checkout.resolve("bin")).resolve("mvn");
        Files.writeString(mvn, """
                #!/bin/sh
                echo '[INFO] Building wire 0.1.0-SNAPSHOT                                      [3/12]'
                echo '[INFO]   from modules/wire/pom.xml'
                echo '[ERROR] no room on the disk'
                exit 1
                """);
        Files.setPosixFilePermissions(mvn, PosixFilePermissions.fromString("rwxr-xr-x"));

        var ended = new Script(scripts.resolve("parley").toString())
                .with("PATH", mvn.getParent() + ":" + System.getenv("PATH"))
                .run("run");

        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.output()).isEqualTo("""
                parley: building, one to three minutes the first time …
                parley: building 3/12, wire
                [ERROR] no room on the disk
                parley: the build failed
                """);
    }

    @Test
    void everyWrongSettingIsListedAtOnce() {
        var config = ConfigFactory.parseMap(Map.of(
                        "parley.gateway.jwt.secret",
                        "short",
                        "parley.gateway.port",
                        99999,
                        "parley.admission.percentage",
                        120,
                        "parley.session.shards",
                        0,
                        "parley.provider.url",
                        "ftp://example.org",
                        "parley.app.simulated",
                        true))
                .withFallback(AppSettings.load(TestNode.home(), "development"))
                .resolve();

        assertThat(AppSettings.read(config).errors())
                .anyMatch(error -> error.contains("jwt.secret: 5 characters (expected: at least 32"))
                .anyMatch(error -> error.contains("port: 99999 (expected: 0..65535)"))
                .anyMatch(error -> error.contains("percentage: 120 (expected: 0..100)"))
                .anyMatch(error -> error.contains("shards: 0 (expected: 1..4096)"))
                .anyMatch(error -> error.contains("url: ftp://example.org"))
                .noneMatch(error -> error.contains("short"));
    }

    @Test
    void productionRefusesWhatOnlyDevelopmentMayHave() {
        var config = ConfigFactory.parseMap(Map.of(
                        "parley.gateway.jwt.secret", "0123456789012345678901234567890123456789",
                        "parley.gateway.api-token", "0123456789012345678901234567890123456789",
                        "parley.app.simulated", true,
                        "parley.provider.model", "a-model-nobody-priced"))
                .withFallback(AppSettings.load(TestNode.home(), "production"))
                .resolve();

        assertThat(AppSettings.read(config).errors())
                .anyMatch(error -> error.startsWith("OPENAI_API_KEY: not set"))
                .anyMatch(error -> error.startsWith("DATABASE_URL: not set"))
                .anyMatch(error -> error.startsWith("PARLEY_TLS_CERTIFICATE: not set"))
                .anyMatch(error -> error.startsWith("REALTIME_API_MODEL: a-model-nobody-priced has no price"));
    }

    @Test
    void whatDevelopmentMadeIsRefusedByProduction(@TempDir Path data) {
        var made = Secrets.development(data, "api-token");
        var config = ConfigFactory.parseMap(Map.of(
                        "parley.gateway.jwt.secret", made,
                        "parley.gateway.api-token", made,
                        "parley.app.simulated", true))
                .withFallback(AppSettings.load(TestNode.home(), "production"))
                .resolve();

        assertThat(Secrets.development(data, "api-token")).isEqualTo(made);
        assertThat(AppSettings.read(config).errors())
                .anyMatch(error -> error.contains("jwt.secret: one that was made for development"))
                .anyMatch(error -> error.contains("api-token: one that was made for development"))
                .noneMatch(error -> error.contains(made));
    }

    @Test
    void anUnknownEnvironmentIsNamed() {
        assertThatThrownBy(() -> AppSettings.load(Path.of("/nowhere"), "staging"))
                .isInstanceOf(StartFailure.class)
                .hasMessageStartingWith("PARLEY_ENV: staging (expected: a file ");
    }

    @Test
    void anUnknownOptionIsNamedWithTheKnownOnes() {
        assertThatThrownBy(() -> Main.Options.parse(new String[] {"--node", "3"}, "nodes"))
                .hasMessage("option: --node (expected: --nodes)");
        assertThatThrownBy(() ->
                        Main.Options.parse(new String[] {"--nodes=12"}, "nodes").number("nodes", 1, 1, 9))
                .hasMessage("--nodes: 12 (expected: 1..9)");
        assertThatThrownBy(() -> Main.Options.parse(new String[] {"--ttl", "soon"}, "ttl")
                        .duration("ttl", "15m"))
                .hasMessage("--ttl: soon (expected: a time such as 30s, 15m, 12h or 7d)");
    }
}
