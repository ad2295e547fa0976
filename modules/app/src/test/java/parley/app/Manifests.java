package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigResolveOptions;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What {@code k8s/} says, as Kubernetes would read it: typed, and with every field it would not know. */
record Manifests(List<HasMetadata> objects) {
    static final String CONTAINER = "parley";
    /** What the platform writes into a pod when it starts. */
    static final String POD_IP = "10.1.2.3";

    private static final KubernetesSerialization YAML = new KubernetesSerialization();
    private static final Path K8S = TestNode.home().resolve("k8s");
    private static final long KUBECTL_SECONDS = 60;

    Manifests {
        objects = List.copyOf(objects);
    }

    /** Whether {@code kubectl kustomize} is here: old ones, of before 2021, know neither components nor replacements. */
    static boolean canRender() {
        try {
            return !kustomize("overlays/dev").isEmpty();
        } catch (IOException none) {
            return false;
        }
    }

    /** As {@code kubectl apply -k k8s/overlays/…} would send it. */
    static Manifests rendered(String overlay) {
        try {
            return read(kustomize("overlays/" + overlay));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** A file as it stands there. */
    static Manifests file(String name) {
        try {
            return read(Files.readString(K8S.resolve(name)));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Every file of a directory below {@code k8s/} that is no kustomization. */
    static List<String> files(String directory) {
        try (Stream<Path> files = Files.walk(K8S.resolve(directory))) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .filter(file -> !file.endsWith("kustomization.yaml"))
                    .map(file -> K8S.relativize(file).toString())
                    .sorted()
                    .toList();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    <T extends HasMetadata> List<T> all(Class<T> kind) {
        return objects.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    <T extends HasMetadata> T only(Class<T> kind) {
        var found = all(kind);
        if (found.size() != 1) {
            throw new AssertionError(kind.getSimpleName() + ": " + found.size() + " (expected: one)");
        }
        return found.getFirst();
    }

    static Container container(Deployment deployment) {
        return deployment.getSpec().getTemplate().getSpec().getContainers().stream()
                .filter(container -> container.getName().equals(CONTAINER))
                .findFirst()
                .orElseThrow();
    }

    /** What the container of a pod sees: of maps, of secrets that are here, and of the pod itself. */
    Map<String, String> environment(Deployment deployment) {
        var environment = new HashMap<String, String>();
        var container = container(deployment);
        for (var from : container.getEnvFrom()) {
            if (from.getConfigMapRef() != null) {
                environment.putAll(
                        named(ConfigMap.class, from.getConfigMapRef().getName()).getData());
            } else {
                var name = from.getSecretRef().getName();
                all(Secret.class).stream()
                        .filter(secret -> secret.getMetadata().getName().equals(name))
                        .forEach(secret -> secret.getData()
                                .forEach((key, value) -> environment.put(
                                        key,
                                        new String(Base64.getMimeDecoder().decode(value), StandardCharsets.UTF_8))));
            }
        }
        var labels = deployment.getSpec().getTemplate().getMetadata().getLabels();
        for (var variable : container.getEnv()) {
            if (variable.getValueFrom() == null) {
                environment.put(variable.getName(), variable.getValue());
            } else {
                var path = variable.getValueFrom().getFieldRef().getFieldPath();
                environment.put(
                        variable.getName(),
                        path.equals("status.podIP")
                                ? POD_IP
                                : labels.get(path.substring("metadata.labels['".length(), path.length() - 2)));
            }
        }
        return environment;
    }

    /** The configuration of a node with this environment and no other. */
    static Config config(Map<String, String> environment) {
        var file = TestNode.home().resolve("cluster-config").resolve(environment.get("PARLEY_ENV") + ".conf");
        // A variable that a file refers to is looked for at the root, before the process's own.
        boolean simulated =
                !environment.containsKey("OPENAI_API_KEY") && !environment.containsKey("PARLEY_PROVIDER_URL");
        return ConfigFactory.parseMap(environment)
                .withFallback(ConfigFactory.parseMap(Map.of("parley.app.simulated", simulated)))
                .withFallback(ConfigFactory.parseFile(file.toFile()))
                .withFallback(ConfigFactory.defaultReferenceUnresolved())
                .resolve(ConfigResolveOptions.noSystem());
    }

    private <T extends HasMetadata> T named(Class<T> kind, String name) {
        return all(kind).stream()
                .filter(object -> object.getMetadata().getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(kind.getSimpleName() + " " + name + ": not there"));
    }

    /** Fields that no type knows, with their path: a misspelt one would do nothing, silently. */
    List<String> unknown() {
        var unknown = new ArrayList<String>();
        for (var object : objects) {
            var name = object.getKind() + "/" + object.getMetadata().getName();
            if (object instanceof GenericKubernetesResource) {
                unknown.add(name + ": no type for " + object.getApiVersion());
            } else {
                walk(object, name, unknown);
            }
        }
        return unknown;
    }

    private static void walk(Object value, String path, List<String> unknown) {
        switch (value) {
            case List<?> list -> {
                for (int index = 0; index < list.size(); index++) {
                    walkIfThere(list.get(index), path + "[" + index + "]", unknown);
                }
            }
            case Map<?, ?> map -> map.forEach((key, each) -> walkIfThere(each, path + "." + key, unknown));
            default -> {
                if (value.getClass().getName().startsWith("io.fabric8.")) {
                    walkFields(value, path, unknown);
                }
            }
        }
    }

    private static void walkIfThere(
            @org.jspecify.annotations.Nullable Object value, String path, List<String> unknown) {
        if (value != null) {
            walk(value, path, unknown);
        }
    }

    private static void walkFields(Object value, String path, List<String> unknown) {
        for (var method : value.getClass().getMethods()) {
            if (!method.getName().startsWith("get")
                    || method.getParameterCount() != 0
                    || Modifier.isStatic(method.getModifiers())
                    || method.getName().equals("getClass")) {
                continue;
            }
            Object field;
            try {
                field = method.invoke(value);
            } catch (InvocationTargetException | IllegalAccessException closed) {
                continue;
            }
            if (field == null) {
                continue;
            }
            if (method.getName().equals("getAdditionalProperties")) {
                ((Map<?, ?>) field).keySet().forEach(key -> unknown.add(path + "." + key));
            } else {
                walk(field, path + "." + method.getName().substring("get".length()), unknown);
            }
        }
    }

    private static Manifests read(String yaml) {
        var objects = new ArrayList<HasMetadata>();
        for (var document : yaml.split("(?m)^---\\s*$")) {
            if (document.lines().anyMatch(line -> line.startsWith("kind:"))) {
                objects.add(YAML.unmarshal(document, HasMetadata.class));
            }
        }
        return new Manifests(objects);
    }

    private static String kustomize(String directory) throws IOException {
        var process = new ProcessBuilder(
                        "kubectl", "kustomize", K8S.resolve(directory).toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var yaml = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(KUBECTL_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException("kubectl kustomize " + directory + " failed");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
        return yaml;
    }
}
