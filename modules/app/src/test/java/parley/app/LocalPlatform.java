package parley.app;

import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

/**
 * What Kubernetes does with a Deployment, for processes of this machine: starts a pod, asks its probes, sends callers to
 * those that are ready, lets a pod go with preStop, SIGTERM, grace and SIGKILL, and replaces one version by another within
 * maxSurge and maxUnavailable. Each pod has an address of its own, as there.
 */
final class LocalPlatform implements AutoCloseable {
    /** Until everybody who sends callers has heard that a pod goes. */
    private static final Duration PROPAGATION = Duration.ofSeconds(1);

    private static final int FIRST_ADDRESS = 11;
    private static final int CONNECT_MILLIS = 2_000;
    private static final int BUFFER = 32 * 1024;

    /** What a process of a pod is started with. */
    interface Spawn {
        Process pod(String address, String version) throws IOException;
    }

    /** What the platform saw of a pod. */
    record Seen(String pod, Duration untilReady, Duration leaving, boolean killed) {}

    private final Deployment deployment;
    private final KubernetesApi api;
    private final int managementPort;
    private final int httpPort;
    private final Spawn spawn;
    private final BiConsumer<String, String> log;
    private final ServerSocket door;
    private final List<Pod> endpoints = new CopyOnWriteArrayList<>();
    private final List<Pod> pods = new ArrayList<>();
    private final List<Thread> leaving = new ArrayList<>();
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private final AtomicInteger livenessFailures = new AtomicInteger();
    private int number;

