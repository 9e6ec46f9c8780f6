package io.dshm.server.security;

import io.dshm.proto.Pem;
import io.dshm.proto.PemException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@link TlsFiles} hold, read at one time and checked as far as a node can alone.
 *
 * @param chain this node's certificate first; never empty
 * @param authorities empty where nobody shows a certificate
 */
record TlsMaterial(List<X509Certificate> chain, PrivateKey key, List<X509Certificate> authorities) {

    /** Reads them. */
    static TlsMaterial read(TlsFiles files) throws PemException {
        Pem.Identity identity = Pem.identity(files.certificate(), files.key());
        Path authorities = files.authorities();
        return new TlsMaterial(
                identity.chain(), identity.key(), authorities == null ? List.of() : Pem.certificates(authorities));
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
}
