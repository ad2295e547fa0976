package parley.gateway;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** TLS for the front: the operator's certificate, or a self-signed one for development. */
final class Certificates {
    private static final Duration LIFE = Duration.ofDays(365);

    private Certificates() {}

    /**
     * @throws IllegalArgumentException when the operator's files do not hold a certificate and its key
     * @throws IOException when the development certificate cannot be kept
     */
    static SslContext of(GatewaySettings settings) throws IOException {
        var certificate = settings.certificate();
        var key = settings.certificateKey();
        if (certificate == null || key == null) {
            certificate = settings.developmentCertificates().resolve("certificate.pem");
            key = settings.developmentCertificates().resolve("key.pem");
            if (!Files.exists(certificate) || !Files.exists(key)) {
                make(certificate, key);
            }
        }
        try {
            return SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .clientAuth(ClientAuth.NONE)
                    .build();
        } catch (IOException | IllegalArgumentException unusable) {
            throw new IllegalArgumentException(
                    "https: certificate " + certificate + " with key " + key
                            + " cannot be used (expected: PEM files of an X.509 certificate and its PKCS#8 key)",
                    unusable);
        }
    }

    private static void make(Path certificate, Path key) throws IOException {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            var pair = generator.generateKeyPair();
            var name = new X500Name("CN=Parley development");
            var now = Instant.now();
            var built = new JcaX509v3CertificateBuilder(
                            name,
                            new BigInteger(64, new SecureRandom()),
                            Date.from(now.minusSeconds(60)),
                            Date.from(now.plus(LIFE)),
                            name,
                            pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
                    .addExtension(Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName[] {
                        new GeneralName(GeneralName.dNSName, "localhost"),
                        new GeneralName(GeneralName.iPAddress, "127.0.0.1"),
                        new GeneralName(GeneralName.iPAddress, "127.0.0.2"),
                        new GeneralName(GeneralName.iPAddress, "127.0.0.3"),
                        new GeneralName(GeneralName.iPAddress, "::1")
                    }))
                    .build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()));
            Files.createDirectories(certificate.toAbsolutePath().getParent());
            write(key, new JcaPKCS8Generator(pair.getPrivate(), null).generate());
            write(certificate, built);
        } catch (GeneralSecurityException | OperatorCreationException impossible) {
            throw new IllegalStateException("this JVM cannot make a certificate", impossible);
        }
    }

    private static void write(Path file, Object content) throws IOException {
        var pem = new StringWriter();
        try (var writer = new JcaPEMWriter(pem)) {
            writer.writeObject(content);
        }
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, pem.toString());
    }
}
