package io.dshm.server.replication.reads;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How long this node takes to apply what the leader has acknowledged already: so old are its local reads. Measured with
 * the writes that were taken here while another node led, one at a time. Any thread, without locks.
 */
final class ApplyDelay {

    private static final long NONE = 0;
    private static final long BEGINNING = -1;

    /** A sample counts an eighth. */
    private static final int WEIGHT = 8;

    private final LongSupplier nanoTime;
    private final LongSupplier appliedIndex;

    /** The index whose application is waited for. */
    private final AtomicLong awaited = new AtomicLong(NONE);

    /**
     * When it was acknowledged. Belongs to whoever has set {@link #awaited} to {@link #BEGINNING}, then to the apply
     * thread.
     */
    private long sinceNanos;

    private volatile long averageNanos = -1;

    ApplyDelay(LongSupplier nanoTime, LongSupplier appliedIndex) {
        this.nanoTime = nanoTime;
        this.appliedIndex = appliedIndex;
    }

    /** A write at that index, which is not applied here, is acknowledged now. */
    void onAcknowledged(long index) {
        if (awaited.get() != NONE || !awaited.compareAndSet(NONE, BEGINNING)) {
            return;
        }
        sinceNanos = nanoTime.getAsLong();
        awaited.set(index);
        if (appliedIndex.getAsLong() >= index) {
            // Meanwhile, and the apply thread may have missed it. No sample.
            awaited.compareAndSet(index, NONE);
        }
    }

    /** That index is applied. Called by the thread that applies. */
    void onApplied(long index) {
        long waited = awaited.get();
        if (waited <= NONE || index < waited) {
            return;
        }
        long delay = nanoTime.getAsLong() - sinceNanos;
        if (awaited.compareAndSet(waited, NONE)) {
            long before = averageNanos;
            averageNanos = before < 0 ? delay : before + (delay - before) / WEIGHT;
        }
    }

    /** A moving average, in microseconds; -1 while there was no such write. */
    long averageMicros() {
        long average = averageNanos;
        return average < 0 ? -1 : TimeUnit.NANOSECONDS.toMicros(average);
    }
}
