package parley.provider.simulator;

import com.typesafe.config.ConfigFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import parley.wire.Loops;

/**
 * The simulator alone: {@code simulator [--port P] [--host H] [switch=value …]}.
 *
 * <p>Prints one line that begins {@code simulator ready} when it listens, and runs until the process is told to end.
 * The settings are those of {@code parley.simulator}, the arguments come on top.
 */
public final class SimulatorMain {

    private static final int WRONG_ARGUMENTS = 2;

    private SimulatorMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        SimulatorSettings settings;
        try {
            settings = settings(List.of(arguments));
        } catch (IllegalArgumentException wrong) {
            System.err.println(wrong.getMessage());
            System.exit(WRONG_ARGUMENTS);
            return;
        }
        run(settings);
    }

    /** Runs until the process ends. */
    static void run(SimulatorSettings settings) throws InterruptedException {
        Simulator simulator;
        try {
            simulator = Simulator.start(settings, Loops.create(0));
        } catch (RuntimeException failed) {
            var cause = failed.getCause() == null ? failed : failed.getCause();
            System.err.println("simulator: cannot listen: " + cause.getMessage());
            System.exit(1);
            return;
        }
        System.out.println("simulator ready " + simulator.url() + "?model=" + settings.defaultModel());
        new CountDownLatch(1).await();
    }

    /** What the arguments make of the configuration. */
    static SimulatorSettings settings(List<String> arguments) {
        Map<String, String> overrides = new HashMap<>();
        var switches = new HashMap<String, String>();
        var rest = new ArrayList<>(arguments);
        while (!rest.isEmpty()) {
            var argument = rest.removeFirst();
            int equals = argument.indexOf('=');
            if ((argument.equals("--port") || argument.equals("--host")) && !rest.isEmpty()) {
                overrides.put("parley.simulator." + argument.substring(2), rest.removeFirst());
            } else if (equals > 0 && !argument.startsWith("-")) {
                switches.put(argument.substring(0, equals), argument.substring(equals + 1));
            } else {
                throw new IllegalArgumentException(argument + " (expected: --port P, --host H, or one of "
                        + String.join(", ", Switches.NAMES) + " with =value)");
            }
        }
        var config = ConfigFactory.parseMap(overrides, "arguments").withFallback(ConfigFactory.load());
        try {
            return SimulatorSettings.from(config).behaving(switches);
        } catch (com.typesafe.config.ConfigException wrong) {
            throw new IllegalArgumentException(wrong.getMessage(), wrong);
        }
    }
}