    LocalPlatform(
            Deployment deployment, KubernetesApi api, AppSettings settings, Spawn spawn, BiConsumer<String, String> log)
            throws IOException {
        this.deployment = deployment;
        this.api = api;
        this.managementPort = settings.managementPort();
        this.httpPort = settings.gateway().port();
        this.spawn = spawn;
        this.log = log;
        this.door = new ServerSocket(0, 512, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    /** Where callers connect: the Service. */
    URI service() {
        return URI.create("ws://127.0.0.1:" + door.getLocalPort() + "/");
    }

    /** All replicas at once, as a new Deployment does. */
    void create(String version) throws IOException, InterruptedException {
        var fresh = new ArrayList<Pod>();
        for (int replica = 0; replica < deployment.getSpec().getReplicas(); replica++) {
            fresh.add(start(version));
        }
        for (var pod : fresh) {
            pod.awaitReady();
        }
        pods.addAll(fresh);
    }

    /** Returns when every pod is of the new version and every old one has ended. */
    void update(String version) throws IOException, InterruptedException {
        var old = List.copyOf(pods);
        int surge = deployment
                .getSpec()
                .getStrategy()
                .getRollingUpdate()
                .getMaxSurge()
                .getIntVal();
        if (surge != 1) {
            throw new AssertionError("maxSurge: " + surge + " (expected: 1, more is not played here)");
        }
        for (var goes : old) {
            var comes = start(version);
            comes.awaitReady();
            TimeUnit.SECONDS.sleep(deployment.getSpec().getMinReadySeconds());
            pods.add(comes);
            pods.remove(goes);
            // The platform does not wait for pods that leave.
            leaving.add(Thread.ofPlatform().name("leaves-" + goes.name).start(() -> delete(goes)));
        }
        for (var thread : leaving) {
            thread.join();
        }
    }

    List<Seen> seen() {
        return List.copyOf(seen);
    }

    int livenessFailures() {
        return livenessFailures.get();
    }

    @Override
    public void close() {
        pods.forEach(pod -> pod.process.destroy());
        for (var pod : pods) {
            try {
                if (!pod.process.waitFor(60, TimeUnit.SECONDS)) {
                    pod.process.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                pod.process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
        try {
            door.close();
        } catch (IOException alreadyClosed) {
            // Which is what was wanted.
        }
    }

    private Pod start(String version) throws IOException {
        var address = "127.0.0." + (FIRST_ADDRESS + number);
        var pod = new Pod("parley-" + version.replace('.', '-') + "-" + number++, address, spawn.pod(address, version));
        api.run(deployment, pod.name, address, managementPort);
        Thread.ofVirtual().start(pod::tell);
        Thread.ofVirtual().start(pod::probe);
        return pod;
    }

    private void delete(Pod pod) {
        long began = System.nanoTime();
        var spec = deployment.getSpec().getTemplate().getSpec();
        long grace = TimeUnit.SECONDS.toNanos(spec.getTerminationGracePeriodSeconds());
        try {
            api.delete(pod.name);
            log.accept(pod.address, "platform: is deleted");
            Thread.ofVirtual().start(() -> {
                pause(PROPAGATION);
                endpoints.remove(pod);
            });
            TimeUnit.SECONDS.sleep(Manifests.container(deployment)
                    .getLifecycle()
                    .getPreStop()
                    .getSleep()
                    .getSeconds());
            pod.process.toHandle().destroy();
            boolean inTime = pod.process.waitFor(grace - (System.nanoTime() - began), TimeUnit.NANOSECONDS);
            if (!inTime) {
                pod.process.destroyForcibly().waitFor();
            }
            pod.gone = true;
            seen.add(new Seen(pod.name, pod.untilReady, Duration.ofNanos(System.nanoTime() - began), !inTime));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void accept() {
        while (!door.isClosed()) {
            try {
                var caller = door.accept();
                Thread.ofVirtual().start(() -> connect(caller));
            } catch (IOException closed) {
                // Closed, or one connection that came to nothing.
            }
        }
    }

    /** To any pod that is ready; the connection stays whatever becomes of readiness. */
    private void connect(Socket caller) {
        var ready = List.copyOf(endpoints);
        try {
            if (ready.isEmpty()) {
                caller.close();
                return;
            }
            var node = new Socket();
            var pod = ready.get(ThreadLocalRandom.current().nextInt(ready.size()));
            node.connect(new InetSocketAddress(pod.address, httpPort), CONNECT_MILLIS);
            caller.setTcpNoDelay(true);
            node.setTcpNoDelay(true);
            Thread.ofVirtual().start(() -> pass(caller, node));
            Thread.ofVirtual().start(() -> pass(node, caller));
        } catch (IOException refused) {
            quietly(caller);
        }
    }

    private static void pass(Socket from, Socket to) {
        var buffer = new byte[BUFFER];
        try {
            for (int read = from.getInputStream().read(buffer);
                    read >= 0;
                    read = from.getInputStream().read(buffer)) {
                to.getOutputStream().write(buffer, 0, read);
            }
        } catch (IOException ended) {
            // Either side has; the other is told.
        }
        quietly(from);
        quietly(to);
    }

    private static void quietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException alreadyClosed) {
            // Which is what was wanted.
        }
    }

    private static void pause(Duration time) {
        try {
            TimeUnit.NANOSECONDS.sleep(time.toNanos());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** One pod and its kubelet. */
    private final class Pod {
        private final String name;
        private final String address;
        private final Process process;
        private final long began = System.nanoTime();
        private final CountDownLatch ready = new CountDownLatch(1);
        private volatile Duration untilReady = Duration.ZERO;
        private volatile boolean gone;
        private volatile boolean failed;

        Pod(String name, String address, Process process) {
            this.name = name;
            this.address = address;
            this.process = process;
        }

        void awaitReady() throws InterruptedException {
            while (!ready.await(200, TimeUnit.MILLISECONDS)) {
                if (failed || !process.isAlive()) {
                    throw new AssertionError(name + " never became ready");
                }
            }
        }

        void tell() {
            try (var lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                lines.lines().forEach(line -> log.accept(address, line));
            } catch (IOException | UncheckedIOException ended) {
                // With its process.
            }
        }

        /** The startup probe until it succeeds, then the two others, each with its own patience. */
        void probe() {
            var container = Manifests.container(deployment);
            try (var http = HttpClient.newHttpClient()) {
                if (!succeeds(http, container.getStartupProbe())) {
                    failed = true;
                    process.destroyForcibly();
                    return;
                }
                untilReady = Duration.ofNanos(System.nanoTime() - began);
                var alive = Thread.ofVirtual().start(() -> watchAlive(http, container.getLivenessProbe()));
                int failures = 0;
                var readiness = container.getReadinessProbe();
                while (process.isAlive() && !gone) {
                    if (answers(http, readiness)) {
                        failures = 0;
                        if (!endpoints.contains(this) && ready.getCount() > 0) {
                            endpoints.add(this);
                            ready.countDown();
                        }
                    } else if (++failures >= readiness.getFailureThreshold()) {
                        endpoints.remove(this);
                    }
                    pause(Duration.ofSeconds(readiness.getPeriodSeconds()));
                }
                endpoints.remove(this);
                alive.interrupt();
            }
        }

        private void watchAlive(HttpClient http, Probe liveness) {
            int failures = 0;
            while (process.isAlive() && !gone && !Thread.currentThread().isInterrupted()) {
                pause(Duration.ofSeconds(liveness.getPeriodSeconds()));
                failures = !process.isAlive() || answers(http, liveness) ? 0 : failures + 1;
                if (failures >= liveness.getFailureThreshold()) {
                    livenessFailures.incrementAndGet();
                    log.accept(address, "platform: liveness probe failed, killed");
                    process.destroyForcibly();
                }
            }
        }

        private boolean succeeds(HttpClient http, Probe startup) {
            for (int attempt = 0; attempt < startup.getFailureThreshold() && process.isAlive(); attempt++) {
                if (answers(http, startup)) {
                    return true;
                }
                pause(Duration.ofSeconds(startup.getPeriodSeconds()));
            }
            return false;
        }

        private boolean answers(HttpClient http, Probe probe) {
            try {
                var request = HttpRequest.newBuilder(URI.create("http://" + address + ":" + managementPort
                                + probe.getHttpGet().getPath()))
                        .timeout(Duration.ofSeconds(probe.getTimeoutSeconds()))
                        .build();
                return http.send(request, BodyHandlers.discarding()).statusCode() == 200;
            } catch (IOException unreachable) {
                return false;
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
    }

    /** For the record at the end. */
    static String table(List<Seen> seen) {
        var text = new StringBuilder("pod                     ready after   left within   killed\n");
        for (var each : seen) {
            text.append(String.format(
                    java.util.Locale.ROOT,
                    "%-22s %9.1f s   %9.1f s   %s%n",
                    each.pod(),
                    each.untilReady().toMillis() / 1000.0,
                    each.leaving().toMillis() / 1000.0,
                    each.killed() ? "yes" : "no"));
        }
        return text.toString();
    }

    /** Everything a process inherits that would count for the pod is taken out of its way. */
    static void environment(ProcessBuilder process, Map<String, String> environment) {
        process.environment().keySet().removeIf(name -> name.startsWith("PARLEY_") || name.startsWith("VOICE_"));
        process.environment().putAll(environment);
    }
}
