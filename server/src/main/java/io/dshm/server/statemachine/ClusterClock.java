package io.dshm.server.statemachine;

import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.StatusReply;
import java.util.Arrays;
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
 * <p>This holds only for what the newest leader has said: the one before it may have been further ahead. So each
 * instant is kept with the term of the leader that it was learned of: what is of a later term counts as it is, and
 * what is of an earlier one does not count. The estimate then stands still until that time has come to it. A node
 * learns its leader's time by that leader's answer to a question, or by its first stamp, whatever comes first. An
 * answer that was given before that leader began to make stamps is of an earlier term: it may be ahead of what the
 * leader then goes on from.
 *
 * <p>A stamp that is applied later than it came counts from the last instant at which it can have been made. No entry
 * is made after it came into this node's log, nor after this node began to follow the next leader, lost the one that
 * made it, or ceased to lead. So an entry that waits for the next leader to be committed does not set the clock back
 * by that time.
 *
 * <p>A leader makes the stamps itself, by this estimate. Its own stamps teach it nothing: each comes back late, and to
 * believe them would slow the cluster's time down.
 *
 * <p>What a leader has found the time to be by a wall clock counts for its stamps only, until one of them is committed:
 * if it never is, the next leader goes by another wall clock, and this node must not run ahead of it for ever.
 *
 * <p>Anchored means that the estimate has run on since a stamp that was made after this node's start. A node that has
 * just started has only the log: it does not know how long ago an entry was written, until an anchored node tells it,
 * it has applied its own registration, or all nodes turn out to have just started. It asks for no share before the
 * log has its registration, so a wall clock that is wrong ends none. If the only node that has run on has not heard
 * of the last leader, its time counts all the same: it is ahead of that leader's by no more than that leader's
 * election had cost, and only for about as long as an election takes after it, because what is not heard of is
 * counted at 11/13.
 *
 * <p>Thread-safe. Reading takes no lock.
 */
public final class ClusterClock {

    /** So much of what passes by one clock passes by any other one: one 1/12 slow, this one 1/12 fast. */
    private static final long CERTAIN = 11;

    private static final long CERTAIN_OF = 13;

    /** The entries that no leader has committed yet are of a few terms; of one that is forgotten, less is known. */
    private static final int TERMS_KEPT = 16;

    /** A difference that is smaller than any other. */
    private static final long UNKNOWN = Long.MIN_VALUE / 2;

    /**
     * What readers see, swapped as a whole.
     *
     * @param baseMillis the cluster clock at an instant
     * @param baseMonotonicMillis that instant, by this machine's monotonic clock
     * @param floorMillis what has been shown already
     * @param term of the leader whose clock it was
     */
    private record Reading(long baseMillis, long baseMonotonicMillis, long floorMillis, long term) {

        long at(long monotonicMillis) {
            return baseMillis + (monotonicMillis - baseMonotonicMillis);
        }

        long certainAt(long monotonicMillis) {
            return baseMillis + (monotonicMillis - baseMonotonicMillis) * CERTAIN / CERTAIN_OF;
        }
    }

    /**
     * What this node tells another one of the time.
     *
     * @param certainMillis what is certain of it, see {@link ClusterClock}: not more than that leader's clock shows
     * @param estimateMillis what counts where nothing waits for the time
     * @param term of the leader whose time it is: this node's own while it makes the stamps; 0 if not known
     * @param anchored whether that node is anchored
     */
    public record Answer(long certainMillis, long estimateMillis, long term, boolean anchored) {

        /** A status that says this, and nothing else yet. */
        public StatusReply.Builder toStatus() {
            return StatusReply.newBuilder()
                    .setClockAnchored(anchored)
                    .setClusterTimeMillis(certainMillis)
                    .setEstimateMillis(estimateMillis)
                    .setClockTerm(term);
        }
    }

    private final LongSupplier nanoTime;

    private volatile Reading reading;
    private volatile boolean anchored;

    // Guarded by this.
    private boolean leading;
    private @Nullable RegisterNode own;

    /** The last leader that this node has followed, or been, since it started, by its term; 0 if there was none. */
    private long leaderTerm;

