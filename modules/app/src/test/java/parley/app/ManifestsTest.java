package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.typesafe.config.ConfigFactory;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** O7, R13, R20: what the platform would refuse, or worse, take and not do what was meant. */
@Tag("unit")
@Execution(ExecutionMode.CONCURRENT)
class ManifestsTest {
    private static final List<String> OVERLAYS = List.of("dev", "staging", "production", "canary");
    private static final Map<String, Manifests> RENDERED = new HashMap<>();
    private static final Pattern VERSION = Pattern.compile("\\d+(\\.\\d+)+");

    /** Secrets as production has them; k8s/examples/secret.yaml names them. */
    private static final Map<String, String> SECRETS = Map.of(
            "DATABASE_URL", "postgresql://p:p@db.example:5432/parley",
            "JWT_SECRET", "0123456789abcdef0123456789abcdef",
            "VOICE_API_TOKEN", "fedcba9876543210fedcba9876543210",
            "OPENAI_API_KEY", "sk-x");

    @BeforeAll
    static void render() {
        assumeTrue(Manifests.canRender(), "kubectl with kustomize 4 or newer is not here: manifests are not rendered");
        OVERLAYS.forEach(overlay -> RENDERED.put(overlay, Manifests.rendered(overlay)));
    }

    private static Manifests of(String overlay) {
        return java.util.Objects.requireNonNull(RENDERED.get(overlay));
    }

