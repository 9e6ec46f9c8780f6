package io.dshm.proto;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads certificates and keys as nodes and clients have them: PEM, keys as PKCS#8 without a passphrase. */
public final class Pem {

    /** No certificate or key is near this; a wrong path may name a very large file. */
    private static final int FILE_BYTES_MAX = 1024 * 1024;

    private static final Pattern KEY = Pattern.compile("-----BEGIN ([A-Z ]*PRIVATE KEY)-----([^-]*)-----END");

    private Pem() {}

    /**
     * Who somebody is.
     *
     * @param chain its certificate first, then those between it and an authority's; never empty
     * @param key the private key of the first
     */
    public record Identity(List<X509Certificate> chain, PrivateKey key) {}

    /**
     * Reads a certificate and its key.
     *
     * @throws PemException if a file cannot be read, or is not what it should be, or they do not belong together
     */
    public static Identity identity(Path certificate, Path key) throws PemException {
        List<X509Certificate> chain = certificates(certificate);
        PrivateKey read = key(key, chain.get(0));
        if (!isPair(key, chain.get(0), read)) {
            throw new PemException(key + ": is not the key of the certificate in " + certificate);
        }
        return new Identity(chain, read);
    }

    private static byte[] bytes(Path file) throws PemException {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new PemException(file + ": is no PEM file, it is too large");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new PemException(file + ": no such file");
        } catch (AccessDeniedException e) {
            throw new PemException(file + ": permission denied for user " + System.getProperty("user.name"));
        } catch (PemException e) {
            throw e;
        } catch (IOException e) {
            throw new PemException(file + ": cannot be read: " + e.getMessage());
        }
    }

    /**
     * All certificates of a file, at least one.
     *
     * @throws PemException if it cannot be read, or has none
     */
    public static List<X509Certificate> certificates(Path file) throws PemException {
        try {
            List<X509Certificate> certificates =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(bytes(file)))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (certificates.isEmpty()) {
                throw new PemException(file + ": has no certificate (-----BEGIN CERTIFICATE-----)");
            }
            return certificates;
        } catch (GeneralSecurityException e) {
            throw new PemException(file + ": has a certificate that cannot be read: " + e.getMessage());
        }
    }

    private static PrivateKey key(Path file, X509Certificate certificate) throws PemException {
        Matcher pem = KEY.matcher(new String(bytes(file), StandardCharsets.ISO_8859_1));
        if (!pem.find()) {
            throw new PemException(file + ": has no private key (-----BEGIN PRIVATE KEY-----)");
        }
        if (!pem.group(1).equals("PRIVATE KEY")) {
            throw new PemException(file + ": has a key of another form, \"" + pem.group(1)
                    + "\"; this makes one that can be used: openssl pkcs8 -topk8 -nocrypt -in " + file
                    + " -out NEW-FILE");
        }
        try {
            byte[] encoded = Base64.getMimeDecoder().decode(pem.group(2));
            return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(encoded));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new PemException(file + ": has no key for a certificate of the kind "
                    + certificate.getPublicKey().getAlgorithm() + ": " + e.getMessage());
        }
    }

    private static boolean isPair(Path file, X509Certificate certificate, PrivateKey key) throws PemException {
        try {
            byte[] text = {1, 2, 3};
            Signature signature = Signature.getInstance(
                    switch (key.getAlgorithm()) {
                        case "RSA" -> "SHA256withRSA";
                        case "EC" -> "SHA256withECDSA";
                        default -> key.getAlgorithm();
                    });
            signature.initSign(key);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(text);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            throw new PemException(file + ": the key cannot sign: " + e.getMessage());
        }
    }
}
