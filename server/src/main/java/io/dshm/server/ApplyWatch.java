package io.dshm.server;

import io.dshm.proto.Limits;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Notices that committed entries are no longer applied: the thread that does it hangs, and no write is answered. It
 * knows what those see who ask it again and again, so a hang is found at the second question. Thread-safe.
 */
final class ApplyWatch {

    private final LongSupplier nanos;

    // Guarded by this.
    private long appliedIndex = -1;
    private boolean behind;
    private long behindSinceNanos;

    /**
     * Has seen nothing yet.
     *
     * @param nanos as {@link System#nanoTime}
     */
    ApplyWatch(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /**
     * One line if nothing has been applied for {@link Limits#APPLY_STILL_SECONDS} although there was something; null
     * otherwise.
     *
     * @param committed the last index that is to be applied, as known before the next one was read
     * @param applied the last index that was
     * @param loading whether a snapshot is being loaded, during which nothing is applied
     */
    synchronized @Nullable String problem(long committed, long applied, boolean loading) {
        long now = nanos.getAsLong();
        if (loading || applied >= committed) {
            behind = false;
            return null;
        }
        if (!behind || applied != appliedIndex) {
            behind = true;
            appliedIndex = applied;
            behindSinceNanos = now;
        }
        long seconds = TimeUnit.NANOSECONDS.toSeconds(now - behindSinceNanos);
        return seconds < Limits.APPLY_STILL_SECONDS
                ? null
                : "nothing has been applied for " + seconds + " s: at index " + applied + " of " + committed;
    }
}
