package io.dshm.server.guard;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** An event that may happen at any rate, and that is logged at a bounded one. Thread-safe. */
public final class SeldomLogged {

    private final LongSupplier nanoTime;
    private final long intervalNanos;
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong nextNanos;

    /**
     * No event has happened yet: the first one is to be logged.
     *
     * @param nanoTime the monotonic clock, as {@link System#nanoTime()}
     * @param interval between two lines, at least
     */
    public SeldomLogged(LongSupplier nanoTime, Duration interval) {
        this.nanoTime = nanoTime;
        this.intervalNanos = interval.toNanos();
        this.nextNanos = new AtomicLong(nanoTime.getAsLong());
    }

    /**
     * Counts one event. Returns how many there were since the last log line, this one included, if it is to be logged
     * now; else 0.
     */
    public long next() {
        count.incrementAndGet();
        long now = nanoTime.getAsLong();
        long next = nextNanos.get();
        return now - next >= 0 && nextNanos.compareAndSet(next, now + intervalNanos) ? count.getAndSet(0) : 0;
    }
}
