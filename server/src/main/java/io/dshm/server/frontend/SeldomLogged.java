package io.dshm.server.frontend;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** An event that clients may cause at any rate, and that is logged at most once in ten seconds. Thread-safe. */
final class SeldomLogged {

    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final LongSupplier nanoTime;
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong nextNanos;

    /** @param nanoTime the monotonic clock, as {@link System#nanoTime()} */
    SeldomLogged(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.nextNanos = new AtomicLong(nanoTime.getAsLong());
    }

    /** Counts one event. Returns how many there were since the last log line, this one included, if it is to be logged now; else 0. */
    long next() {
        count.incrementAndGet();
        long now = nanoTime.getAsLong();
        long next = nextNanos.get();
        return now - next >= 0 && nextNanos.compareAndSet(next, now + INTERVAL_NANOS) ? count.getAndSet(0) : 0;
    }
}