    /** The one before it. */
    private long earlierLeaderTerm;

    private long earlierLeaderUntilMillis;

    /** From when this node has followed the last one, by this machine's monotonic clock. */
    private long leaderSinceMillis;

    /** Until when; {@link Long#MAX_VALUE} while it does. */
    private long leaderUntilMillis = Long.MAX_VALUE;

    /** Of the thread that applies. */
    private long entryTerm;

    /** The last terms of which an entry has come into the log, each at its remainder, and when the last one came. */
    private final long[] cameOfTerm = new long[TERMS_KEPT];

    private final long[] cameMillis = new long[TERMS_KEPT];

    /** The difference that a leader's stamps go by as long as it is the largest; written under this lock. */
    private volatile long foundOffsetMillis = UNKNOWN;

    /**
     * A clock that stands at 0 until it has seen a stamp.
     *
     * @param nanoTime the machine's monotonic clock, as {@link System#nanoTime()}
     */
    public ClusterClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.reading = new Reading(UNKNOWN, monotonicMillis(), 0, 0);
        Arrays.fill(cameMillis, Long.MAX_VALUE);
    }

    /** The cluster clock as far as this node can know it. Any thread. */
    public long estimateMillis() {
        Reading current = reading;
        return Math.max(current.floorMillis, current.at(monotonicMillis()));
    }

    /** What a leader stamps an entry with now. Any thread. */
    public long stampMillis() {
        return stampAt(monotonicMillis());
    }

    private long stampAt(long monotonicMillis) {
        return Math.max(Math.max(0, reading.at(monotonicMillis)), monotonicMillis + foundOffsetMillis);
    }

    /** Whether the estimate has run on since a stamp that was made after this node's start. */
    public boolean isAnchored() {
        return anchored;
    }

    /** The entries that come from now on are of that term. Called by the state machine, as {@link #observe}. */
    public void ofTerm(long term) {
        entryTerm = term;
    }

    /**
     * Entries of that term have come into this node's log: their stamps were made before. Called before they can be
     * applied; by the thread that writes the log.
     */
    public synchronized void came(long term) {
        int at = (int) (term % TERMS_KEPT);
        cameOfTerm[at] = term;
        cameMillis[at] = monotonicMillis();
    }

    /** This start of the node registers so: an entry that holds it is made later. */
    public synchronized void registersAs(RegisterNode registration) {
        own = registration;
    }

    /** An entry has registered a node, and its stamp was observed. Called by the state machine, in log order. */
    public synchronized void registered(RegisterNode registration) {
        anchored |= registration.equals(own);
    }

    /** A log entry with this stamp has arrived. Called by the state machine for each entry, in log order. */
    public synchronized void observe(long stampMillis) {
        if (leading) {
            // A stamp of this leader's own is committed: from now on its time is everybody's.
            anchored = true;
            // The clock is read once: this thread may stand still between two readings.
            long now = monotonicMillis();
            reading = new Reading(stampAt(now), now, estimateMillis(), reading.term);
            return;
        }
        long madeMillis = Math.min(monotonicMillis(), lastStampedMillis(entryTerm));
        // Of a leader that this node has not followed, it knows the stamps in the log, and not when they were made.
        // What has passed here since an earlier leader's counts, too: see above of who has not heard of the last one.
        // The entries of a leader that it follows are applied after follow().
        boolean notFollowed = entryTerm != leaderTerm && entryTerm != earlierLeaderTerm;
        boolean onlyLogged = entryTerm > reading.term && notFollowed;
        learn(onlyLogged ? Math.max(stampMillis, reading.certainAt(madeMillis)) : stampMillis, entryTerm, madeMillis);
    }

    /**
     * A snapshot that stands at this time is loaded. It says what the time has come to, and neither when nor by which
     * leader's clock: the last entry in it may be one of Raft's own, which has no stamp. Called as {@link #observe}.
     */
    public synchronized void load(long clusterTimeMillis) {
        if (clusterTimeMillis > reading.certainAt(monotonicMillis())) {
            goOnFrom(clusterTimeMillis, Math.max(reading.term, entryTerm));
        }
    }

    /** When the leader of that term can have stamped an entry at last, by this machine's monotonic clock. */
    private long lastStampedMillis(long term) {
        int at = (int) (term % TERMS_KEPT);
        long known = cameOfTerm[at] == term ? cameMillis[at] : Long.MAX_VALUE;
        if (term > leaderTerm) {
            return known;
        }
        if (term == leaderTerm) {
            return Math.min(known, leaderUntilMillis);
        }
        return Math.min(known, term <= earlierLeaderTerm ? earlierLeaderUntilMillis : leaderSinceMillis);
    }

    /** The clock of the leader of that term had come to that time, at least, at an instant of the monotonic clock. */
    private void learn(long clusterTimeMillis, long term, long monotonicMillis) {
        Reading known = reading;
        if (term > known.term || (term == known.term && clusterTimeMillis > known.certainAt(monotonicMillis))) {
            reading = new Reading(clusterTimeMillis, monotonicMillis, estimateMillis(), term);
        }
    }

    private void goOnFrom(long clusterTimeMillis, long term) {
        reading = new Reading(clusterTimeMillis, monotonicMillis(), estimateMillis(), term);
    }

    /** What this node tells another one that asks for the time. Any thread. */
    public synchronized Answer answer() {
        long estimate = Math.max(0, reading.at(monotonicMillis()));
        return new Answer(leading ? estimate : certainMillis(true), estimate, reading.term, anchored);
    }

    private long certainMillis(boolean timeMatters) {
        long monotonic = monotonicMillis();
        return Math.max(0, timeMatters ? reading.certainAt(monotonic) : reading.at(monotonic));
    }

    /**
     * Another node's answer has arrived. A leader goes by its own clock and does not listen, nor does an anchored node
     * to one that is not.
     *
     * @param clusterTimeMillis what the answer says, certain or not as the time matters to this node
     * @param term of the leader whose time it is
     * @param byAnchored whether that node is anchored, so that this one is from now on
     */
    public synchronized void hear(long clusterTimeMillis, long term, boolean byAnchored) {
        if (leading || (anchored && !byAnchored)) {
            return;
        }
        if (byAnchored && !anchored && term < reading.term) {
            // This node knows a later leader by its log only, and not how long ago that was.
            goOnFrom(Math.max(clusterTimeMillis, certainMillis(true)), term);
        } else {
            learn(clusterTimeMillis, term, monotonicMillis());
        }
        anchored |= byAnchored;
    }

    /**
     * This node follows the leader of that term from now on. In the order of the log: the entries that this leader has
     * committed come after this call.
     */
    public synchronized void follow(long term) {
        if (term != leaderTerm) {
            endFollowing();
            earlierLeaderTerm = leaderTerm;
            earlierLeaderUntilMillis = leaderUntilMillis;
        }
        leaderTerm = term;
        leaderSinceMillis = monotonicMillis();
        leaderUntilMillis = Long.MAX_VALUE;
    }

    /** This node follows no leader any more. */
    public synchronized void endFollowing() {
        leaderUntilMillis = Math.min(leaderUntilMillis, monotonicMillis());
    }

    /** What this node, which is about to lead, has found the time to be by a wall clock. */
    public synchronized void found(long clusterTimeMillis) {
        foundOffsetMillis = clusterTimeMillis - monotonicMillis();
    }

    /**
     * This node makes the stamps from now on, in that term. All entries of earlier terms are applied.
     *
     * @param timeMatters whether anything in the state waits for the time
     */
    public synchronized void lead(long term, boolean timeMatters) {
        // After a handover that was given up, the same node leads on in the same term.
        goOnFrom(certainMillis(timeMatters && reading.term != term), term);
        follow(term);
        leading = true;
    }

    /** This node makes no stamps any more. */
    public synchronized void endLeading() {
        if (leading) {
            goOnFrom(reading.at(monotonicMillis()), reading.term);
        }
        leading = false;
        foundOffsetMillis = UNKNOWN;
        endFollowing();
    }

    /** The machine's monotonic clock, for intervals on this node; it starts anywhere. Any thread. */
    public long monotonicMillis() {
        return TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong());
    }
}
