package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;
import parley.load.BargeIn;
import parley.provider.simulator.SimulatorMain;

/** The command line: see {@link #HELP}. */
public final class Main {
    private static final String HELP = """
            usage: scripts/parley <command> [options]

              run [--nodes N]    one node, or N of them on 127.0.0.1, .2, .3 …; until Ctrl-C
              token --user U [--tenant T] [--role R] [--ttl 15m]
                                 a caller's token, or an operator's, signed with JWT_SECRET or development's secret
              check-config [--strict]
                                 every error and warning of the configuration at once; ends with 1 when there
                                 is an error, with --strict also when there is a warning
              load --help        many callers at once, and what they heard
              barge-in --help    how fast the agent falls silent when the caller speaks
              chaos --help       what becomes of many conversations when something breaks
              simulator [--port P]
                                 the simulated provider alone
              warm               lets the virtual machine learn what a node loads and compiles: from then on
                                 nodes start in less than half the time (JDK 25 or newer, half a minute)

            Settings come from cluster-config/<PARLEY_ENV>.conf (development when unset) and the environment;
            docs/configuration.md lists them.""";

    private static final String TOKEN_HELP = """
            usage: scripts/parley token --user U [options]

              --user U      the user's id: the token's sub
              --tenant T    default when left out
              --role R      viewer, operator or admin, for the admin page and API; none for a caller
              --ttl 15m     how long it is good: a number and s, m, h or d

            Prints a token, signed with JWT_SECRET, or development's own secret.""";

