package io.dshm.server.security;

import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateExpiredException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Why there is no TLS connection, for operators. */
final class TlsFailures {

    private TlsFailures() {}

    /** In a line; null if the other side has only gone away, as what looks whether a port is open does. */
    static @Nullable String reason(Throwable failure) {
        Throwable deepest = failure;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof NotSslRecordException) {
                return "it does not speak TLS";
            }
            if (cause instanceof SslHandshakeTimeoutException) {
                return "no handshake in time";
            }
            if (cause instanceof CertificateExpiredException) {
                return "its certificate has expired";
            }
            if (cause instanceof CertPathBuilderException) {
                return "its certificate is of no authority that this node believes";
            }
            deepest = cause;
        }
        if (isGone(failure)) {
            return null;
        }
        String message = String.valueOf(deepest.getMessage());
        // A plain alert where the JDK expects an encrypted one.
        return message.startsWith("Insufficient buffer remaining for AEAD") ? "it gave up in the handshake" : message;
    }

    /** Whether the other side has ended the connection without a word of TLS. */
    static boolean isGone(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SSLException && cause.getCause() == null) {
                String message = String.valueOf(cause.getMessage());
                return message.contains("closed") && !message.contains("alert");
            }
        }
        return failure instanceof IOException && !(failure instanceof SSLException);
    }
}
