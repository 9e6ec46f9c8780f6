package io.dshm.client;

import io.dshm.proto.Limits;

/**
 * An identity of writes with their numbers, so that a write that is sent twice takes effect once. The cluster knows the
 * outcomes of the latest {@link Limits#CLIENT_OUTCOMES_MAX} numbers, so none is given out that is further from one that
 * is outstanding.
 */
final class Identity {

    /** A little less than the cluster knows. */
    private static final int WINDOW = Limits.CLIENT_OUTCOMES_MAX - 24;

    private final long client;
    private final boolean[] outstanding = new boolean[Limits.CLIENT_OUTCOMES_MAX];

    /** 1 is the number of the write that makes it known. */
    private long nextSequence = 2;

    private long lowest = 2;
    private boolean known;
    private long usedNanos;

    /** @param client a random number of at most 18 digits */
    Identity(long client) {
        this.client = client;
    }

    long client() {
        return client;
    }

    /** The lowest number that is outstanding or was not given out yet. */
    long lowest() {
        return lowest;
    }

    boolean isIdle() {
        return lowest == nextSequence;
    }

    boolean isKnown() {
        return known;
    }

    /** When the cluster last answered to it, by {@link System#nanoTime}. */
    long usedNanos() {
        return usedNanos;
    }

    /** From now on the cluster knows it. */
    void becomeKnown(long nowNanos) {
        known = true;
        usedNanos = nowNanos;
    }

    boolean hasRoom() {
        return nextSequence - lowest < WINDOW;
    }

    /** The number of the next write. There has to be room. */
    long take() {
        long sequence = nextSequence++;
        outstanding[slot(sequence)] = true;
        return sequence;
    }

    /** Nobody waits for the outcome of that write any more. */
    void giveBack(long sequence, long nowNanos) {
        outstanding[slot(sequence)] = false;
        usedNanos = nowNanos;
        while (lowest < nextSequence && !outstanding[slot(lowest)]) {
            lowest++;
        }
    }

    private int slot(long sequence) {
        return (int) (sequence % outstanding.length);
    }
}
