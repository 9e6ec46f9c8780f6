package io.dshm.server.security;

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
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@link TlsFiles} hold, read at one time and checked as far as a node can alone: that it is what it should be, and that the key is
 * the certificate's.
 *
 * @param chain this node's certificate first; never empty
 * @param authorities empty where nobody shows a certificate
 */
record TlsMaterial(List<X509Certificate> chain, PrivateKey key, List<X509Certificate> authorities) {

    /** No certificate or key is near this; a wrong path may name a very large file. */
    private static final int FILE_BYTES_MAX = 1024 * 1024;

    private static final Pattern KEY = Pattern.compile("-----BEGIN ([A-Z ]*PRIVATE KEY)-----([^-]*)-----END");

    /** Reads them. */
    static TlsMaterial read(TlsFiles files) throws TlsFileException {
        List<X509Certificate> chain = certificates(files.certificate());
        PrivateKey key = key(files.key(), chain.get(0));
        requirePair(files, chain.get(0), key);
        Path authorities = files.authorities();
        return new TlsMaterial(chain, key, authorities == null ? List.of() : certificates(authorities));
    }

    X509Certificate certificate() {
        return chain.get(0);
    }

    Instant notAfter() {
        return certificate().getNotAfter().toInstant();
    }

    /** Null if the certificate is valid now; otherwise why not. */
    static @Nullable String dateProblem(TlsFiles files, X509Certificate certificate, Instant now) {
        if (now.isAfter(certificate.getNotAfter().toInstant())) {
            return files.certificate() + ": the certificate has expired, on "
                    + certificate.getNotAfter().toInstant();
        }
        return now.isBefore(certificate.getNotBefore().toInstant())
                ? files.certificate() + ": the certificate is not valid before "
                        + certificate.getNotBefore().toInstant() + "; is this machine's clock right?"
                : null;
    }

    private static byte[] bytes(Path file) throws TlsFileException {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new TlsFileException(file + ": is no PEM file, it is too large");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new TlsFileException(file + ": no such file");
        } catch (AccessDeniedException e) {
            throw new TlsFileException(file + ": permission denied for user " + System.getProperty("user.name"));
        } catch (TlsFileException e) {
            throw e;
        } catch (IOException e) {
            throw new TlsFileException(file + ": cannot be read: " + e.getMessage());
        }
    }

    /** All that are in that file, at least one. */
    static List<X509Certificate> certificates(Path file) throws TlsFileException {
        try {
            List<X509Certificate> certificates =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(bytes(file)))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (certificates.isEmpty()) {
                throw new TlsFileException(file + ": has no certificate (-----BEGIN CERTIFICATE-----)");
            }
            return certificates;
        } catch (GeneralSecurityException e) {
            throw new TlsFileException(file + ": has a certificate that cannot be read: " + e.getMessage());
        }
    }

    private static PrivateKey key(Path file, X509Certificate certificate) throws TlsFileException {
        Matcher pem = KEY.matcher(new String(bytes(file), StandardCharsets.ISO_8859_1));
        if (!pem.find()) {
            throw new TlsFileException(file + ": has no private key (-----BEGIN PRIVATE KEY-----)");
        }
        if (!pem.group(1).equals("PRIVATE KEY")) {
            throw new TlsFileException(file + ": has a key of another form, \"" + pem.group(1)
                    + "\"; this makes one that can be used: openssl pkcs8 -topk8 -nocrypt -in " + file
                    + " -out NEW-FILE");
        }
        try {
            byte[] encoded = Base64.getMimeDecoder().decode(pem.group(2));
            return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(encoded));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new TlsFileException(file + ": has no key for a certificate of the kind "
                    + certificate.getPublicKey().getAlgorithm() + ": " + e.getMessage());
        }
    }

    private static void requirePair(TlsFiles files, X509Certificate certificate, PrivateKey key)
            throws TlsFileException {
        boolean isPair;
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
            isPair = signature.verify(signed);
        } catch (GeneralSecurityException e) {
            throw new TlsFileException(files.key() + ": the key cannot sign: " + e.getMessage());
        }
        if (!isPair) {
            throw new TlsFileException(files.key() + ": is not the key of the certificate in " + files.certificate());
        }
    }
}