    private static final Set<String> HELP_OPTIONS = Set.of("--help", "-h", "help");

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        var command = arguments.length == 0 ? "help" : arguments[0];
        var rest = arguments.length == 0 ? arguments : Arrays.copyOfRange(arguments, 1, arguments.length);
        try {
            switch (command) {
                case "run" -> {
                    var options = Options.parse(rest, "nodes");
                    LibraryOutput.inLog(() -> run(options));
                }
                case "token" -> token(rest);
                case "check-config" -> checkConfig(List.of(rest));
                case "load" -> parley.load.Main.main(rest);
                case "barge-in" -> BargeIn.main(rest);
                case "chaos" -> System.exit(Chaos.run(List.of(rest)));
                case "simulator" -> SimulatorMain.main(rest);
                case "warm" -> WarmUp.run();
                case "help", "--help", "-h" -> System.out.println(HELP);
                default -> throw new StartFailure("command: " + command + " (expected: one of these)\n\n" + HELP);
            }
        } catch (StartFailure failure) {
            System.err.println("parley: " + failure.getMessage());
            System.exit(1);
        }
    }

    private static void run(Options options) {
        int nodes = options.number("nodes", 1, 1, 9);
        var began = System.nanoTime();
        var settings = valid();
        var started = new Started();
        var logs = Logs.begin(settings);
        var running = new AtomicReference<AutoCloseable>(started);
        var stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(running.get(), logs, stopped), "parley-shutdown"));
        SecondSignal.halts();
        endWithParent();
        running.set(
                nodes == 1 ? startNode(settings, began, started) : LocalCluster.start(settings, nodes, began, started));
        try {
            stopped.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void stop(AutoCloseable running, AutoCloseable logs, CountDownLatch stopped) {
        try (logs) {
            running.close();
        } catch (Exception late) {
            System.err.println("parley: not stopped cleanly: " + late);
        } finally {
            stopped.countDown();
        }
    }

    /** What another process started ends with it, however that one ends. */
    static void endWithParent() {
        var parent = System.getenv("PARLEY_PARENT");
        if (parent != null && parent.matches("\\d{1,18}")) {
            ProcessHandle.of(Long.parseLong(parent))
                    .ifPresentOrElse(process -> process.onExit().thenRun(() -> System.exit(0)), () -> System.exit(0));
        }
    }

    private static Node startNode(AppSettings settings, long began, Started started) {
        var node = Node.start(settings, started);
        System.out.println(Banner.of(settings, node.gateway(), Duration.ofNanos(System.nanoTime() - began)));
        node.onRemoved(() -> {
            System.err.println(
                    "parley: the cluster went on without this node, which was cut off from it; it ends, to be"
                            + " started again");
            System.exit(1);
        });
        return node;
    }

    private static void token(String[] arguments) {
        if (arguments.length > 0 && HELP_OPTIONS.contains(arguments[0])) {
            System.out.println(TOKEN_HELP);
            return;
        }
        var options = Options.parse(arguments, "user", "tenant", "role", "ttl");
        var user = options.text("user", "");
        if (user.isEmpty()) {
            throw new StartFailure("--user: missing (expected: the user's id)");
        }
        var role = options.text("role", "");
        if (!role.isEmpty() && !List.of("viewer", "operator", "admin").contains(role)) {
            throw new StartFailure("--role: " + role + " (expected: viewer, operator or admin; none for a caller)");
        }
        var bearer = new Tokens.Bearer(
                new CallerId(user, options.text("tenant", "default")), role.isEmpty() ? List.of() : List.of(role));
        System.out.println(Gateway.tokens(valid().gateway()).sign(bearer, options.duration("ttl", "15m")));
    }

    private static void checkConfig(List<String> options) {
        if (!List.of(List.of(), List.of("--strict")).contains(options)) {
            throw new StartFailure("option: " + String.join(" ", options) + " (expected: --strict, or none)");
        }
        var reading = read();
        reading.errors().forEach(error -> System.out.println("error    " + error));
        reading.warnings().forEach(warning -> System.out.println("warning  " + warning));
        if (!reading.errors().isEmpty()) {
            throw new StartFailure(count(reading.errors().size(), "error"));
        }
        if (!options.isEmpty() && !reading.warnings().isEmpty()) {
            throw new StartFailure(count(reading.warnings().size(), "warning") + ", which --strict refuses");
        }
        System.out.println("configuration is valid for " + environment());
    }

    private static String count(int number, String word) {
        return number + " " + word + (number == 1 ? "" : "s");
    }

    private static AppSettings.Reading read() {
        return AppSettings.read(config(), Variables.of(home(), environment()), System.getenv(), Clock.systemUTC());
    }

    private static Path home() {
        return Path.of(System.getProperty("parley.home", "."));
    }

    private static AppSettings valid() {
        var reading = read();
        reading.warnings().forEach(warning -> System.err.println("parley: warning: " + warning));
        if (reading.settings() == null) {
            throw new StartFailure("the configuration has errors\n  " + String.join("\n  ", reading.errors()));
        }
        return reading.settings();
    }

    /** The environment's file, and what follows from what is not set. */
    static Config config() {
        var config = AppSettings.load(home(), environment());
        var changes = new java.util.HashMap<String, Object>();
        // A configuration kill: any one of the three switches a node off, whatever the others say.
        if (ConfigRules.isSwitchedOff(System.getenv())) {
            changes.put("parley.admission.node-off", true);
        }
        var seeds = System.getenv("PARLEY_SEEDS");
        if (seeds != null && !seeds.isBlank()) {
            changes.put(
                    "pekko.cluster.seed-nodes",
                    Arrays.stream(seeds.split(","))
                            .map(seed -> "pekko://parley@" + seed.strip())
                            .toList());
        }
        boolean simulated =
                config.getString("parley.provider.api-keys").isEmpty() && !config.hasPath("parley.app.provider-url");
        changes.put("parley.app.simulated", simulated);
        if (simulated) {
            changes.put("parley.provider.name", "simulator");
            changes.put("parley.provider.model", "simulator");
        }
        if (!config.getBoolean("parley.gateway.production")) {
            var data = Path.of(config.getString("parley.app.data-directory"));
            Map.of(
                            "parley.gateway.jwt.secret", "jwt",
                            "parley.gateway.api-token", "api-token",
                            "parley.gateway.ws.token", "ws-token")
                    .forEach((key, name) -> {
                        if (config.getString(key).isEmpty()) {
                            changes.put(key, Secrets.development(data, name));
                        }
                    });
        }
        return override(config, changes);
    }

    static Config override(Config config, Map<String, Object> changes) {
        var changed = config;
        for (var change : changes.entrySet()) {
            changed = changed.withValue(change.getKey(), ConfigValueFactory.fromAnyRef(change.getValue()));
        }
        return changed.withFallback(ConfigFactory.empty());
    }

    static String environment() {
        var environment = System.getenv("PARLEY_ENV");
        return environment == null || environment.isEmpty() ? "development" : environment;
    }

    /** {@code --name value} and {@code --name=value}. */
    record Options(Map<String, String> values) {
        static Options parse(String[] arguments, String... known) {
            var values = new java.util.HashMap<String, String>();
            var waiting = new ArrayList<>(List.of(arguments));
            while (!waiting.isEmpty()) {
                var word = waiting.removeFirst();
                int equals = word.indexOf('=');
                var name = equals < 0 ? word : word.substring(0, equals);
                if (!name.startsWith("--") || !List.of(known).contains(name.substring(2))) {
                    throw new StartFailure("option: " + word + " (expected: --" + String.join(", --", known) + ")");
                }
                if (equals < 0 && waiting.isEmpty()) {
                    throw new StartFailure(name + ": no value");
                }
                values.put(name.substring(2), equals < 0 ? waiting.removeFirst() : word.substring(equals + 1));
            }
            return new Options(values);
        }

        String text(String name, String fallback) {
            return values.getOrDefault(name, fallback);
        }

        int number(String name, int fallback, int least, int most) {
            var text = text(name, Integer.toString(fallback));
            if (!text.matches("\\d{1,6}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
                throw new StartFailure("--" + name + ": " + text + " (expected: " + least + ".." + most + ")");
            }
            return Integer.parseInt(text);
        }

        Duration duration(String name, String fallback) {
            var text = text(name, fallback);
            if (!text.matches("[1-9]\\d{0,5}[smhd]")) {
                throw new StartFailure("--" + name + ": " + text + " (expected: a time such as 30s, 15m, 12h or 7d)");
            }
            long number = Long.parseLong(text.substring(0, text.length() - 1));
            return switch (text.charAt(text.length() - 1)) {
                case 's' -> Duration.ofSeconds(number);
                case 'm' -> Duration.ofMinutes(number);
                case 'h' -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        }
    }
}
