package io.dshm.client;

import java.net.ConnectException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Why a connection failed, in a few words. */
final class Reasons {

    private Reasons() {}

    static String of(@Nullable Throwable cause) {
        if (cause instanceof ConnectException) {
            return "connection refused";
        }
        if (cause instanceof UnknownHostException) {
            return "no such host";
        }
        if (cause == null) {
            return "unknown";
        }
        Throwable root = cause;
        while (cause instanceof SSLException && root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }
}
