package io.dshm.server.frontend;

import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Notices an event loop that hangs: it waits for memory, or runs something without end, and none of its clients is
 * served. Thread-safe.
 */
public final class LoopWatch {

    private static final long BEAT_MILLIS = 500;

    /** So long may a loop be busy, or a collector's pause be. */
    private static final long STILL_SECONDS = 3;

    private final LongSupplier nanoTime;
    private final AtomicLongArray lastNanos;

    /**
     * Watches these loops from now on.
     *
     * @param nanoTime the monotonic clock, as {@link System#nanoTime()}
     */
    public LoopWatch(List<? extends ScheduledExecutorService> loops, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.lastNanos = new AtomicLongArray(loops.size());
        for (int i = 0; i < loops.size(); i++) {
            int loop = i;
            beat(loop);
            loops.get(i).scheduleWithFixedDelay(() -> beat(loop), BEAT_MILLIS, BEAT_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void beat(int loop) {
        lastNanos.set(loop, nanoTime.getAsLong());
    }

    /** One line about the loop that has hung for longest; null if none hangs. */
    public @Nullable String problem() {
        long now = nanoTime.getAsLong();
        int still = 0;
        for (int loop = 1; loop < lastNanos.length(); loop++) {
            if (lastNanos.get(loop) - lastNanos.get(still) < 0) {
                still = loop;
            }
        }
        long seconds = TimeUnit.NANOSECONDS.toSeconds(now - lastNanos.get(still));
        return seconds < STILL_SECONDS
                ? null
                : "event loop " + still + " of " + lastNanos.length() + " has stood still for " + seconds + " s";
    }
}
