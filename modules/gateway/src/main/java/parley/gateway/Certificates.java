package parley.gateway;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.IPAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** TLS for the front: the operator's certificate, or a self-signed one for development. */
final class Certificates {
    private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);
    private static final Duration LIFE = Duration.ofDays(365);

    private Certificates() {}

    /** @throws IllegalArgumentException naming the files that are not there, not readable, not what they should be */
    static SslContext of(GatewaySettings settings) {
        var certificate = settings.certificate();
        var key = settings.certificateKey();
        if (certificate == null || key == null) {
            certificate = settings.developmentCertificates().resolve("certificate.pem");
            key = settings.developmentCertificates().resolve("key.pem");
            keep(certificate, key, settings.host());
        }
        try {
            var chain = chain(certificate);
            var secret = key(key);
            requirePair(chain[0].getPublicKey(), secret);
            if (Instant.now().isAfter(chain[0].getNotAfter().toInstant())) {
                LOG.warn("https: the certificate {} has expired, clients will refuse it", certificate);
            }
            return SslContextBuilder.forServer(secret, chain)
                    .clientAuth(ClientAuth.NONE)
                    .build();
        } catch (IOException | GeneralSecurityException | IllegalArgumentException unusable) {
            // The cause goes into the words: it is for whoever wrote the settings, and the key is not in it.
            throw new IllegalArgumentException("https: certificate " + certificate + " with key " + key
                    + " cannot be used: " + unusable.getClass().getSimpleName() + " " + unusable.getMessage()
                    + " (expected: PEM files of an X.509 certificate and its unencrypted key)");
        }
    }

    private static X509Certificate[] chain(Path file) throws IOException, GeneralSecurityException {
        try (var in = Files.newInputStream(file)) {
            var chain = CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                    .map(X509Certificate.class::cast)
                    .toArray(X509Certificate[]::new);
            if (chain.length == 0) {
                throw new IllegalArgumentException("no certificate in " + file);
            }
            return chain;
        }
    }

    private static PrivateKey key(Path file) throws IOException {
        try (var pem = new PEMParser(Files.newBufferedReader(file))) {
            for (var found = pem.readObject(); found != null; found = pem.readObject()) {
                if (found instanceof PEMKeyPair pair) {
                    return new JcaPEMKeyConverter().getKeyPair(pair).getPrivate();
                }
                if (found instanceof PrivateKeyInfo key) {
                    return new JcaPEMKeyConverter().getPrivateKey(key);
                }
            }
        }
        throw new IllegalArgumentException("no unencrypted key in " + file);
    }

    /** A key that belongs to another certificate would only show when the first caller comes. */
    private static void requirePair(PublicKey known, PrivateKey secret) throws GeneralSecurityException {
        var algorithm = switch (secret.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC", "ECDSA" -> "SHA256withECDSA";
            default -> secret.getAlgorithm();
        };
        var message = new byte[32];
        var signer = Signature.getInstance(algorithm);
        signer.initSign(secret);
        signer.update(message);
        var verifier = Signature.getInstance(algorithm);
        verifier.initVerify(known);
        verifier.update(message);
        if (!verifier.verify(signer.sign())) {
            throw new IllegalArgumentException("the key belongs to another certificate");
        }
    }

    /** Makes the self-signed pair unless there is one that holds for another day. */
    private static void keep(Path certificate, Path key, String host) {
        try {
            if (!Files.exists(certificate) || !Files.exists(key) || isOld(certificate)) {
                make(certificate, key, host);
            }
        } catch (IOException unwritable) {
            throw new IllegalArgumentException("https: a development certificate cannot be kept in "
                    + certificate.getParent() + ": " + unwritable);
        }
    }

    private static boolean isOld(Path certificate) throws IOException {
        try {
            var renewal = Instant.now().plus(Duration.ofDays(1));
            return renewal.isAfter(chain(certificate)[0].getNotAfter().toInstant());
        } catch (GeneralSecurityException | IllegalArgumentException unreadable) {
            return true;
        }
    }

    private static void make(Path certificate, Path key, String host) throws IOException {
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
                    .addExtension(Extension.subjectAlternativeName, false, names(host))
                    .build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()));
            Files.createDirectories(certificate.toAbsolutePath().getParent());
            write(key, new JcaPKCS8Generator(pair.getPrivate(), null).generate(), "rw-------");
            write(certificate, built, "rw-r--r--");
        } catch (GeneralSecurityException | OperatorCreationException impossible) {
            throw new IllegalStateException("this JVM cannot make a certificate", impossible);
        }
    }

    private static GeneralNames names(String host) {
        var names = new LinkedHashSet<GeneralName>();
        names.add(new GeneralName(GeneralName.dNSName, "localhost"));
        for (var address : List.of("127.0.0.1", "127.0.0.2", "127.0.0.3", "::1")) {
            names.add(new GeneralName(GeneralName.iPAddress, address));
        }
        names.add(
                IPAddress.isValid(host)
                        ? new GeneralName(GeneralName.iPAddress, host)
                        : new GeneralName(GeneralName.dNSName, host));
        return new GeneralNames(names.toArray(GeneralName[]::new));
    }

    /** Whole or not at all: another process may be reading. */
    private static void write(Path file, Object content, String mode) throws IOException {
        var pem = new StringWriter();
        try (var writer = new JcaPEMWriter(pem)) {
            writer.writeObject(content);
        }
        var permissions = PosixFilePermissions.fromString(mode);
        var whole = Files.createTempFile(
                file.toAbsolutePath().getParent(), "new", ".pem", PosixFilePermissions.asFileAttribute(permissions));
        Files.writeString(whole, pem.toString());
        Files.setPosixFilePermissions(whole, permissions);
        Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
