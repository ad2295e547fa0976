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
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import parley.provider.simulator.Simulator;
import parley.wire.Loops;

/**
 * A real cluster on one machine: a JVM per node, with the same ports on addresses of their own, one database and, without
 * a provider's key, one simulator, which live in this process.
 *
 * <p>Nodes can be stopped, killed, frozen and started again, one at a time, by one thread.
 */
final class LocalCluster implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration STOP = Duration.ofSeconds(40);

    /**
     * Where a node runs.
     *
     * @param prefix what its command line begins with, such as {@code ip netns exec n1}
     * @param environment on top of what every node gets
     */
    record Place(String host, List<String> prefix, Map<String, String> environment) {
        Place {
            prefix = List.copyOf(prefix);
            environment = Map.copyOf(environment);
        }

        /** 127.0.0.1, .2, .3 … */
        static List<Place> onLoopback(int count, Map<String, String> environment) {
            return IntStream.rangeClosed(1, count)
                    .mapToObj(number -> new Place("127.0.0." + number, List.of(), environment))
                    .toList();
        }
    }

    private final AppSettings settings;
    private final List<Place> places;
    private final BiConsumer<String, String> output;
    private final @Nullable EmbeddedDatabase database;
    private final @Nullable Loops loops;
    private final @Nullable Simulator simulator;
    /** In the order of the places. */
    private final List<Process> nodes = new ArrayList<>();

    private LocalCluster(AppSettings settings, List<Place> places, BiConsumer<String, String> output, Started started) {
        this.settings = settings;
        this.places = List.copyOf(places);
        this.output = output;
        this.database = settings.journal() == null ? started.add(EmbeddedDatabase.start(settings.data())) : null;
        this.loops = settings.simulated() ? started.add(Loops.create(0)) : null;
        this.simulator = loops == null ? null : started.add(Simulator.start(settings.simulator(), loops));
    }

    /**
     * Returns when every node on 127.0.0.1, .2, .3 … takes calls, and has printed the banner.
     *
     * @param started gets each part as it comes up, the nodes among them
     */
    static LocalCluster start(AppSettings settings, int count, long began, Started started) {
        var places = Place.onLoopback(count, Map.of());
        var cluster = start(settings, places, (host, line) -> System.out.println(host + "  " + line), started);
        System.out.println(Banner.cluster(
                settings, places.stream().map(Place::host).toList(), Duration.ofNanos(System.nanoTime() - began)));
        for (int number = 0; number < count; number++) {
            System.out.printf(
                    "  %-14s  process %d%n",
                    places.get(number).host(), cluster.nodes.get(number).pid());
        }
        return cluster;
    }

    /**
     * Returns when every node takes calls.
     *
     * @param output gets what the nodes say, with their address; from several threads
     * @param started gets each part as it comes up, the nodes among them
     */
    static LocalCluster start(
            AppSettings settings, List<Place> places, BiConsumer<String, String> output, Started started) {
        try {
            var cluster = new LocalCluster(settings, places, output, started);
            var ready = new ArrayList<CompletableFuture<Void>>();
            for (int number = 0; number < places.size(); number++) {
                // The others join through the first: it has to be there. Those whom the platform tells of each other
                // wait.
                if (number == 1 && !isDiscovered(places)) await(ready.getFirst());
                var process = cluster.spawn(number, List.of(places.getFirst()));
                started.add(() -> terminate(process));
                cluster.nodes.add(process);
                ready.add(cluster.relayOutput(process, places.get(number).host()));
            }
            ready.forEach(LocalCluster::await);
            return cluster;
        } catch (CompletionException | IOException failed) {
            started.close();
            throw new StartFailure("a node did not start; what it said stands above");
        }
    }

    private static boolean isDiscovered(List<Place> places) {
        return places.getFirst().environment().containsKey("PARLEY_DISCOVERY");
    }

    /** The nodes' processes, in the order of their addresses. */
    List<ProcessHandle> nodes() {
        return nodes.stream().map(Process::toHandle).toList();
    }

    /** Whether the node's process is there, frozen or not. */
    boolean isRunning(int number) {
        return nodes.get(number).isAlive();
    }

    /** Tells the node to leave, and returns when it has; false when it took too long and was ended. */
    boolean stop(int number, Duration atMost) {
        terminate(nodes.get(number));
        return ended(nodes.get(number), atMost);
    }

    /** Ends the node as a crash would, and returns when it is gone. */
    void kill(int number) {
        nodes.get(number).destroyForcibly();
        ended(nodes.get(number), STOP);
    }

    /** The node stands still: its sockets stay open, and nobody answers. */
    void freeze(int number) {
        Signals.freeze(nodes.get(number).toHandle());
    }

    void thaw(int number) {
        Signals.thaw(nodes.get(number).toHandle());
    }

    /** Starts a node that has ended, into the cluster of the others, and returns when it takes calls. */
    void restart(int number) {
        var others = new ArrayList<>(places);
        others.add(others.remove(number));
        try {
            var process = spawn(number, others);
            nodes.set(number, process);
            await(relayOutput(process, places.get(number).host()));
        } catch (CompletionException | IOException failed) {
            throw new StartFailure("node " + places.get(number).host() + " did not start again");
        }
    }

    /** The nodes leave together, then what they share is stopped. */
    @Override
    public void close() {
        nodes.forEach(LocalCluster::terminate);
        nodes.forEach(node -> ended(node, STOP));
        if (simulator != null) {
            simulator.close();
        }
        if (loops != null) {
            loops.close();
        }
        if (database != null) {
            database.close();
        }
    }

    /** SIGTERM. What the process says while it leaves is still heard, which {@link Process#destroy} would put an end to. */
    private static void terminate(Process node) {
        node.toHandle().destroy();
    }

    private static boolean ended(Process node, Duration atMost) {
        try {
            if (node.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
                return true;
            }
            node.destroyForcibly().waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            node.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private static void await(CompletableFuture<Void> ready) {
        ready.orTimeout(START.toSeconds(), TimeUnit.SECONDS).join();
    }

    private Process spawn(int number, List<Place> seeds) throws IOException {
        var place = places.get(number);
        var command = new ArrayList<>(place.prefix());
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // The same virtual machine as this one, its options included.
        command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.add("-Dparley.home="
                + Path.of(System.getProperty("parley.home", ".")).toAbsolutePath());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "run"));
        var process = new ProcessBuilder(command).redirectErrorStream(true);
        Map<String, String> environment = process.environment();
        environment.put("PARLEY_HOST", place.host());
        environment.put("PARLEY_PARENT", Long.toString(ProcessHandle.current().pid()));
        environment.put(
                "PARLEY_SEEDS",
                seeds.stream()
                        .map(seed -> seed.host() + ":" + settings.clusterPort())
                        .collect(Collectors.joining(",")));
        environment.put("PARLEY_HTTP_PORT", Integer.toString(settings.gateway().port()));
        environment.put("PARLEY_HTTPS_PORT", Integer.toString(settings.gateway().httpsPort()));
        environment.put("PARLEY_MANAGEMENT_PORT", Integer.toString(settings.managementPort()));
        environment.put("PARLEY_ARTERY_PORT", Integer.toString(settings.clusterPort()));
        environment.put("PARLEY_LINK_PORT", Integer.toString(settings.session().linkPort()));
        environment.put("PARLEY_DATA_DIR", settings.data().toString());
        environment.put("JWT_SECRET", settings.gateway().tokens().secret());
        if (settings.gateway().apiToken() != null) {
            environment.put("VOICE_API_TOKEN", settings.gateway().apiToken());
        }
        if (database != null) {
            environment.put("DATABASE_URL", database.url());
        }
        if (simulator != null) {
            environment.put("PARLEY_PROVIDER_URL", simulator.baseUrl().toString());
            environment.put("REALTIME_API_MODEL", "simulator");
        }
        environment.putAll(place.environment());
        return process.start();
    }

    /** Tells what the node says, until its banner; completes when it is ready, fails when it ends before. */
    private CompletableFuture<Void> relayOutput(Process process, String host) {
        var ready = new CompletableFuture<Void>();
        Thread.ofVirtual().start(() -> {
            try (var lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                boolean banner = false;
                for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                    // The cluster's own banner says what the node's would.
                    banner = line.startsWith("parley ready") || (banner && line.startsWith("  "));
                    if (!banner) {
                        output.accept(host, line);
                    } else if (line.startsWith("parley ready")) {
                        ready.complete(null);
                    }
                }
                output.accept(host, "ended");
            } catch (IOException ended) {
                // The pipe breaks when the node is killed; its exit says so.
            }
            ready.completeExceptionally(new IOException("node " + host + " ended"));
        });
        return ready;
    }
}
