package io.dshm.server.frontend;

import io.dshm.server.guard.SeldomLogged;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is denied, in the log: seldom, without a secret, and without a name that a client has sent, which may be a
 * secret in the wrong place. Thread-safe.
 */
final class AccessLog {

    private static final Logger LOG = LoggerFactory.getLogger(AccessLog.class);

    private final SeldomLogged wrong;
    private final SeldomLogged denied;

    /** @param nanoTime the monotonic clock, as {@link System#nanoTime()} */
    AccessLog(LongSupplier nanoTime) {
        wrong = new SeldomLogged(nanoTime, ClientListener.LOG_INTERVAL);
        denied = new SeldomLogged(nanoTime, ClientListener.LOG_INTERVAL);
    }

    /** Somebody came with a wrong user or secret. */
    void onWrongSecret(Object client) {
        long times = wrong.next();
        if (times > 0) {
            LOG.warn("{} times a wrong user or secret, the last time from {}", times, client);
        }
    }

    /** A user wanted what it may not do. */
    void onDenied(String user, CommandKind kind, Object client) {
        long times = denied.next();
        if (times > 0) {
            LOG.warn("denied {} requests, the last of them {} of the user {} at {}", times, kind.label(), user, client);
        }
    }
}
