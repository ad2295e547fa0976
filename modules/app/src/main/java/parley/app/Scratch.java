package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** What a cluster that lives for a few minutes runs in: a directory, ports and a secret that are nobody else's. */
record Scratch(Path directory) {

    static Scratch create(String name) {
        try {
            return new Scratch(Files.createTempDirectory(name));
        } catch (IOException full) {
            throw new StartFailure("no temporary directory: " + full.getMessage());
        }
    }

    /**
     * Development's settings, with ports that were free a moment ago.
     *
     * @param changes on top
     */
    AppSettings settings(Map<String, Object> changes) {
        var ports = freePorts(5);
        var secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        Config own = ConfigFactory.parseMap(Map.of(
                "parley.gateway.port", ports.get(0),
                "parley.gateway.https.port", ports.get(1),
                "parley.gateway.jwt.secret", HexFormat.of().formatHex(secret),
                "parley.session.link.port", ports.get(2),
                "parley.app.management-port", ports.get(3),
                "pekko.remote.artery.canonical.port", ports.get(4),
                "parley.app.data-directory", directory.toString()));
        var config = ConfigFactory.parseMap(changes)
                .withFallback(own)
                .withFallback(AppSettings.load(Path.of(System.getProperty("parley.home", ".")), "development"))
                .resolve();
        var reading = AppSettings.read(config);
        if (reading.settings() == null) {
            throw new StartFailure("the configuration has errors\n  " + String.join("\n  ", reading.errors()));
        }
        return reading.settings();
    }

    /** Removes the directory; says so when something in it is still in use. */
    void delete() {
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException inUse) {
            System.err.println("parley: left behind: " + directory);
        }
    }

    private static List<Integer> freePorts(int count) {
        var sockets = new ArrayList<ServerSocket>();
        try {
            for (int number = 0; number < count; number++) {
                sockets.add(new ServerSocket(0));
            }
            var ports = sockets.stream().map(ServerSocket::getLocalPort).toList();
            for (var socket : sockets) {
                socket.close();
            }
            return ports;
        } catch (IOException none) {
            throw new StartFailure("no free port: " + none.getMessage());
        }
    }
}
