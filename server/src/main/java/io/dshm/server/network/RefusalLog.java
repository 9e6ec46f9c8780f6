package io.dshm.server.network;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs refusals, at a bounded rate, however many there are. Thread-safe. */
public final class RefusalLog {

    private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);

    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String where;
    private final LongSupplier nanoTime;
    private boolean begun;
    private long saidNanos;
    private long unsaid;

    /** @param where for whoever reads it: which port */
    public RefusalLog(String where, LongSupplier nanoTime) {
        this.where = where;
        this.nanoTime = nanoTime;
    }

    /** Logs it, or counts it if something was logged a moment ago. */
    public void refused(Object who, String why) {
        long others;
        synchronized (this) {
            long now = nanoTime.getAsLong();
            if (begun && now - saidNanos < QUIET_NANOS) {
                unsaid++;
                return;
            }
            begun = true;
            saidNanos = now;
            others = unsaid;
            unsaid = 0;
        }
        LOG.warn("{}: refused {}: {}{}", where, who, why, others == 0 ? "" : " (and " + others + " others before)");
    }
}
