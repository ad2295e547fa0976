package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("unit")
class CertificatesTest {
    @TempDir
    private Path directory;

    @Test
    void theSelfSignedOneIsForThisMachineAndItsHost() throws Exception {
        Certificates.of(development("host = voice.example.com"));

        assertThat(certificate().getSubjectAlternativeNames().stream().map(name -> (Object) name.get(1)))
                .contains("localhost", "127.0.0.1", "127.0.0.2", "127.0.0.3", "voice.example.com");
        certificate().checkValidity();
    }

    @Test
    void theKeyIsItsOwnersAloneAndTheCertificateIsForEverybody() throws Exception {
        Certificates.of(development());

        assertThat(mode("key.pem")).isEqualTo("rw-------");
        assertThat(mode("certificate.pem")).isEqualTo("rw-r--r--");
        try (var files = Files.list(directory)) {
            assertThat(files).hasSize(2);
        }
    }

    @Test
    void theSelfSignedOneIsKept() throws Exception {
        Certificates.of(development());
        var first = Files.readString(directory.resolve("certificate.pem"));
        Certificates.of(development());

        assertThat(directory.resolve("certificate.pem")).hasContent(first);
    }

    @Test
    void aHalfWrittenOneIsMadeAnew() throws Exception {
        Files.writeString(directory.resolve("certificate.pem"), "");
        Files.writeString(directory.resolve("key.pem"), "");
        Certificates.of(development());

        certificate().checkValidity();
    }

    @Test
    void opensslReadsItAndSeesItSigned() throws Exception {
        Certificates.of(development());
        var file = directory.resolve("certificate.pem").toString();
        var openssl = new ProcessBuilder("openssl", "verify", "-CAfile", file, "-verify_ip", "127.0.0.1", file)
                .redirectErrorStream(true)
                .start();

        assertThat(new String(openssl.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                .endsWith("OK\n");
    }

    @Test
    void aDirectoryThatCannotBeWrittenIsNamed() throws IOException {
        Files.writeString(directory.resolve("file"), "");

        assertThatThrownBy(() -> Certificates.of(
                        Rig.settings("https.development-certificates = \"" + directory.resolve("file/tls") + "\"")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasNoCause()
                .hasMessageContaining("https: a development certificate cannot be kept in " + directory);
    }

    @Test
    void aFileThatIsMissingIsNamed() {
        assertUnusable(directory.resolve("c.pem"), directory.resolve("k.pem"), "NoSuchFileException");
    }

    @Test
    void aFileThatIsNoCertificateOrNoKeyIsNamed() throws IOException {
        Certificates.of(development());
        var nonsense = Files.writeString(directory.resolve("nonsense.pem"), "nonsense");

        assertUnusable(nonsense, directory.resolve("key.pem"), "nonsense.pem");
        assertUnusable(directory.resolve("certificate.pem"), nonsense, "no unencrypted key in");
        assertUnusable(
                directory.resolve("certificate.pem"), directory.resolve("certificate.pem"), "no unencrypted key in");
    }

    @Test
    void aKeyOfAnotherCertificateIsFoundBeforeTheFirstCaller() throws Exception {
        Certificates.of(development());
        for (var kind : new String[] {"EC", "RSA"}) {
            var generator = KeyPairGenerator.getInstance(kind);
            generator.initialize(kind.equals("EC") ? 256 : 1024);
            var other = generator.generateKeyPair().getPrivate();
            var file = Files.writeString(
                    directory.resolve(kind + ".pem"),
                    "-----BEGIN PRIVATE KEY-----\n"
                            + Base64.getMimeEncoder().encodeToString(other.getEncoded())
                            + "\n-----END PRIVATE KEY-----\n");

            assertUnusable(directory.resolve("certificate.pem"), file, "cannot be used");
        }
    }

    private void assertUnusable(Path certificate, Path key, String why) {
        assertThatThrownBy(() -> Certificates.of(Rig.settings(
                        "https.certificate = \"" + certificate + "\", https.certificate-key = \"" + key + "\"")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasNoCause()
                .hasMessageContaining("https: certificate " + certificate + " with key " + key)
                .hasMessageContaining(why)
                .hasMessageNotContaining("BEGIN");
    }

    private GatewaySettings development(String... changes) {
        return Rig.settings(Line.and(changes, "https.development-certificates = \"" + directory + "\""));
    }

    private X509Certificate certificate() throws Exception {
        try (var in = Files.newInputStream(directory.resolve("certificate.pem"))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private String mode(String file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(file)));
    }
}
