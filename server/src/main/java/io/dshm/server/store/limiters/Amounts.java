package io.dshm.server.store.limiters;

import java.util.Arrays;

/**
 * How many tokens the grants of a {@link SlidingLog} are of: for each, the sum of it and all before it, so that what a window holds is
 * one subtraction. Places and arrays are those of the log; a view shares arrays with the views before it in the same way.
 */
final class Amounts {

    /** Null where all grants of a chunk, and all before them, are of one token. */
    private final long[][] full;

    private final long[] sums;

    /** Where there is no array: what is added to a place for its sum. */
    private final long ones;

    /** The sum before the log's first grant; more, if a part of that grant was given back. */
    private final long base;

    private Amounts(long[][] full, long[] sums, long ones, long base) {
        this.full = full;
        this.sums = sums;
        this.ones = ones;
        this.base = base;
    }

    /** Of a log whose grants were of one token each so far; {@code used} slots of its last array are taken. */
    static Amounts ofOnes(int chunks, int slots, int head, int used) {
        long[] sums = new long[slots];
        for (int slot = 0; slot < used; slot++) {
            sums[slot] = (long) chunks * SlidingLog.CHUNK_SLOTS + slot + 1;
        }
        return new Amounts(new long[chunks][], sums, 1, head);
    }

    /** Of a log that begins at place 0, from a snapshot. */
    static Amounts restore(long[] amounts, int count) {
        if (amounts.length != count) {
            throw new IllegalArgumentException(amounts.length + " amounts of " + count + " grants");
        }
        long[] sums = new long[count];
        long sum = 0;
        for (int i = 0; i < count; i++) {
            if (amounts[i] <= 0) {
                throw new IllegalArgumentException("a grant of " + amounts[i]);
            }
            sum += amounts[i];
            sums[i] = sum;
        }
        long[][] full = SlidingLog.chunksOf(sums);
        return new Amounts(full, Arrays.copyOfRange(sums, full.length * SlidingLog.CHUNK_SLOTS, count), 0, 0);
    }

    long base() {
        return base;
    }

    /** The sum of the grants up to that place, which is one of the log's. */
    long upTo(int place) {
        int chunk = place / SlidingLog.CHUNK_SLOTS;
        if (chunk >= full.length) {
            return sums[place - full.length * SlidingLog.CHUNK_SLOTS];
        }
        long[] sumsThere = full[chunk];
        return sumsThere == null ? ones + place : sumsThere[place % SlidingLog.CHUNK_SLOTS];
    }

    /** The same of a log that begins behind that sum. */
    Amounts startingAt(long base) {
        return new Amounts(full, sums, ones, base);
    }

    /** The same with one grant more, whose slot of the last array is free. */
    Amounts with(int slot, long sum, long base) {
        sums[slot] = sum;
        return startingAt(base);
    }

    /** See {@link SlidingLog}: the grants from one place to another, in a fresh array of so many slots. */
    Amounts compacted(int first, int tail, int slots, long base) {
        long[] fresh = new long[slots];
        for (int place = first; place < tail; place++) {
            fresh[place - first] = upTo(place);
        }
        return new Amounts(new long[0][], fresh, 0, base);
    }

    /** See {@link SlidingLog}: without so many chunks, and with a last one of full size in which so many slots are taken. */
    Amounts extended(int dropped, boolean isFull, int taken, long base) {
        long[][] kept = Arrays.copyOfRange(full, dropped, full.length + (isFull ? 1 : 0));
        if (isFull) {
            kept[kept.length - 1] = sums;
        }
        long[] fresh = new long[SlidingLog.CHUNK_SLOTS];
        System.arraycopy(sums, 0, fresh, 0, taken);
        return new Amounts(kept, fresh, ones + (long) dropped * SlidingLog.CHUNK_SLOTS, base);
    }
}
