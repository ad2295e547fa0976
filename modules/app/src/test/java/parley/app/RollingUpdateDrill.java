package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;
import parley.load.chaos.Callers;
import parley.load.chaos.ChaosReport;
import parley.load.chaos.Face;
import parley.load.chaos.Inspection;
import parley.load.chaos.Talk;
import parley.provider.simulator.Simulator;
import parley.wire.Loops;

/**
 * O7, R1: production's Deployment is updated, and updated back, while people talk. What the platform does is read from the
 * manifests: probes, preStop, grace, surge. Takes minutes, so it is no part of the build: {@code
 * scripts/drill-rolling-update}.
 */
@Tag("cluster")
class RollingUpdateDrill {
    private static final String MODEL = "simulator";
    private static final int KEPT_STORIES = 50_000;

    @Test
    @Timeout(3600)
    void noCallIsLostWhileEveryPodIsReplaced() throws Exception {
        int sessions = Integer.getInteger("drill.sessions", 50);
        boolean back = Boolean.getBoolean("drill.undo");
        System.setProperty("parley.home", TestNode.home().toString());
        var production = Manifests.rendered("production");
        var deployment = production.only(Deployment.class);
        var scratch = Scratch.create("parley-drill");
        var settings = settings(scratch);
        var started = new Started();
        try (var log = Files.newBufferedWriter(scratch.directory().resolve("nodes.log"))) {
            var database = started.add(EmbeddedDatabase.start(scratch.directory()));
            var loops = started.add(Loops.create(0));
            var simulator = started.add(Simulator.start(settings.simulator(), loops));
            var api = started.add(KubernetesApi.start(
                    Files.createDirectory(scratch.directory().resolve("account"))));
            var environment = new HashMap<>(production.environment(deployment));
            environment.putAll(api.environment());
            environment.putAll(local(settings, scratch, database, simulator));
            var platform = started.add(new LocalPlatform(
                    deployment,
                    api,
                    settings,
                    (address, version) -> spawn(deployment, environment, api.options(), address, version),
                    into(log)));
            platform.create("1.0.0");
            say("%d pods are ready; %d callers", deployment.getSpec().getReplicas(), sessions);
            var talk = talk(platform, settings, sessions);
            try (var callers = Callers.call(talk)) {
                assertThat(callers.awaitTalk(Duration.ofMinutes(3)))
                        .as(callers.progress())
                        .isTrue();
                callers.stroke(false);
                long began = System.nanoTime();
                platform.update("1.0.1");
                say(
                        "updated in %d s",
                        Duration.ofNanos(System.nanoTime() - began).toSeconds());
                if (back) {
                    began = System.nanoTime();
                    platform.update("1.0.0");
                    say(
                            "undone in %d s",
                            Duration.ofNanos(System.nanoTime() - began).toSeconds());
                }
                Thread.sleep(Duration.ofSeconds(10));
                callers.recovered();
                var conversations = callers.hangUp(Duration.ofMinutes(2));
                var witness = ChaosWitness.of(simulator.story(), conversations.asked());
                var report = new ChaosReport(List.of(ChaosReport.Row.of(
                        back ? "update, undo" : "update",
                        Inspection.of(talk, conversations),
                        OptionalInt.of(witness.twoUpstreams()),
                        witness.complaints())));
                System.out.println(report.table());
                System.out.println(LocalPlatform.table(platform.seen()));

                assertThat(platform.seen()).noneMatch(LocalPlatform.Seen::killed);
                assertThat(platform.livenessFailures()).isZero();
                assertThat(report.clean()).as("see %s", scratch.directory()).isTrue();
            }
        } finally {
            started.close();
        }
        scratch.delete();
    }

    /** As the image runs it, with the memory that the manifest allows. */
    private static Process spawn(
            Deployment deployment, Map<String, String> environment, String options, String address, String version)
            throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        Files.readAllLines(TestNode.home().resolve("k8s/image/jvm.options")).stream()
                .filter(line -> !line.startsWith("#") && !line.contains("-Dparley.home"))
                .filter(line -> !line.contains("MaxRAMPercentage"))
                .forEach(command::add);
        var limit = Quantity.getAmountInBytes(Manifests.container(deployment)
                        .getResources()
                        .getLimits()
                        .get("memory"))
                .longValue();
        // What MaxRAMPercentage=50 is in a container of this size.
        command.add("-Xmx" + limit / 2);
        command.add("-Dparley.home=" + TestNode.home());
        command.addAll(List.of(options.split(" ")));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "run"));
        var process = new ProcessBuilder(command).redirectErrorStream(true);
        LocalPlatform.environment(process, environment);
        process.environment().put("PARLEY_HOST", address);
        process.environment().put("PARLEY_CLUSTER_HOST", address);
        process.environment().put("PARLEY_APP_VERSION", version);
        process.environment()
                .put("PARLEY_PARENT", Long.toString(ProcessHandle.current().pid()));
        return process.start();
    }

    /** What is different here from a pod: ports, provider, database, and that nobody's rates are limited. */
    private static Map<String, String> local(
            AppSettings settings, Scratch scratch, EmbeddedDatabase database, Simulator simulator) {
        return Map.ofEntries(
                Map.entry("PARLEY_ENV", "development"),
                Map.entry("PARLEY_HTTP_PORT", "" + settings.gateway().port()),
                Map.entry("PARLEY_MANAGEMENT_PORT", "" + settings.managementPort()),
                Map.entry("PARLEY_ARTERY_PORT", "" + settings.clusterPort()),
                Map.entry("PARLEY_LINK_PORT", "" + settings.session().linkPort()),
                Map.entry("PARLEY_DATA_DIR", scratch.directory().toString()),
                Map.entry("PARLEY_TRUSTED_PROXIES", ""),
                Map.entry("DATABASE_URL", database.url()),
                Map.entry("JWT_SECRET", settings.gateway().tokens().secret()),
                Map.entry("PARLEY_PROVIDER_URL", simulator.baseUrl().toString()),
                Map.entry("OPENAI_API_KEY", ""),
                Map.entry("VOICE_MONTHLY_BUDGET_USD", "0"),
                Map.entry("REALTIME_API_MODEL", MODEL));
    }

    private static AppSettings settings(Scratch scratch) {
        return scratch.settings(Map.of(
                "parley.app.database-url",
                "postgresql://postgres@127.0.0.1:1/postgres",
                "parley.app.simulated",
                false,
                "parley.simulator.kept-stories",
                KEPT_STORIES,
                "parley.provider.name",
                MODEL,
                "parley.provider.model",
                MODEL));
    }

    private static Talk talk(LocalPlatform platform, AppSettings settings, int sessions) {
        var tokens = Gateway.tokens(settings.gateway());
        return new Talk(
                List.of(platform.service()),
                Face.GUIDED,
                MODEL,
                sessions,
                caller -> tokens.sign(
                        new Tokens.Bearer(new CallerId("drill-" + caller, "default"), List.of()), Duration.ofHours(12)),
                1,
                false,
                10);
    }

    private static BiConsumer<String, String> into(BufferedWriter log) {
        return (address, line) -> {
            synchronized (log) {
                try {
                    log.write(LocalTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.MILLIS) + "  " + address + "  "
                            + line + "\n");
                    log.flush();
                } catch (IOException closed) {
                    // The last words of a pod that is ended after the log.
                }
            }
        };
    }

    private static void say(String format, Object... values) {
        System.err.printf("drill: " + format + "%n", values);
    }
}
