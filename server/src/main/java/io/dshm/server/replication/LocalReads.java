package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Reads from this node's store. What this node has acknowledged, its reads show, and they never go back in time; they may
 * not yet show what other nodes have acknowledged. Any thread, without locks.
 */
public final class LocalReads {

    private final Supplier<Store> store;
    private final ClusterClock clock;
    private final AcknowledgedWrites acknowledged = new AcknowledgedWrites();

    /** How many reads wait; the thread that applies looks at it, so that it need not wake lanes for nothing. */
    private final AtomicInteger waiting = new AtomicInteger();

    private volatile long appliedIndex;
    private volatile boolean caughtUp;

    /** Reads from the store that this yields; a loaded snapshot brings another one. */
    public LocalReads(Supplier<Store> store, ClusterClock clock) {
        this.store = store;
        this.clock = clock;
    }

    /** The reply to a read, from what is applied here now; see {@link #indexFor}. */
    public Reply read(Command.Get get) {
        Key key = get.key();
        Entry entry = store.get().get(key.bytes(), key.hash());
        if (entry == null) {
            return Reply.Failure.NOT_FOUND;
        }
        if (entry.expiresAtMillis() == Entry.NEVER && !entry.isLimiter()) {
            return new Reply.Value(entry.value());
        }
        long now = clock.estimateMillis();
        if (entry.isExpiredAt(now)) {
            return Reply.Failure.NOT_FOUND;
        }
        return entry.isLimiter()
                ? new Reply.IntegerValue(entry.limiter().tokensLeftAt(now))
                : new Reply.Value(entry.value());
    }

    /** Whether {@link #read} may be called for this key now, or has to wait. */
    public boolean isCurrent(Key key) {
        return isApplied(indexFor(key));
    }

    /** Whether a read that has to wait for this index need not wait any more. */
    boolean isApplied(long index) {
        return caughtUp && index <= appliedIndex;
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
