package io.dshm.server.statemachine;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * This node's estimate of the cluster clock between log entries, in milliseconds. It never goes back, and no wall clock
 * is read here.
 *
 * <p>How it works: a stamp that arrives tells how far the cluster clock is, at least, ahead of this machine's monotonic
 * clock; it is late by as long as it travelled. The least delayed stamp is the best one, so the largest difference
 * wins. It is taken over the last {@value #WINDOW_MILLIS} to twice as many milliseconds only, because the clocks of two
 * machines run at slightly different speeds: an old difference would let this node run ahead for ever. Minutes, because in
 * them quartz drifts by some milliseconds only, while a bad link may delay all that it carries in some seconds.
 *
 * <p>A leader makes the stamps itself, by this estimate. Its own stamps teach it nothing: each comes back late, and to
 * believe them would slow the cluster's time down a little with every window.
 *
 * <p>Anchored means that the estimate has run on since a leader's stamp without a restart in between. A node that has
 * just started has only the log: it does not know how long ago its last entry was written, until an anchored node
 * tells it, or all nodes turn out to have just started.
 *
 * <p>Thread-safe. Reading takes no lock.
 */
public final class ClusterClock {

    private static final long WINDOW_MILLIS = 300_000;

    /** What readers see, swapped as a whole. */
    private record Reading(long offsetMillis, long floorMillis) {}

    private final LongSupplier nanoTime;

    private volatile Reading reading = new Reading(Long.MIN_VALUE / 2, 0);
    private volatile boolean anchored;

    // Guarded by this. Differences between stamps and the monotonic clock.
    private long windowStartMillis;
    private long bestOfWindow = Long.MIN_VALUE / 2;
    private long bestOfLastWindow = Long.MIN_VALUE / 2;
    private boolean leading;

    /**
     * A clock that stands at 0 until it has seen a stamp.
     *
     * @param nanoTime the machine's monotonic clock, as {@link System#nanoTime()}
     */
    public ClusterClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.windowStartMillis = monotonicMillis();
    }

    /** The cluster clock as far as this node can know it. Any thread. */
    public long estimateMillis() {
        Reading current = reading;
        return Math.max(current.floorMillis, monotonicMillis() + current.offsetMillis);
    }

    /** Whether the estimate has run on since a leader's stamp without a restart in between. */
    public boolean isAnchored() {
        return anchored;
    }

    /** A log entry with this stamp has arrived. Called by the state machine for each entry, in log order. */
    public synchronized void observe(long stampMillis) {
        if (leading && stampMillis <= estimateMillis()) {
            return;
        }
        long now = monotonicMillis();
        long difference = stampMillis - now;
        if (now - windowStartMillis > WINDOW_MILLIS) {
            windowStartMillis = now;
            bestOfLastWindow = bestOfWindow;
            bestOfWindow = difference;
        } else {
            bestOfWindow = Math.max(bestOfWindow, difference);
        }
        long offset = Math.max(bestOfWindow, bestOfLastWindow);
        if (offset != reading.offsetMillis) {
            reading = new Reading(offset, estimateMillis());
        }
    }

    /** An anchored node's estimate, or what a node that starts to lead has found the time to be. */
    public synchronized void anchor(long clusterTimeMillis) {
        observe(clusterTimeMillis);
        anchored = true;
    }

    /** Whether this node makes the stamps from now on. */
    public synchronized void setLeading(boolean leading) {
        this.leading = leading;
    }

    private long monotonicMillis() {
        return TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong());
    }
}
