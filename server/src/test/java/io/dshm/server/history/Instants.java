package io.dshm.server.history;

/** Sorted arrays of instants. */
final class Instants {

    private Instants() {}

    /** How many of them are before an instant. */
    static int countBefore(long[] sorted, long instant) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted[middle] < instant) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
