package io.dshm.server.store;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A region that has a limit, and what its entries take: {@link EntryBytes#of} over those that are not purged.
 *
 * <p>What was in the region before it got its limit is counted segment by segment. Until that is done, a change in a
 * segment that is still to be counted changes nothing here.
 *
 * <p>Read by any thread, written by the store's writer, except where it says otherwise.
 */
public final class RegionUse {

    private final byte[] region;

    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong entries = new AtomicLong();

    /** What is on its way and not applied; see {@link #onWay}. */
    private final AtomicLong onWay = new AtomicLong();

    private volatile long bytesMax;
    private volatile boolean evicts;

    /** All segments before this one are counted. */
    private volatile int segmentsCounted;

    /**
     * A region in which nothing is counted yet.
     *
     * @param empty whether there is nothing in it
     */
    RegionUse(byte[] region, boolean empty) {
        this.region = region.clone();
        this.segmentsCounted = empty ? Table.SEGMENTS : 0;
    }

    void limit(long newBytesMax, boolean nowEvicts) {
        bytesMax = newBytesMax;
        evicts = nowEvicts;
    }

    /** Its name, empty for the default region; not to be changed. */
    public byte[] region() {
        return region;
    }

    /** What its entries may take, in bytes. */
    public long bytesMax() {
        return bytesMax;
    }

    /** Whether it makes room when it is full, unless a command says what is to be done. */
    public boolean evicts() {
        return evicts;
    }

    /** What its entries take, in bytes; too little until {@link #isCounted}. */
    public long bytes() {
        return bytes.getAcquire();
    }

    /** How many entries it has, expired ones that are not purged among them; too few until {@link #isCounted}. */
    public long entries() {
        return entries.getAcquire();
    }

    /**
     * What commands that are proposed and not yet applied add to it, in bytes, as their leader sees it. Any thread may
     * change it.
     */
    public AtomicLong onWay() {
        return onWay;
    }

    /** Whether all of it is counted. */
    public boolean isCounted() {
        return segmentsCounted == Table.SEGMENTS;
    }

    int nextSegment() {
        return segmentsCounted;
    }

    void segmentCounted(long moreEntries, long moreBytes) {
        Store.add(entries, moreEntries);
        Store.add(bytes, moreBytes);
        // One thread writes it.
        int counted = segmentsCounted;
        segmentsCounted = counted + 1;
    }

    void count(int segment, int moreEntries, long moreBytes) {
        if (segment < segmentsCounted) {
            Store.add(entries, moreEntries);
            Store.add(bytes, moreBytes);
        }
    }
}