    static Stream<String> overlays() {
        return OVERLAYS.stream();
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void everyFieldIsKnown(String overlay) {
        assertThat(of(overlay).unknown()).isEmpty();
    }

    @Test
    void examplesOfKnownKindsAreRightToo() {
        assertThat(Manifests.file("examples/secret.yaml").unknown()).isEmpty();
        assertThat(Manifests.file("examples/secret.yaml").only(Secret.class).getStringData())
                .containsKeys(SECRETS.keySet().toArray(String[]::new));
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void everySelectorSelectsThePodsItMeans(String overlay) {
        var manifests = of(overlay);
        var pods = manifests.all(Deployment.class).stream()
                .map(deployment ->
                        deployment.getSpec().getTemplate().getMetadata().getLabels())
                .toList();

        for (var deployment : manifests.all(Deployment.class)) {
            var pod = deployment.getSpec().getTemplate();
            assertThat(pod.getMetadata().getLabels())
                    .containsAllEntriesOf(deployment.getSpec().getSelector().getMatchLabels());
            pod.getSpec()
                    .getTopologySpreadConstraints()
                    .forEach(spread -> assertThat(pod.getMetadata().getLabels())
                            .containsAllEntriesOf(spread.getLabelSelector().getMatchLabels()));
        }
        Stream.of(
                        selectors(
                                manifests,
                                PodDisruptionBudget.class,
                                budget -> budget.getSpec().getSelector()),
                        selectors(
                                manifests,
                                NetworkPolicy.class,
                                policy -> policy.getSpec().getPodSelector()))
                .flatMap(List::stream)
                .forEach(selector ->
                        assertThat(pods).allSatisfy(labels -> assertThat(labels).containsAllEntriesOf(selector)));
        for (var service : manifests.all(Service.class)) {
            if (service.getMetadata().getName().startsWith("parley-postgres")) {
                continue;
            }
            assertThat(pods)
                    .allSatisfy(labels -> assertThat(labels)
                            .containsAllEntriesOf(service.getSpec().getSelector()));
        }
    }

    @Test
    void aCanaryIsInTheClusterAndBehindTheServiceButNotInProductionsDeployment() {
        var stable = of("production").only(Deployment.class);
        var canary = of("canary").only(Deployment.class);
        var canarysLabels = canary.getSpec().getTemplate().getMetadata().getLabels();

        assertThat(canary.getMetadata().getName())
                .isNotEqualTo(stable.getMetadata().getName());
        assertThat(canarysLabels.entrySet())
                .doesNotContainAnyElementsOf(Map.of(
                                "parley/track",
                                stable.getSpec().getSelector().getMatchLabels().get("parley/track"))
                        .entrySet());
        assertThat(canarysLabels)
                .containsAllEntriesOf(callersService(of("production")).getSpec().getSelector());
        assertThat(of("canary").objects())
                .extracting(HasMetadata::getKind)
                .containsExactlyInAnyOrder("ConfigMap", "Deployment");
        assertThat(of("canary").environment(canary)).isEqualTo(of("production").environment(stable));
    }

    @ParameterizedTest
    @ValueSource(strings = {"dev", "staging", "production"})
    void nodesCompareTheImagesTagAndACanaryProductionsWhichItDoesNotOutbid(String overlay) {
        var deployment = of(overlay).only(Deployment.class);
        var tag = tag(deployment);

        assertThat(tag).matches(VERSION);
        assertThat(of(overlay).environment(deployment)).containsEntry("PARLEY_APP_VERSION", tag);
        assertThat(label(deployment, "app.kubernetes.io/version")).isEqualTo(tag);

        var canary = of("canary").only(Deployment.class);
        assertThat(label(canary, "app.kubernetes.io/version")).isEqualTo(tag(canary));
        assertThat(of("canary").environment(canary))
                .containsEntry("PARLEY_APP_VERSION", tag(of("production").only(Deployment.class)));
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void thePortsAreThoseOfTheConfigurationAndEveryNameOfOneIsThere(String overlay) {
        var manifests = of(overlay);
        var deployment = manifests.only(Deployment.class);
        var ports = Manifests.container(deployment).getPorts().stream()
                .collect(Collectors.toMap(ContainerPort::getName, ContainerPort::getContainerPort));
        var config = Manifests.config(environment(overlay));

        assertThat(ports)
                .isEqualTo(Map.of(
                        "http", config.getInt("parley.gateway.port"),
                        "management", config.getInt("parley.app.management-port"),
                        "artery", config.getInt("pekko.remote.artery.canonical.port"),
                        "link", config.getInt("parley.session.link.port")));
        assertThat(config.getString("pekko.management.cluster.bootstrap.contact-point-discovery.port-name"))
                .isEqualTo("management");
        for (var probe : probes(deployment)) {
            assertThat(probe.getHttpGet().getPort()).isEqualTo(new IntOrString("management"));
        }
        manifests.all(Service.class).stream()
                .filter(service -> !service.getMetadata().getName().startsWith("parley-postgres"))
                .flatMap(service -> service.getSpec().getPorts().stream())
                .forEach(port ->
                        assertThat(ports).containsKey(port.getTargetPort().getStrVal()));
        for (var policy : manifests.all(NetworkPolicy.class)) {
            policy.getSpec().getIngress().stream()
                    .flatMap(rule -> rule.getPorts().stream())
                    .forEach(
                            port -> assertThat(ports).containsKey(port.getPort().getStrVal()));
            assertThat(policy.getSpec().getEgress().stream()
                            .flatMap(rule -> rule.getPorts().stream())
                            .map(port -> port.getPort().getIntVal())
                            .toList())
                    .contains(ports.get("management"), ports.get("artery"), ports.get("link"));
        }
        for (var monitor : manifests.all(ServiceMonitor.class)) {
            var service = manifests.all(Service.class).stream()
                    .filter(each -> each.getMetadata()
                            .getLabels()
                            .entrySet()
                            .containsAll(monitor.getSpec()
                                    .getSelector()
                                    .getMatchLabels()
                                    .entrySet()))
                    .toList();
            assertThat(service).hasSize(1);
            assertThat(service.getFirst().getSpec().getPorts().getFirst().getName())
                    .isEqualTo(monitor.getSpec().getEndpoints().getFirst().getPort());
        }
        for (var ingress : manifests.all(Ingress.class)) {
            assertThat(ingress.getSpec()
                            .getRules()
                            .getFirst()
                            .getHttp()
                            .getPaths()
                            .getFirst()
                            .getBackend()
                            .getService()
                            .getPort()
                            .getName())
                    .isEqualTo(callersService(manifests)
                            .getSpec()
                            .getPorts()
                            .getFirst()
                            .getName());
        }
    }

    /** The ladder itself is the node's to check: it is told what the platform will do. */
    @ParameterizedTest
    @MethodSource("overlays")
    void thePlatformWaitsAsLongAsTheNodeIsTold(String overlay) {
        var deployment = of(overlay).only(Deployment.class);
        var pod = deployment.getSpec().getTemplate().getSpec();
        var leaving = LeavingSettings.from(Manifests.config(environment(overlay)));

        assertThat(leaving.terminationGrace()).isEqualTo(Duration.ofSeconds(pod.getTerminationGracePeriodSeconds()));
        assertThat(leaving.preStop())
                .isEqualTo(Duration.ofSeconds(Manifests.container(deployment)
                        .getLifecycle()
                        .getPreStop()
                        .getSleep()
                        .getSeconds()));
        assertThat(deployment.getSpec().getStrategy().getRollingUpdate().getMaxUnavailable())
                .isEqualTo(new IntOrString(0));
        assertThat(deployment.getSpec().getStrategy().getRollingUpdate().getMaxSurge())
                .isEqualTo(new IntOrString(1));
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void aNodeThatIsSlowToStartIsNotKilledForIt(String overlay) {
        var deployment = of(overlay).only(Deployment.class);
        var startup = Manifests.container(deployment).getStartupProbe();
        var joining = JoinSettings.from(Manifests.config(environment(overlay)));

        // Another node may be changing the tables for ten minutes; and one more, in which it finds its sessions.
        assertThat(Duration.ofSeconds((long) startup.getPeriodSeconds() * startup.getFailureThreshold()))
                .isGreaterThanOrEqualTo(joining.within().plusMinutes(11))
                .isLessThan(Duration.ofSeconds(deployment.getSpec().getProgressDeadlineSeconds()));
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void theConfigurationIsValid(String overlay) {
        var reading = AppSettings.read(Manifests.config(environment(overlay)));

        assertThat(reading.errors()).isEmpty();
        assertThat(reading.settings()).isNotNull();
        assertThat(reading.settings().joining().discovery()).isEqualTo(JoinSettings.Discovery.KUBERNETES);
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void everyVariableIsReadBySomebody(String overlay) throws IOException {
        var read = variables();
        var manifests = of(overlay);

        assertThat(read)
                .containsAll(
                        manifests.environment(manifests.only(Deployment.class)).keySet());
        assertThat(read)
                .containsAll(Manifests.file("examples/secret.yaml")
                        .only(Secret.class)
                        .getStringData()
                        .keySet());
    }

    @Test
    void soIsEveryVariableOfTheComposeFile() throws IOException {
        var named = Pattern.compile("(?m)^  (?:    )?((?:PARLEY|VOICE|JWT|OPENAI|REALTIME|DATABASE)_[A-Z_]+):")
                .matcher(Files.readString(TestNode.home().resolve("k8s/compose/compose.yaml")))
                .results()
                .map(hit -> hit.group(1))
                .collect(Collectors.toSet());

        assertThat(named).contains("PARLEY_CLUSTER_HOST", "PARLEY_SEEDS");
        assertThat(variables()).containsAll(named);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dev", "staging", "production"})
    void noNewClusterBeginsBesideOneThatHasTheMajority(String overlay) {
        var manifests = of(overlay);
        int replicas = manifests.only(Deployment.class).getSpec().getReplicas();
        int least = manifests.all(HorizontalPodAutoscaler.class).stream()
                .mapToInt(scaler -> scaler.getSpec().getMinReplicas())
                .findFirst()
                .orElse(replicas);

        assertThat(Manifests.config(environment(overlay))
                        .getInt("pekko.management.cluster.bootstrap.contact-point-discovery.required-contact-point-nr"))
                .isGreaterThan(Math.max(least, replicas) / 2);
    }

    @Test
    void theClusterIsLookedForByTheLabelOfItsPods() {
        var config = Manifests.config(environment("production"));
        var selector = config.getString("pekko.discovery.kubernetes-api.pod-label-selector")
                .formatted(config.getString("pekko.management.cluster.bootstrap.contact-point-discovery.service-name"));
        int equals = selector.indexOf('=');

        for (var overlay : List.of("production", "canary")) {
            assertThat(label(of(overlay).only(Deployment.class), selector.substring(0, equals)))
                    .isEqualTo(selector.substring(equals + 1));
        }
    }

    @ParameterizedTest
    @MethodSource("overlays")
    void theContainerMayWriteNowhereButWhereItMust(String overlay) {
        var deployment = of(overlay).only(Deployment.class);
        var pod = deployment.getSpec().getTemplate().getSpec();
        var container = Manifests.container(deployment);
        var security = container.getSecurityContext();

        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(security.getReadOnlyRootFilesystem()).isTrue();
        assertThat(security.getAllowPrivilegeEscalation()).isFalse();
        assertThat(security.getCapabilities().getDrop()).containsExactly("ALL");
        assertThat(container.getVolumeMounts())
                .extracting(mount -> mount.getMountPath())
                .containsExactlyInAnyOrder("/tmp", environment(overlay).get("PARLEY_DATA_DIR"));
        assertThat(container.getResources().getLimits().get("memory"))
                .isEqualTo(container.getResources().getRequests().get("memory"));
    }

    @Test
    void aNodeMayAskForPodsAndForNothingElse() {
        var rules = of("production").only(Role.class).getRules();

        assertThat(rules).hasSize(1);
        assertThat(rules.getFirst().getResources()).containsExactly("pods");
        assertThat(rules.getFirst().getVerbs()).containsExactlyInAnyOrder("get", "list", "watch");
    }

    @Test
    void nobodyIsTiedToANodeAndNoProxyCutsASilentCaller() {
        var ingress = of("production").only(Ingress.class);
        var annotations = ingress.getMetadata().getAnnotations();

        assertThat(callersService(of("production")).getSpec().getSessionAffinity())
                .isNotEqualTo("ClientIP");
        assertThat(annotations.keySet()).noneMatch(name -> name.contains("affinity"));
        for (var timeout : List.of("proxy-read-timeout", "proxy-send-timeout")) {
            assertThat(Duration.ofSeconds(Long.parseLong(annotations.get("nginx.ingress.kubernetes.io/" + timeout))))
                    .isGreaterThan(Manifests.config(environment("production"))
                            .getDuration("parley.wire.ping-interval")
                            .multipliedBy(2));
        }
    }

    @Test
    void scalingInTakesOnePodInTenMinutesAndNeverBecauseMetricsAreLost() throws IOException {
        var down = of("production")
                .only(HorizontalPodAutoscaler.class)
                .getSpec()
                .getBehavior()
                .getScaleDown();
        var keda = ConfigFactory.parseString(Files.readString(TestNode.home().resolve("k8s/examples/keda.yaml"))
                .lines()
                .filter(line ->
                        line.contains("ignoreNullValues:") || line.contains("behavior: currentReplicasIfHigher"))
                .map(String::strip)
                .collect(Collectors.joining("\n")));

        assertThat(down.getStabilizationWindowSeconds()).isEqualTo(600);
        assertThat(down.getPolicies()).hasSize(1);
        assertThat(down.getPolicies().getFirst().getValue()).isEqualTo(1);
        assertThat(down.getPolicies().getFirst().getPeriodSeconds()).isEqualTo(600);
        assertThat(keda.getString("ignoreNullValues")).isEqualTo("false");
        assertThat(keda.hasPath("behavior")).isTrue();
    }

    @Test
    void noSecretIsWrittenDownOutsideDevelopment() {
        for (var overlay : List.of("staging", "production", "canary")) {
            assertThat(of(overlay).all(Secret.class)).isEmpty();
        }
    }

    /** With what comes from elsewhere. */
    private static Map<String, String> environment(String overlay) {
        var manifests = of(overlay);
        var environment = new HashMap<>(overlay.equals("dev") ? Map.of() : SECRETS);
        environment.putAll(manifests.environment(manifests.only(Deployment.class)));
        return environment;
    }

    private static <T extends HasMetadata> List<Map<String, String>> selectors(
            Manifests manifests, Class<T> kind, Function<T, LabelSelector> selector) {
        return manifests.all(kind).stream()
                .map(selector)
                .map(LabelSelector::getMatchLabels)
                .toList();
    }

    private static Service callersService(Manifests manifests) {
        return manifests.all(Service.class).stream()
                .filter(service -> service.getMetadata().getName().equals("parley"))
                .findFirst()
                .orElseThrow();
    }

    private static List<Probe> probes(Deployment deployment) {
        var container = Manifests.container(deployment);
        return List.of(container.getStartupProbe(), container.getReadinessProbe(), container.getLivenessProbe());
    }

    private static String tag(Deployment deployment) {
        var image = Manifests.container(deployment).getImage();
        return image.substring(image.lastIndexOf(':') + 1);
    }

    private static String label(Deployment deployment, String name) {
        return deployment.getSpec().getTemplate().getMetadata().getLabels().get(name);
    }

    /** What cluster-config refers to, and what the code asks the environment for. */
    private static Set<String> variables() throws IOException {
        var found = new TreeSet<String>();
        collect(TestNode.home().resolve("cluster-config"), ".conf", "\\$\\{\\?([A-Z_]+)}", found);
        collect(TestNode.home().resolve("modules"), ".java", "getenv\\(\"([A-Z_]+)\"\\)", found);
        return found;
    }

    private static void collect(Path directory, String ending, String pattern, Set<String> found) throws IOException {
        var variable = Pattern.compile(pattern);
        try (var files = Files.walk(directory)) {
            for (var file : files.filter(each -> each.toString().endsWith(ending))
                    .filter(each -> !each.toString().contains("/test/"))
                    .toList()) {
                variable.matcher(Files.readString(file)).results().forEach(hit -> found.add(hit.group(1)));
            }
        }
    }
}
