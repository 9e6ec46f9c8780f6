package io.dshm.server.statemachine;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * This node's estimate of the cluster clock between log entries, in milliseconds. It never goes back, and no wall clock
 * is read here.
 *
 * <p>How it works: a stamp that arrives tells how far the leader's clock has come, at least; it is late by as long as
 * it travelled. From there the estimate goes on with this machine's monotonic clock.
 *
 * <p><b>Who leads next makes no time pass.</b> Two machines' clocks run at different speeds, above all while somebody
 * slews them: by at most 1/12 each (see {@code server.shares}). So only 11/13 of what passes here has certainly passed
 * at the leader. A node that begins to lead goes on from what is certain, so its first stamp is not ahead of the clock
 * of the leader before it; from then on its own clock is the cluster's, at full speed. Between two stamps of any two
 * leaders, therefore, the cluster's clock gains no more than one clock that is slewed. The price: an election may let
 * the clock stand still for up to 2/13 of the time since the last stamp. While anything in the state waits for the
 * time, stamps come at least every second; while nothing does, there is nothing to be wrong about, and the next leader
 * goes on from its estimate.
 *
 * <p>This holds only for what the present leader has said: the one before it may have been further ahead. So a new
 * leader's answer to the question for the time counts as it is, and the estimate stands still until that time has come
 * to it. A node that begins to lead before it had the answer goes by what it has seen of that leader's stamps.
 *
 * <p>A leader makes the stamps itself, by this estimate. Its own stamps teach it nothing: each comes back late, and to
 * believe them would slow the cluster's time down.
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

    /** So much of what passes by one clock passes by any other one: one 1/12 slow, this one 1/12 fast. */
    private static final long CERTAIN = 11;

    private static final long CERTAIN_OF = 13;

    /** A difference that is smaller than any other. */
    private static final long UNKNOWN = Long.MIN_VALUE / 2;

    /**
     * What readers see, swapped as a whole.
     *
     * @param baseMillis the cluster clock at an instant
     * @param baseMonotonicMillis that instant, by this machine's monotonic clock
     * @param floorMillis what has been shown already
     */
    private record Reading(long baseMillis, long baseMonotonicMillis, long floorMillis) {

        long at(long monotonicMillis) {
            return baseMillis + (monotonicMillis - baseMonotonicMillis);
        }

        long certainAt(long monotonicMillis) {
            return baseMillis + (monotonicMillis - baseMonotonicMillis) * CERTAIN / CERTAIN_OF;
        }

        long after(long monotonicMillis, boolean fullSpeed) {
            return fullSpeed ? at(monotonicMillis) : certainAt(monotonicMillis);
        }
    }

    private final LongSupplier nanoTime;

    private volatile Reading reading;
    private volatile boolean anchored;

    // Guarded by this.
    private boolean leading;
    /** The term of a leader that this node follows and that has not said yet what time it is; 0 if there is none. */
    private long followedTerm;

    /** What was seen of stamps of that leader; null if that was nothing. */
    private @Nullable Reading seenOfIt;

    /** Of the thread that applies. */
    private long entryTerm;

    /** The difference that a leader's stamps go by as long as it is the largest; written under this lock. */
    private volatile long foundOffsetMillis = UNKNOWN;

    /**
     * A clock that stands at 0 until it has seen a stamp.
     *
     * @param nanoTime the machine's monotonic clock, as {@link System#nanoTime()}
     */
    public ClusterClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.reading = new Reading(UNKNOWN, monotonicMillis(), 0);
    }

    /** The cluster clock as far as this node can know it. Any thread. */
    public long estimateMillis() {
        Reading current = reading;
        return Math.max(current.floorMillis, current.at(monotonicMillis()));
    }

    /** What a leader stamps an entry with now. Any thread. */
    public long stampMillis() {
        long monotonic = monotonicMillis();
        return Math.max(Math.max(0, reading.at(monotonic)), monotonic + foundOffsetMillis);
    }

    /** Whether the estimate has run on since a leader's stamp without a restart in between. */
    public boolean isAnchored() {
        return anchored;
    }

    /** The entries that come from now on are of that term. Called by the state machine, as {@link #observe}. */
    public void ofTerm(long term) {
        entryTerm = term;
    }

    /** A log entry with this stamp has arrived. Called by the state machine for each entry, in log order. */
    public synchronized void observe(long stampMillis) {
        if (leading) {
            // A stamp of this leader's own is committed: from now on its time is everybody's.
            anchored = true;
            goOnFrom(stampMillis());
            return;
        }
        learn(stampMillis);
        long monotonic = monotonicMillis();
        if (followedTerm != 0
                && entryTerm >= followedTerm
                && (seenOfIt == null || stampMillis > seenOfIt.certainAt(monotonic))) {
            seenOfIt = new Reading(stampMillis, monotonic, 0);
        }
    }

    /** The leader's clock has come to that instant, at least. */
    private void learn(long clusterTimeMillis) {
        if (clusterTimeMillis > reading.certainAt(monotonicMillis())) {
            goOnFrom(clusterTimeMillis);
        }
    }

    private void goOnFrom(long clusterTimeMillis) {
        reading = new Reading(clusterTimeMillis, monotonicMillis(), estimateMillis());
    }

    /**
     * What of the time is certain, see above: not more than the leader's clock shows. Any thread.
     *
     * @param timeMatters whether anything in the state waits for the time
     */
    public synchronized long certainMillis(boolean timeMatters) {
        long monotonic = monotonicMillis();
        boolean fullSpeed = leading || !timeMatters;
        long millis = reading.after(monotonic, fullSpeed);
        return Math.max(0, seenOfIt == null ? millis : Math.min(millis, seenOfIt.after(monotonic, fullSpeed)));
    }

    /**
     * Another node's {@link #certainMillis} has arrived.
     *
     * @param byAnchored whether that node is anchored and its answer is fresh, so that this one is anchored from now on
     */
    public synchronized void hear(long clusterTimeMillis, boolean byAnchored) {
        if (!leading && byAnchored && followedTerm != 0) {
            setFollowed(0);
            goOnFrom(clusterTimeMillis);
        } else if (!leading) {
            learn(clusterTimeMillis);
        }
        anchored |= byAnchored;
    }

    /** What this node, which is about to lead, has found the time to be by a wall clock. */
    public synchronized void found(long clusterTimeMillis) {
        foundOffsetMillis = clusterTimeMillis - monotonicMillis();
    }

    /** Another node leads from now on, in that term: its answer says what time it is. */
    public synchronized void follow(long term) {
        setFollowed(term);
    }

    private void setFollowed(long term) {
        followedTerm = term;
        seenOfIt = null;
    }

    /**
     * This node makes the stamps from now on.
     *
     * @param timeMatters whether anything in the state waits for the time
     */
    public synchronized void lead(boolean timeMatters) {
        goOnFrom(certainMillis(timeMatters));
        setFollowed(0);
        leading = true;
    }

    /** This node makes no stamps any more. */
    public synchronized void endLeading() {
        if (leading) {
            goOnFrom(reading.at(monotonicMillis()));
        }
        leading = false;
        foundOffsetMillis = UNKNOWN;
    }

    /** The machine's monotonic clock, for intervals on this node; it starts anywhere. Any thread. */
    public long monotonicMillis() {
        return TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong());
    }
}
