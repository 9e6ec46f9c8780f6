package io.dshm.server;

import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in the log how many entries were evicted lately, if any were: one line a look, however many they are. Confined
 * to one thread.
 */
final class EvictionLog {

    private static final Logger LOG = LoggerFactory.getLogger(EvictionLog.class);

    private final LongSupplier evictedCount;
    private long told;

    /** @param evictedCount since this process has started */
    EvictionLog(LongSupplier evictedCount) {
        this.evictedCount = evictedCount;
    }

    void look() {
        long now = evictedCount.getAsLong();
        if (now > told) {
            LOG.info("{} entries were evicted to make room in their regions, {} since the start", now - told, now);
            told = now;
        }
    }
}
