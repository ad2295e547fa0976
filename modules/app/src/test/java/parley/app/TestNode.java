package parley.app;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;

/**
 * A whole node for tests: gateway, sessions, PostgreSQL, simulator, in this process on free ports of 127.0.0.1.
 *
 * <p>{@link #shared} is started once per JVM and ends with it; a test that changes settings starts its own.
 */
final class TestNode implements AutoCloseable {
    private static final String SECRET = "a-secret-that-only-tests-know-0123456789";

    private final Node node;
    private final Path data;

    private TestNode(Node node, Path data) {
        this.node = node;
        this.data = data;
    }

    /** The node of this JVM. */
    static TestNode shared() {
        return Shared.NODE;
    }

    /** A node of its own, with these settings over development's. */
    static TestNode start(Map<String, ?> overrides) {
        try {
            return start(overrides, Files.createTempDirectory("parley-test"));
        } catch (IOException full) {
            throw new UncheckedIOException(full);
        }
    }

    /** A node on the data of an earlier one. */
    static TestNode start(Map<String, ?> overrides, Path data) {
        var config = ConfigFactory.parseMap(overrides)
                .withFallback(ConfigFactory.parseMap(Map.ofEntries(
                        Map.entry("parley.gateway.port", 0),
                        Map.entry("parley.gateway.https.port", 0),
                        Map.entry("parley.gateway.jwt.secret", SECRET),
                        Map.entry("parley.session.link.port", 0),
                        // Over all loops, so that what crosses from one to another does so in the tests.
                        Map.entry("parley.wire.loops.sockets", 1),
                        // A caller may say nothing for the length of a test.
                        Map.entry("parley.wire.ping-interval", "10m"),
                        Map.entry("parley.wire.pong-timeout", "10m"),
                        Map.entry("parley.app.management-port", 0),
                        Map.entry("parley.app.data-directory", data.toString()),
                        Map.entry(
                                "parley.gateway.https.development-certificates",
                                data.resolve("tls").toString()),
                        Map.entry("parley.app.simulated", true),
                        Map.entry("parley.provider.name", "simulator"),
                        Map.entry("parley.provider.model", "simulator"),
                        Map.entry("pekko.remote.artery.canonical.port", 0))))
                .withFallback(AppSettings.load(home(), "development"));
        var reading = AppSettings.read(config.resolve());
        if (reading.settings() == null) {
            throw new IllegalStateException(String.join("; ", reading.errors()));
        }
        return new TestNode(Node.start(reading.settings(), new Started()), data);
    }

    Node node() {
        return node;
    }

    Path data() {
        return data;
    }

    /** {@code ws://127.0.0.1:port} and this path. */
    URI ws(String path) {
        return URI.create("ws://127.0.0.1:" + node.gateway().address().getPort() + path);
    }

    URI http(String path) {
        return URI.create("http://127.0.0.1:" + node.gateway().address().getPort() + path);
    }

    URI https(String path) {
        return URI.create("https://127.0.0.1:" + node.gateway().secureAddress().getPort() + path);
    }

    Path certificate() {
        return node.settings().gateway().developmentCertificates().resolve("certificate.pem");
    }

    String token(String user) {
        return token(user, Duration.ofMinutes(15));
    }

    String token(String user, Duration life) {
        return Gateway.tokens(node.settings().gateway())
                .sign(new Tokens.Bearer(new CallerId(user, "default"), List.of()), life);
    }

    @Override
    public void close() {
        node.close();
    }

    /** The directory that holds cluster-config. */
    static Path home() {
        var here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("cluster-config"))) {
            here = here.getParent();
        }
        return here;
    }

    private static final class Shared {
        private static final TestNode NODE = start(Map.of());

        static {
            Runtime.getRuntime().addShutdownHook(new Thread(NODE::close));
        }
    }
}
