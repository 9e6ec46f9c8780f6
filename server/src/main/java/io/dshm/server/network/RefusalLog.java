package io.dshm.server.network;

import io.dshm.server.guard.SeldomLogged;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs refusals, at a bounded rate, however many there are. Thread-safe. */
public final class RefusalLog {

    private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);

    private static final Duration QUIET = Duration.ofSeconds(10);

    private final String where;
    private final SeldomLogged rate;

    /** @param where for whoever reads it: which port */
    public RefusalLog(String where, LongSupplier nanoTime) {
        this.where = where;
        this.rate = new SeldomLogged(nanoTime, QUIET);
    }

    /** Logs it, or counts it if something was logged a moment ago. */
    public void refused(Object who, String why) {
        long count = rate.next();
        if (count > 0) {
            LOG.warn(
                    "{}: refused {}: {}{}",
                    where,
                    who,
                    why,
                    count == 1 ? "" : " (and " + (count - 1) + " others before)");
        }
    }
}
