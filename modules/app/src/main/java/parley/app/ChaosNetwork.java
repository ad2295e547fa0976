package parley.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Network namespaces of Linux: one for each node, behind a bridge in another, where this process, the provider and the
 * database are. The machine's own network is not touched. Needs root, {@code ip} and {@code nft}.
 */
final class ChaosNetwork {
    private static final String INSIDE = "PARLEY_CHAOS_NETWORK";
    private static final String NET = "10.78.0.";
    private static final String TABLE = "parley";
    private static final int SECONDS = 10;

    private final String name;
    private final int nodes;

    private ChaosNetwork(String name, int nodes) {
        this.name = name;
        this.nodes = nodes;
    }

    /** The network that this process was started in. */
    static ChaosNetwork around(int nodes) {
        return new ChaosNetwork(String.valueOf(System.getenv(INSIDE)), nodes);
    }

    static boolean isInside() {
        return System.getenv(INSIDE) != null;
    }

    /** Makes a network, runs this same command in it, takes it down again, and returns how the command ended. */
    static int run(List<String> arguments, int nodes) throws InterruptedException {
        requireTools();
        var network = new ChaosNetwork("parley" + ProcessHandle.current().pid(), nodes);
        var down = new Thread(network::down, "network-down");
        Runtime.getRuntime().addShutdownHook(down);
        network.up();
        var command = new ArrayList<>(network.inside(network.bridge()));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "chaos"));
        command.addAll(arguments);
        var builder = new ProcessBuilder(command).inheritIO();
        builder.environment().put(INSIDE, network.name);
        builder.environment()
                .put("PARLEY_PARENT", Long.toString(ProcessHandle.current().pid()));
        try {
            return builder.start().waitFor();
        } catch (IOException failed) {
            throw new StartFailure("ip netns exec: " + failed.getMessage());
        }
    }

    /** Where the nodes run. */
    List<LocalCluster.Place> places(Map<String, String> environment) {
        return IntStream.rangeClosed(1, nodes)
                .mapToObj(number -> new LocalCluster.Place(NET + number, inside(node(number)), environment))
                .toList();
    }

    String providerHost() {
        return NET + 254;
    }

    String databaseHost() {
        return NET + 253;
    }

    /** Nothing passes between this node and the others any more, in silence; nor to and from the database. */
    void cutOff(int number, boolean fromDatabaseToo) {
        var addresses = new ArrayList<String>();
        for (int other = 1; other <= nodes; other++) {
            if (other != number + 1) {
                addresses.add(NET + other);
            }
        }
        if (fromDatabaseToo) {
            addresses.add(databaseHost());
        }
        var those = "{ " + String.join(", ", addresses) + " }";
        must(
                inside(node(number + 1)),
                "nft",
                "table inet " + TABLE + " { chain in { type filter hook input priority 0; ip saddr " + those
                        + " drop; }; chain out { type filter hook output priority 0; ip daddr " + those
                        + " drop; }; }");
    }

    void heal(int number) {
        must(inside(node(number + 1)), "nft", "delete table inet " + TABLE);
    }

    private static void requireTools() {
        if (!"root".equals(System.getProperty("user.name"))) {
            throw new StartFailure("--fault: partition (expected: root, who may make network namespaces)");
        }
        for (var tool : List.of("ip", "nft")) {
            boolean found = List.of(String.valueOf(System.getenv("PATH")).split(":")).stream()
                    .anyMatch(directory -> Files.isExecutable(Path.of(directory, tool)));
            if (!found) {
                throw new StartFailure("--fault: partition (expected: the command " + tool
                        + ", of the packages iproute2 and nftables)");
            }
        }
    }

    private void up() {
        var none = List.<String>of();
        must(none, "ip", "netns", "add", bridge());
        must(none, "ip", "-n", bridge(), "link", "add", "br0", "type", "bridge");
        must(none, "ip", "-n", bridge(), "link", "set", "br0", "up");
        must(none, "ip", "-n", bridge(), "link", "set", "lo", "up");
        must(none, "ip", "-n", bridge(), "addr", "add", providerHost() + "/24", "dev", "br0");
        must(none, "ip", "-n", bridge(), "addr", "add", databaseHost() + "/24", "dev", "br0");
        for (int number = 1; number <= nodes; number++) {
            var node = node(number);
            var port = "p" + number;
            must(none, "ip", "netns", "add", node);
            must(
                    none, "ip", "-n", bridge(), "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns",
                    node);
            must(none, "ip", "-n", bridge(), "link", "set", port, "master", "br0", "up");
            must(none, "ip", "-n", node, "addr", "add", NET + number + "/24", "dev", "eth0");
            must(none, "ip", "-n", node, "link", "set", "eth0", "up");
            must(none, "ip", "-n", node, "link", "set", "lo", "up");
        }
    }

    private void down() {
        for (int number = 1; number <= nodes; number++) {
            run(List.of("ip", "netns", "del", node(number)));
        }
        run(List.of("ip", "netns", "del", bridge()));
    }

    private String bridge() {
        return name + "-switch";
    }

    private String node(int number) {
        return name + "-node" + number;
    }

    private List<String> inside(String namespace) {
        return List.of("ip", "netns", "exec", namespace);
    }

    private static void must(List<String> prefix, String... command) {
        var whole = new ArrayList<>(prefix);
        whole.addAll(List.of(command));
        var said = run(whole);
        if (!said.isEmpty()) {
            throw new StartFailure(String.join(" ", whole) + ": " + said);
        }
    }

    /** Gives what a failed command said, or nothing. */
    private static String run(List<String> command) {
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return "does not end";
            }
            return process.exitValue() == 0 ? "" : said.isEmpty() ? "ended with " + process.exitValue() : said;
        } catch (IOException failed) {
            return String.valueOf(failed.getMessage());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }
}
