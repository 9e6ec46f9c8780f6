package io.dshm.server.replication.reads;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Which log index a read has to wait for, so that it misses no write that this node has acknowledged.
 *
 * <p>A follower replies to a write as soon as the leader has applied it; its own store follows a moment later. Only a
 * read of the same key in that moment has to wait. Keys share {@value #STRIPES} numbers by their hashes: a collision
 * makes a read wait without need, for a moment; no read that has to wait is answered too early. Thread-safe, without
 * locks.
 */
final class AcknowledgedWrites {

    private static final int STRIPES = 1 << 14;

    private final AtomicLongArray indexes = new AtomicLongArray(STRIPES);
    private final AtomicLong wholeRegions = new AtomicLong();

    /**
     * The highest index of all. Mostly it is applied, and tells it of every key: the numbers of single keys are in the
     * processor's cache only if they are asked for all the time.
     */
    private final AtomicLong highest = new AtomicLong();

    /** A write of a key with that hash was acknowledged, and is in the log at that index. */
    void record(int keyHash, long index) {
        indexes.accumulateAndGet(stripe(keyHash), index, Math::max);
        raiseHighest(index);
    }

    /** A write that may have concerned any key was acknowledged. */
    void recordAll(long index) {
        wholeRegions.accumulateAndGet(index, Math::max);
        raiseHighest(index);
    }

    /** After the number of the key or of whole regions, so that whoever sees this sees that, too. */
    private void raiseHighest(long index) {
        // The commands of an entry have one index: only the first of them writes to what all lanes read.
        if (highest.get() < index) {
            highest.accumulateAndGet(index, Math::max);
        }
    }

    /**
     * The index that must be applied here before a key with that hash is read, or 0.
     *
     * @param applied what is applied here; an index up to that may be told as 0
     */
    long indexFor(int keyHash, long applied) {
        return highest.get() <= applied ? 0 : Math.max(indexes.get(stripe(keyHash)), wholeRegions.get());
    }

    /** The index that must be applied here before keys are read that nobody knows yet, or 0. */
    long indexForAll() {
        long index = wholeRegions.get();
        for (int i = 0; i < STRIPES; i++) {
            index = Math.max(index, indexes.get(i));
        }
        return index;
    }

    private static int stripe(int keyHash) {
        return keyHash & (STRIPES - 1);
    }
}
