package io.dshm.server.history;

import java.util.Arrays;

/**
 * Configurations that have been visited: each as a hash of 128 bits of what they must not differ in, with how many optional
 * calls of each group had been used up. One that has used up no fewer of any group than another one is no better.
 */
final class VisitedSet {

    private long[] hashes = new long[1 << 11];
    private int[][][] used = new int[1 << 10][][];
    private int size;

    /**
     * Adds a configuration.
     *
     * @param usedUp is copied
     * @return whether none that is at least as good had been added before
     */
    boolean add(long high, long low, int[] usedUp) {
        if (2 * size > used.length) {
            grow();
        }
        int slot = find(high, low);
        int[][] before = used[slot];
        if (before == null) {
            size++;
            hashes[2 * slot] = high;
            hashes[2 * slot + 1] = low;
            used[slot] = new int[][] {usedUp.clone()};
            return true;
        }
        for (int[] other : before) {
            if (isNoBetter(usedUp, other)) {
                return false;
            }
        }
        used[slot] = Arrays.copyOf(before, before.length + 1);
        used[slot][before.length] = usedUp.clone();
        return true;
    }

    private static boolean isNoBetter(int[] usedUp, int[] other) {
        for (int i = 0; i < usedUp.length; i++) {
            if (usedUp[i] < other[i]) {
                return false;
            }
        }
        return true;
    }

    private int find(long high, long low) {
        int mask = used.length - 1;
        int slot = (int) low & mask;
        while (used[slot] != null && (hashes[2 * slot] != high || hashes[2 * slot + 1] != low)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        long[] oldHashes = hashes;
        int[][][] oldUsed = used;
        hashes = new long[2 * oldHashes.length];
        used = new int[2 * oldUsed.length][][];
        for (int i = 0; i < oldUsed.length; i++) {
            if (oldUsed[i] != null) {
                int slot = find(oldHashes[2 * i], oldHashes[2 * i + 1]);
                hashes[2 * slot] = oldHashes[2 * i];
                hashes[2 * slot + 1] = oldHashes[2 * i + 1];
                used[slot] = oldUsed[i];
            }
        }
    }
}
