package parley.app;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.GatewaySettings;
import parley.gateway.Tokens;
import parley.load.chaos.Callers;
import parley.load.chaos.ChaosReport;
import parley.load.chaos.Findings;
import parley.load.chaos.Inspection;
import parley.load.chaos.Talk;

/** The command {@code chaos}: see {@code --help}. */
final class Chaos {
    private static final Duration TOKEN = Duration.ofHours(12);
    private static final int CALLERS_PER_SECOND = 10;
    /** For everybody to be connected and to have had a first answer. */
    private static final Duration FIRST_ANSWERS = Duration.ofSeconds(60);
    /** For the last turns of everybody, those said again included. */
    private static final Duration LAST_ANSWERS = Duration.ofSeconds(75);
    /** Seconds before the fault. */
    private static final int MOST_CALM = 15;
    /** What a fault leaves behind shows by then. */
    private static final Duration AFTERMATH = Duration.ofSeconds(15);

    private final ChaosOptions options;
    private final List<ChaosReport.Row> rows = new ArrayList<>();

    private Chaos(ChaosOptions options) {
        this.options = options;
    }

    /** Returns the exit code. */
    static int run(List<String> arguments) throws InterruptedException {
        if (arguments.contains("--help")) {
            System.out.print(ChaosOptions.HELP);
            return 0;
        }
        Main.endWithParent();
        var options = ChaosOptions.parse(arguments, System.getenv("PARLEY_TOKEN"));
        if (options.urls().isEmpty() && options.needsNetwork() && !ChaosNetwork.isInside()) {
            return ChaosNetwork.run(arguments, options.nodes());
        }
        var report = run(options);
        System.out.print("\n" + report.table());
        return written(options, report) && report.clean() ? 0 : 1;
    }

    /** One fault after the other; each with callers of its own. */
    static ChaosReport run(ChaosOptions options) throws InterruptedException {
        var chaos = new Chaos(options);
        if (options.urls().isEmpty()) {
            for (var kind : ChaosCluster.Kind.values()) {
                var faults = options.faults().stream()
                        .filter(fault -> kindFor(fault) == kind)
                        .toList();
                if (!faults.isEmpty()) {
                    chaos.local(kind, faults);
                }
            }
        } else {
            chaos.elsewhere();
        }
        return new ChaosReport(chaos.rows);
    }

    private static ChaosCluster.Kind kindFor(Fault fault) {
        return switch (fault) {
            case PROVIDER_DOWN -> ChaosCluster.Kind.FALLBACK;
            case PROVIDER_AGE -> ChaosCluster.Kind.AGEING;
            default -> ChaosCluster.Kind.PLAIN;
        };
    }

    private void local(ChaosCluster.Kind kind, List<Fault> faults) throws InterruptedException {
        var scratch = Scratch.create("parley-chaos");
        boolean clean = false;
        say("starting %d nodes", options.nodes());
        var network = ChaosNetwork.isInside() ? ChaosNetwork.around(options.nodes()) : null;
        try (var cluster = ChaosCluster.start(options.nodes(), kind, network, scratch)) {
            // Ctrl-C: the nodes and the database end with us.
            var ending = new Thread(cluster::close, "chaos-ends");
            Runtime.getRuntime().addShutdownHook(ending);
            var gateway = cluster.settings().gateway();
            clean = true;
            for (var fault : faults) {
                var talk = talk(cluster.addresses(), signed(gateway, fault), false);
                var strikes = new ChaosStrikes(cluster, network, new Random(options.seed()), 1);
                clean &= talk(fault, talk, strikes, cluster);
            }
            Runtime.getRuntime().removeShutdownHook(ending);
        } finally {
            if (clean) {
                scratch.delete();
            } else {
                say("what the nodes said: %s", scratch.directory().resolve("nodes.log"));
            }
        }
    }

    private void elsewhere() throws InterruptedException {
        var token = options.token();
        for (var fault : options.faults()) {
            IntFunction<String> tokens =
                    token == null ? signed(GatewaySettings.from(Main.config()), fault) : caller -> token;
            var talk = talk(options.urls(), tokens, options.insecure());
            talk(fault, talk, new ChaosStrikes(null, null, new Random(options.seed()), 1), null);
        }
    }

    private Talk talk(List<URI> nodes, IntFunction<String> tokens, boolean insecure) {
        return new Talk(
                nodes,
                options.face(),
                ChaosCluster.MODEL,
                options.sessions(),
                tokens,
                options.seed(),
                insecure,
                CALLERS_PER_SECOND);
    }

    /** Callers of every fault are other people: the provider and the journal can tell them apart. */
    private static IntFunction<String> signed(GatewaySettings gateway, Fault fault) {
        var tokens = Gateway.tokens(gateway);
        return caller -> tokens.sign(
                new Tokens.Bearer(new CallerId("chaos-" + fault.word() + "-" + caller, "default"), List.of()), TOKEN);
    }

    /** Whether nothing was lost. */
    private boolean talk(Fault fault, Talk talk, ChaosStrikes strikes, @Nullable ChaosCluster cluster)
            throws InterruptedException {
        say("%s: %d callers", fault.word(), talk.sessions());
        try (var callers = Callers.call(talk)) {
            if (!callers.awaitTalk(FIRST_ANSWERS.plusSeconds(talk.sessions() / CALLERS_PER_SECOND))) {
                say("%s: not everybody was answered before the fault: %s", fault.word(), callers.progress());
            }
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.seconds());
            // They all began together: after a few turns they do no longer.
            TimeUnit.SECONDS.sleep(Math.min(MOST_CALM, options.seconds() / 4));
            strikes.strike(fault, callers, Duration.ofSeconds(options.seconds()));
            long rest = Math.max(AFTERMATH.toNanos(), end - System.nanoTime());
            TimeUnit.NANOSECONDS.sleep(rest);
            callers.recovered();
            var conversations = callers.hangUp(LAST_ANSWERS);
            say("%s: %s", fault.word(), callers.progress());
            var findings = Inspection.of(talk, conversations);
            var row = cluster == null
                    ? ChaosReport.Row.of(fault.word(), findings, OptionalInt.empty(), List.of())
                    : witnessed(
                            fault,
                            findings,
                            ChaosWitness.of(cluster.story(), conversations.asked()),
                            strikes.complaints());
            rows.add(row);
            return row.clean();
        }
    }

    private static ChaosReport.Row witnessed(
            Fault fault, Findings findings, ChaosWitness witness, List<String> ofTheCluster) {
        var complaints = new ArrayList<>(ofTheCluster);
        complaints.addAll(witness.complaints());
        return ChaosReport.Row.of(fault.word(), findings, OptionalInt.of(witness.twoUpstreams()), complaints);
    }

    private static void say(String format, Object... values) {
        System.err.printf("chaos: " + format + "%n", values);
    }

    private static boolean written(ChaosOptions options, ChaosReport report) {
        var file = options.json();
        if (file == null) {
            return true;
        }
        try {
            Files.writeString(file, report.json() + "\n");
            return true;
        } catch (IOException failed) {
            System.err.println("chaos: cannot write " + file + ": " + failed.getMessage());
            return false;
        }
    }
}
