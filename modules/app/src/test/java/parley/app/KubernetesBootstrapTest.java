package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** O7: pods that nobody told of each other become one cluster, asking the Kubernetes API as k8s/ lets them. */
@Tag("cluster")
class KubernetesBootstrapTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Deployment DEPLOYMENT =
            Manifests.file("base/deployment.yaml").only(Deployment.class);
    private static final List<String> PODS = List.of("127.0.0.2", "127.0.0.3");

    @TempDir
    static Path directory;

    private static AppSettings settings;
    private static KubernetesApi api;
    private static LocalCluster cluster;

    @BeforeAll
    static void start() throws IOException, GeneralSecurityException {
        System.setProperty("parley.home", TestNode.home().toString());
        settings = new Scratch(directory)
                .settings(Map.of(
                        "parley.app.simulated",
                        true,
                        "parley.gateway.https.enabled",
                        false,
                        "parley.provider.name",
                        "simulator",
                        "parley.provider.model",
                        "simulator"));
        api = KubernetesApi.start(Files.createDirectory(directory.resolve("account")));
        for (var pod : PODS) {
            api.run(DEPLOYMENT, "parley-" + pod.replace('.', '-'), pod, settings.managementPort());
        }
        var environment = new java.util.HashMap<>(api.environment());
        environment.put("PARLEY_DISCOVERY", "kubernetes");
        environment.put("PARLEY_CONTACT_POINTS", "2");
        environment.put("PARLEY_JOIN_WITHIN", "80s");
        environment.put("PARLEY_HTTPS", "false");
        environment.put("PARLEY_SEEDS", "");
        environment.put("PARLEY_APP_VERSION", "0.1.0");
        environment.put("PARLEY_VERSION", "0.2.0");
        environment.put(
                "JAVA_TOOL_OPTIONS",
                api.options() + " -Dpekko.management.cluster.bootstrap.contact-point-discovery.stable-margin=1s");
        cluster = LocalCluster.start(
                settings,
                PODS.stream()
                        .map(pod -> new LocalCluster.Place(pod, List.of(), environment))
                        .toList(),
                (host, line) -> System.out.println(host + "  " + line),
                new Started());
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
        api.close();
    }

    @Test
    @Timeout(120)
    void podsBecomeOneClusterAndAnswerTheProbesOfTheManifests() throws Exception {
        for (var pod : PODS) {
            assertThat(addresses(JSON.readTree(ask(pod, "/bootstrap/seed-nodes").body())))
                    .as("members that %s knows", pod)
                    .containsExactlyInAnyOrderElementsOf(PODS.stream()
                            .map(each -> each + ":" + settings.clusterPort())
                            .toList());
            for (var probe : probes()) {
                assertThat(ask(pod, probe.getHttpGet().getPath()).statusCode())
                        .as(probe.getHttpGet().getPath())
                        .isEqualTo(200);
            }
            // A canary tells its own version, and compares as production's.
            assertThat(ask(pod, "/metrics").body()).contains("voice_build_info{version=\"0.2.0\"");
        }

        // A pod that is deleted leaves; the other does not begin a cluster of its own for it.
        api.delete("parley-127-0-0-3");
        var told = ConcurrentHashMap.<String>newKeySet();
        var scraper = Thread.ofVirtual().start(() -> tellsOfLeaving(PODS.getLast(), told));
        assertThat(cluster.stop(1, Duration.ofSeconds(60))).isTrue();
        scraper.interrupt();
        scraper.join();
        // It went through the steps, said so while it did, and had nobody left.
        assertThat(told)
                .contains(
                        "voice_drain_seconds_count{step=\"callers\"} 1",
                        "voice_drain_seconds_count{step=\"permit\"} 1",
                        "voice_drain_seconds_count{step=\"hand_over\"} 1",
                        "voice_drain_sessions_remaining 0",
                        "voice_node_ready 0")
                .anyMatch(line -> line.matches("voice_drain_state\\{node=\"127.0.0.3:[0-9]+\"} [2-5]"));
        assertThat(ask(PODS.getFirst(), "/ready").statusCode()).isEqualTo(200);
        assertThat(addresses(JSON.readTree(
                        ask(PODS.getFirst(), "/bootstrap/seed-nodes").body())))
                .containsExactly(PODS.getFirst() + ":" + settings.clusterPort());

        // One that comes finds the cluster that runs; in production it has another address.
        api.run(DEPLOYMENT, "parley-again", PODS.getLast(), settings.managementPort());
        cluster.restart(1);
        assertThat(addresses(JSON.readTree(
                        ask(PODS.getLast(), "/bootstrap/seed-nodes").body())))
                .hasSize(2);
    }

    /** What a node says of its leaving, until it is gone. */
    private static void tellsOfLeaving(String pod, Set<String> told) {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                ask(pod, "/metrics")
                        .body()
                        .lines()
                        .filter(line -> line.startsWith("voice_drain_") || line.startsWith("voice_node_ready"))
                        .forEach(told::add);
            } catch (IOException gone) {
                // Not there for much longer, or not any more.
            } catch (InterruptedException enough) {
                return;
            }
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
    }

    private static List<Probe> probes() {
        var container = Manifests.container(DEPLOYMENT);
        return Stream.of(container.getStartupProbe(), container.getReadinessProbe(), container.getLivenessProbe())
                .toList();
    }

    private static HttpResponse<String> ask(String pod, String path) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://" + pod + ":" + settings.managementPort() + path))
                        .timeout(Duration.ofSeconds(20))
                        .build(),
                BodyHandlers.ofString());
    }

    private static List<String> addresses(JsonNode seeds) {
        var addresses = new ArrayList<String>();
        seeds.path("seedNodes")
                .forEach(node -> addresses.add(node.path("node").asText().replaceAll(".*@", "")));
        return addresses;
    }
}
