package parley.app;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.provider.simulator.Simulator;
import parley.wire.Loops;

/**
 * A real cluster on one machine: a JVM per node on 127.0.0.1, .2, .3 …, with the same ports, one database and, without
 * a provider's key, one simulator, which live in this process.
 */
final class LocalCluster implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration STOP = Duration.ofSeconds(40);

    private final List<Process> nodes;
    private final Loops loops;
    private final @Nullable Simulator simulator;
    private final @Nullable EmbeddedDatabase database;

    private LocalCluster(
            List<Process> nodes, Loops loops, @Nullable Simulator simulator, @Nullable EmbeddedDatabase database) {
        this.nodes = nodes;
        this.loops = loops;
        this.simulator = simulator;
        this.database = database;
    }

    /**
     * Returns when every node takes calls, and has printed the banner.
     *
     * @param started gets each part as it comes up, the nodes among them
     */
    static LocalCluster start(AppSettings settings, int count, long began, Started started) {
        try {
            var database = settings.journal() == null ? started.add(EmbeddedDatabase.start(settings.data())) : null;
            var loops = started.add(Loops.create(0));
            var simulator = settings.simulated() ? started.add(Simulator.start(settings.simulator(), loops)) : null;
            var nodes = new CopyOnWriteArrayList<Process>();
            var cluster = new LocalCluster(nodes, loops, simulator, database);
            var hosts = new ArrayList<String>();
            var ready = new ArrayList<CompletableFuture<Void>>();
            for (int number = 1; number <= count; number++) {
                var host = "127.0.0." + number;
                hosts.add(host);
                var process = spawn(settings, host, simulator, database);
                started.add(process::destroy);
                nodes.add(process);
                ready.add(relayOutput(process, host));
                if (number == 1) {
                    // The others join through the first: it has to be there.
                    ready.getFirst()
                            .orTimeout(START.toSeconds(), TimeUnit.SECONDS)
                            .join();
                }
            }
            CompletableFuture.allOf(ready.toArray(CompletableFuture[]::new))
                    .orTimeout(START.toSeconds(), TimeUnit.SECONDS)
                    .join();
            System.out.println(Banner.cluster(settings, hosts, Duration.ofNanos(System.nanoTime() - began)));
            for (int number = 0; number < count; number++) {
                System.out.printf(
                        "  %-14s  process %d%n",
                        hosts.get(number), nodes.get(number).pid());
            }
            return cluster;
        } catch (CompletionException | IOException failed) {
            started.close();
            throw new StartFailure("a node did not start; what it said stands above");
        }
    }

    /** The nodes' processes, in the order of their addresses. */
    List<ProcessHandle> nodes() {
        return nodes.stream().map(Process::toHandle).toList();
    }

    /** The nodes leave one after the other, then what they share is stopped. */
    @Override
    public void close() {
        for (var node : nodes) {
            node.destroy();
        }
        for (var node : nodes) {
            try {
                if (!node.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
                    node.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (simulator != null) {
            simulator.close();
        }
        loops.close();
        if (database != null) {
            database.close();
        }
    }

    private static Process spawn(
            AppSettings settings, String host, @Nullable Simulator simulator, @Nullable EmbeddedDatabase database)
            throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // The same virtual machine as this one, its options included.
        command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.add("-Dparley.home="
                + Path.of(System.getProperty("parley.home", ".")).toAbsolutePath());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "run"));
        var process = new ProcessBuilder(command).redirectErrorStream(true);
        Map<String, String> environment = process.environment();
        environment.put("PARLEY_HOST", host);
        environment.put("PARLEY_PARENT", Long.toString(ProcessHandle.current().pid()));
        environment.put("PARLEY_SEEDS", "127.0.0.1:" + settings.clusterPort());
        environment.put("PARLEY_HTTP_PORT", Integer.toString(settings.gateway().port()));
        environment.put("PARLEY_HTTPS_PORT", Integer.toString(settings.gateway().httpsPort()));
        environment.put("PARLEY_MANAGEMENT_PORT", Integer.toString(settings.managementPort()));
        environment.put("PARLEY_ARTERY_PORT", Integer.toString(settings.clusterPort()));
        environment.put("PARLEY_LINK_PORT", Integer.toString(settings.session().linkPort()));
        environment.put("PARLEY_DATA_DIR", settings.data().toString());
        environment.put("JWT_SECRET", settings.gateway().jwtSecret());
        if (database != null) {
            environment.put("DATABASE_URL", database.url());
        }
        if (simulator != null) {
            environment.put("PARLEY_PROVIDER_URL", simulator.baseUrl().toString());
            environment.put("REALTIME_API_MODEL", "simulator");
        }
        return process.start();
    }

    /** Prints what the node says under its address, until it is ready; completes then, fails when it ends before. */
    private static CompletableFuture<Void> relayOutput(Process process, String host) {
        var ready = new CompletableFuture<Void>();
        Thread.ofVirtual().start(() -> {
            try (var lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                boolean banner = false;
                for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                    // The cluster's own banner says what the node's would.
                    banner = line.startsWith("parley ready") || (banner && line.startsWith("  "));
                    if (!banner) {
                        System.out.println(host + "  " + line);
                    } else if (line.startsWith("parley ready")) {
                        ready.complete(null);
                    }
                }
                System.out.println(host + "  ended");
            } catch (IOException ended) {
                // The pipe breaks when the node is killed; its exit says so.
            }
            ready.completeExceptionally(new IOException("node " + host + " ended"));
        });
        return ready;
    }
}
