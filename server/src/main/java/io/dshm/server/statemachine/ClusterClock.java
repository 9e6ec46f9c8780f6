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
 * <p>What a leader has found the time to be by a wall clock counts for its stamps only, until one of them is committed:
 * if it never is, the next leader goes by another wall clock, and this node must not run ahead of it for ever.
 *
 * <p>Anchored means that the estimate has run on since a leader's stamp without a restart in between. A node that has
 * just started has only the log: it does not know how long ago its last entry was written, until an anchored node
 * tells it, or all nodes turn out to have just started.
 *
 * <p>Thread-safe. Reading takes no lock.
 */
public final class ClusterClock {

    private static final long WINDOW_MILLIS = 300_000;

    /** A difference that is smaller than any other. */
    private static final long UNKNOWN = Long.MIN_VALUE / 2;

    /** What readers see, swapped as a whole. */
    private record Reading(long offsetMillis, long floorMillis) {}

    private final LongSupplier nanoTime;

    private volatile Reading reading = new Reading(UNKNOWN, 0);
    private volatile boolean anchored;

    // Guarded by this. Differences between stamps and the monotonic clock.
    private long windowStartMillis;
    private long bestOfWindow = UNKNOWN;
    private long bestOfLastWindow = UNKNOWN;
    private boolean leading;

    /** The difference that a leader's stamps go by as long as it is the largest; written under this lock. */
    private volatile long foundOffsetMillis = UNKNOWN;

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

    /** What a leader stamps an entry with now. Any thread. */
    public long stampMillis() {
        return Math.max(estimateMillis(), monotonicMillis() + foundOffsetMillis);
    }

    /** Whether the estimate has run on since a leader's stamp without a restart in between. */
    public boolean isAnchored() {
        return anchored;
    }

    /** A log entry with this stamp has arrived. Called by the state machine for each entry, in log order. */
    public synchronized void observe(long stampMillis) {
        if (leading) {
            // A stamp of this leader's own is committed: from now on its time is everybody's.
            anchored = true;
            learn(stampMillis());
        } else {
            learn(stampMillis);
        }
    }

    /** The cluster clock has come to that instant, at least. */
    private void learn(long clusterTimeMillis) {
        if (leading && clusterTimeMillis <= estimateMillis()) {
            return;
        }
        long now = monotonicMillis();
        long difference = clusterTimeMillis - now;
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

    /**
     * Another node's estimate has arrived: less than the time, never more.
     *
     * @param byAnchored whether that node is anchored and its answer is fresh, so that this one is anchored from now on
     */
    public synchronized void hear(long clusterTimeMillis, boolean byAnchored) {
        learn(clusterTimeMillis);
        anchored |= byAnchored;
    }

    /** What this node, which is about to lead, has found the time to be by a wall clock. */
    public synchronized void found(long clusterTimeMillis) {
        foundOffsetMillis = clusterTimeMillis - monotonicMillis();
    }

    /** Whether this node makes the stamps from now on. */
    public synchronized void setLeading(boolean leading) {
        this.leading = leading;
        if (!leading) {
            foundOffsetMillis = UNKNOWN;
        }
    }

    /** The machine's monotonic clock, for intervals on this node; it starts anywhere. Any thread. */
    public long monotonicMillis() {
        return TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong());
    }
}
