package parley.app;

import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * The part of a Kubernetes API server that nodes ask: which pods of a label there are. Over TLS, with a certificate and a
 * token that nodes read where a service account would have them. Who may ask is not checked.
 */
final class KubernetesApi implements AutoCloseable {
    private static final String NAMESPACE = "parley";
    /** It tells every request otherwise. */
    private static final Logger QUIET = Logger.getLogger("io.fabric8.mockwebserver");

    private final KubernetesMockServer server;
    private final KubernetesClient client;
    private final Path serviceAccount;

    private KubernetesApi(KubernetesMockServer server, Path serviceAccount) {
        this.server = server;
        this.client = server.createClient();
        this.serviceAccount = serviceAccount;
    }

    /**
     * On a free port of 127.0.0.1.
     *
     * @param directory gets what a service account would be given
     */
    static KubernetesApi start(Path directory) throws IOException, GeneralSecurityException {
        QUIET.setLevel(Level.WARNING);
        var pods = new KubernetesCrudDispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                var response = super.dispatch(request);
                // A real one says so, and Pekko insists on it.
                if (response.header("content-type") == null) {
                    response.setHeader("content-type", "application/json");
                }
                return response;
            }
        };
        var server = new KubernetesMockServer(new Context(), new MockWebServer(), new HashMap<>(), pods, true);
        server.init(InetAddress.getLoopbackAddress(), 0);
        Files.writeString(directory.resolve("token"), "a-token");
        Files.writeString(directory.resolve("namespace"), NAMESPACE);
        Files.writeString(directory.resolve("ca.crt"), certificate(server.getPort()));
        return new KubernetesApi(server, directory);
    }

    /** What a node on this machine needs to find it. */
    Map<String, String> environment() {
        return Map.of("KUBERNETES_SERVICE_HOST", "127.0.0.1", "KUBERNETES_SERVICE_PORT", "" + server.getPort());
    }

    /** The same, for the virtual machine. */
    String options() {
        var at = "-Dpekko.discovery.kubernetes-api.";
        return at + "api-ca-path=" + serviceAccount.resolve("ca.crt") + " " + at + "api-token-path="
                + serviceAccount.resolve("token") + " " + at + "pod-namespace-path="
                + serviceAccount.resolve("namespace");
    }

    /**
     * A pod of this deployment runs, ready or not, and has this address.
     *
     * @param managementPort where it differs from the manifest's, on a machine where others use that one
     */
    void run(Deployment deployment, String name, String address, int managementPort) {
        var template = deployment.getSpec().getTemplate();
        var spec = new PodSpecBuilder(template.getSpec())
                .editMatchingContainer(container -> container.getName().equals(Manifests.CONTAINER))
                .editMatchingPort(port -> port.getName().equals("management"))
                .withContainerPort(managementPort)
                .endPort()
                .endContainer()
                .build();
        client.pods()
                .inNamespace(NAMESPACE)
                .resource(new PodBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(NAMESPACE)
                        .withLabels(template.getMetadata().getLabels())
                        .endMetadata()
                        .withSpec(spec)
                        .withNewStatus()
                        .withPodIP(address)
                        .withPhase("Running")
                        .addNewContainerStatus()
                        .withName(Manifests.CONTAINER)
                        .withNewState()
                        .withNewRunning()
                        .endRunning()
                        .endState()
                        .endContainerStatus()
                        .endStatus()
                        .build())
                .create();
    }

    /** The pod is being deleted: nobody who looks for others sees it any more. */
    void delete(String name) {
        client.pods().inNamespace(NAMESPACE).withName(name).delete();
    }

    @Override
    public void close() {
        client.close();
        server.destroy();
    }

    /** As its first handshake shows it. */
    private static String certificate(int port) throws IOException, GeneralSecurityException {
        var shown = new AtomicReference<X509Certificate>();
        var context = SSLContext.getInstance("TLS");
        context.init(
                null,
                new TrustManager[] {
                    new X509TrustManager() {
                        @Override
                        public void checkClientTrusted(X509Certificate[] chain, String type) {}

                        @Override
                        public void checkServerTrusted(X509Certificate[] chain, String type) {
                            shown.set(chain[0]);
                        }

                        @Override
                        public X509Certificate[] getAcceptedIssuers() {
                            return new X509Certificate[0];
                        }
                    }
                },
                null);
        try (var socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.startHandshake();
        }
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder().encodeToString(shown.get().getEncoded())
                + "\n-----END CERTIFICATE-----\n";
    }
}
