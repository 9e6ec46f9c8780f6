package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.Entry;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Reads from this node's store. Any thread, without locks.
 *
 * <p>Local reads show what this node has acknowledged, and never go back in time; they may not yet show what other nodes
 * have acknowledged. They judge deadlines by this node's estimate of the cluster clock.
 *
 * <p>Linearizable reads are answered here, too, after a {@linkplain ReadRounds round}. They judge deadlines by the logged
 * clock alone, which is part of the state that all nodes share: two nodes' estimates differ.
 */
public final class LocalReads {

    /** Between two confirmations that a leader leads, when nothing else asks for any: so old is the lag that is shown. */
    private static final long CONFIRM_MILLIS = 1_000;

    /** How many confirmations there are in the time that a read may be stale. */
    private static final int CONFIRMS_PER_STALENESS = 4;

    /** No round has come to an end yet. */
    private static final long NEVER = Long.MIN_VALUE;

    private final StateMachine stateMachine;
    private final ClusterClock clock;
    private final LongSupplier nanoTime;
    private final long maxStalenessMillis;
    private final AcknowledgedWrites acknowledged = new AcknowledgedWrites();

    /** How many reads wait; the thread that applies looks at it, so that it need not wake lanes for nothing. */
    private final AtomicInteger waiting = new AtomicInteger();

    /** When the last round began that has come to an end. */
    private final AtomicLong confirmedNanos = new AtomicLong(NEVER);

    private volatile long appliedIndex;
    private volatile boolean caughtUp;

    /**
     * Reads from what is applied here.
     *
     * @param nanoTime the machine's monotonic clock, as {@link System#nanoTime()}
     * @param maxStalenessMillis how old the state may be that a local read shows, or 0 for no bound
     */
    public LocalReads(StateMachine stateMachine, ClusterClock clock, LongSupplier nanoTime, long maxStalenessMillis) {
        this.stateMachine = stateMachine;
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.maxStalenessMillis = maxStalenessMillis;
    }

    /** The reply to a local read, from what is applied here now; see {@link #isCurrent}. */
    public Reply read(Command.Get get) {
        Key key = get.key();
        Entry entry = stateMachine.store().get(key.bytes(), key.hash());
        if (entry == null) {
            return Reply.Failure.NOT_FOUND;
        }
        if (!entry.hasDeadline() && !entry.isLimiter()) {
            return new Reply.Value(entry.value());
        }
        return replyAsOf(entry, clock.estimateMillis());
    }

    /** The reply to a linearizable read; after a round, and after the time was logged if {@link #isDueUnlogged}. */
    Reply readLogged(Key key) {
        StateMachine.Sighting seen = stateMachine.look(key.bytes(), key.hash());
        return seen.entry() == null ? Reply.Failure.NOT_FOUND : replyAsOf(seen.entry(), seen.clockMillis());
    }

    /** Whether an entry has reached its deadline by this node's estimate of the time, and the log does not say so yet. */
    boolean isDueUnlogged(Key key) {
        StateMachine.Sighting seen = stateMachine.look(key.bytes(), key.hash());
        Entry entry = seen.entry();
        return entry != null && !entry.isExpiredAt(seen.clockMillis()) && entry.isExpiredAt(clock.estimateMillis());
    }

    private static Reply replyAsOf(Entry entry, long clockMillis) {
        if (entry.isExpiredAt(clockMillis)) {
            return Reply.Failure.NOT_FOUND;
        }
        return entry.isLimiter()
                ? new Reply.IntegerValue(entry.limiter().tokensLeftAt(clockMillis))
                : new Reply.Value(entry.value());
    }

    /** Whether a local {@link #read} of this key may be answered now, or has to wait. */
    public boolean isCurrent(Key key) {
        return isApplied(indexFor(key)) && !isStale();
    }

    /** Whether this node's state may be older than a local read may show. */
    boolean isStale() {
        if (maxStalenessMillis == 0) {
            return false;
        }
        long lag = lagMillis();
        return lag < 0 || lag > maxStalenessMillis;
    }

    /**
     * A round that began at that {@link System#nanoTime()} is over: all that was acknowledged anywhere before it is
     * applied here.
     */
    void onConfirmed(long begunNanos) {
        confirmedNanos.accumulateAndGet(begunNanos, (last, begun) -> last == NEVER || begun - last > 0 ? begun : last);
    }

    /**
     * How old the state is, at most, that local reads show, in milliseconds: everything that was acknowledged anywhere
     * before that is applied here. -1 before the first confirmation.
     */
    public long lagMillis() {
        long confirmed = confirmedNanos.get();
        return confirmed == NEVER ? -1 : TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - confirmed);
    }

    /** How often a node has to have its state confirmed, in milliseconds. */
    long confirmIntervalMillis() {
        return maxStalenessMillis == 0
                ? CONFIRM_MILLIS
                : Math.min(CONFIRM_MILLIS, maxStalenessMillis / CONFIRMS_PER_STALENESS);
    }

    /**
     * Whether a read that has to wait for this index need not wait any more. After a start, it also waits until this node
     * knows the time: what it showed as expired before must not come alive again.
     */
    boolean isApplied(long index) {
        return caughtUp && clock.isAnchored() && index <= appliedIndex;
    }

    /** The log index that must be applied here before this key is read. */
    long indexFor(Key key) {
        return acknowledged.indexFor(key.hash());
    }

    AcknowledgedWrites acknowledged() {
        return acknowledged;
    }

    AtomicInteger waiting() {
        return waiting;
    }

    /** The index of the last entry applied here. */
    public long appliedIndex() {
        return appliedIndex;
    }

    /** An entry was applied. Called by the thread that applies, before anybody learns an outcome of that entry. */
    public void onApplied(long index) {
        appliedIndex = index;
    }

    /**
     * This node has applied all that was committed when it started. Before that, its store is on the way from its last
     * snapshot to the present, and shows none of it.
     */
    public void onCaughtUp() {
        caughtUp = true;
    }

    /** Whether this node has been up to date since it started. */
    public boolean isCaughtUp() {
        return caughtUp;
    }
}
