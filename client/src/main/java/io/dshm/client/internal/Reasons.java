package io.dshm.client.internal;

import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Why a node was not reached, in a few words. */
public final class Reasons {

    private Reasons() {}

    /** Of what went wrong; null if nobody knows. */
    public static String of(@Nullable Throwable cause) {
        if (cause == null) {
            return "unknown";
        }
        if (cause instanceof UnknownHostException) {
            return "no such host";
        }
        if (cause instanceof SocketTimeoutException) {
            return "no answer in time";
        }
        if (cause instanceof ConnectException) {
            return "connection refused";
        }
        return cause instanceof SSLException ? ofTls(cause) : message(cause);
    }

    private static String ofTls(Throwable cause) {
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = message(root);
        if (message.contains("unable to find valid certification path")) {
            return "its certificate is of an authority that is not believed (with dshm, --ca FILE names one)";
        }
        if (message.contains("Unsupported or unrecognized SSL message")) {
            return "it takes no TLS";
        }
        return message;
    }

    private static String message(Throwable cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
}
