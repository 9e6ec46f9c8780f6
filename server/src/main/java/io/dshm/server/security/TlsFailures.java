package io.dshm.server.security;

import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateExpiredException;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/** Why there is no TLS connection, for operators. */
final class TlsFailures {

    private static final String GAVE_UP = "it gave up in the handshake";

    private TlsFailures() {}

    /**
     * Why a handshake has failed; null if it has not. Netty takes it for a success if the other side ends TLS properly
     * in the middle of it, because nothing is left to be done then. Where certificates are needed, none has been shown
     * in that case.
     */
    static @Nullable Throwable of(SslHandshakeCompletionEvent handshake, SSLEngine engine) {
        boolean needsCertificate = engine.getUseClientMode() || engine.getNeedClientAuth();
        if (handshake.isSuccess() && needsCertificate) {
            try {
                engine.getSession().getPeerCertificates();
            } catch (SSLPeerUnverifiedException e) {
                return e;
            }
        }
        return handshake.cause();
    }

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
            if (cause instanceof RejectedExecutionException) {
                return "too many steps of handshakes wait";
            }
            if (cause instanceof SSLPeerUnverifiedException) {
                return GAVE_UP;
            }
            deepest = cause;
        }
        if (isGone(failure)) {
            return null;
        }
        String message = deepest.getMessage() == null ? deepest.getClass().getSimpleName() : deepest.getMessage();
        // A plain alert where the JDK expects an encrypted one.
        return message.startsWith("Insufficient buffer remaining for AEAD") ? GAVE_UP : message;
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
