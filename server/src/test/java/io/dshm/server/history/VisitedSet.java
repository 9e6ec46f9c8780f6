package io.dshm.server.history;

/**
 * Configurations that have been visited, as hashes of 128 bits, each with the least number of removals that one of it had
 * used up.
 */
final class VisitedSet {

    private long[] hashes = new long[1 << 11];
    private int[] removals = new int[1 << 10];
    private int size;

    /**
     * Adds a configuration.
     *
     * @return whether it, or a better one, had not been added before
     */
    boolean add(long high, long low, int removalsUsed) {
        if (2 * size > removals.length) {
            grow();
        }
        int slot = find(high, low);
        if (removals[slot] != 0 && removals[slot] <= removalsUsed + 1) {
            return false;
        }
        put(slot, high, low, removalsUsed + 1);
        return true;
    }

    /** Removals are kept with one added; 0 is a free slot. */
    private void put(int slot, long high, long low, int removalsPlusOne) {
        size += removals[slot] == 0 ? 1 : 0;
        hashes[2 * slot] = high;
        hashes[2 * slot + 1] = low;
        removals[slot] = removalsPlusOne;
    }

    private int find(long high, long low) {
        int mask = removals.length - 1;
        int slot = (int) low & mask;
        while (removals[slot] != 0 && (hashes[2 * slot] != high || hashes[2 * slot + 1] != low)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        long[] oldHashes = hashes;
        int[] oldRemovals = removals;
        hashes = new long[2 * oldHashes.length];
        removals = new int[2 * oldRemovals.length];
        size = 0;
        for (int i = 0; i < oldRemovals.length; i++) {
            if (oldRemovals[i] != 0) {
                put(
                        find(oldHashes[2 * i], oldHashes[2 * i + 1]),
                        oldHashes[2 * i],
                        oldHashes[2 * i + 1],
                        oldRemovals[i]);
            }
        }
    }
}
