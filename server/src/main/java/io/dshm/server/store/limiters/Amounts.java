package io.dshm.server.store.limiters;

/**
 * How many tokens the grants of a {@link SlidingLog} are of: for each, the sum of it and all before it, so that what a
 * window holds is one subtraction.
 *
 * @param sums beside the log's last array: a view shares it with the views before it in the same way. Those of grants
 *     before are in the {@link Chunks}
 * @param base the sum before the log's first grant; more, if a part of that grant was given back
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record Amounts(long[] sums, long base) {

    /** Of a log whose grants were of one token each so far; {@code used} slots of its last array are taken. */
    static Amounts ofOnes(int start, int slots, int head, int used) {
        long[] sums = new long[slots];
        for (int slot = 0; slot < used; slot++) {
            sums[slot] = (long) start + slot + 1;
        }
        return new Amounts(sums, head);
    }

    /**
     * For each amount the sum of it and all before it.
     *
     * @throws IllegalArgumentException if there are not so many amounts, or one is not positive
     */
    static long[] sumsOf(long[] amounts, int count) {
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
        return sums;
    }

    /** The same of a log that begins behind that sum. */
    Amounts startingAt(long base) {
        return new Amounts(sums, base);
    }

    /** The same with one grant more, whose slot of the last array is free. */
    Amounts with(int slot, long sum, long base) {
        sums[slot] = sum;
        return startingAt(base);
    }
}
