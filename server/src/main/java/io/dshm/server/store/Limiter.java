package io.dshm.server.store;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A rate limiter with a sliding window log: it remembers the instant of every grant. A call is granted if fewer than its
 * capacity were granted within its duration, whatever capacities and durations other calls have. All instants are of the
 * cluster clock, in milliseconds.
 *
 * <p><b>What is kept.</b> Grants of the last {@link #keepMillis}, which is the longest duration that any call has named since
 * the limiter was made, and of those the newest {@value #GRANTS_MAX}: no call has a larger capacity, so
 * none needs to count further. A duration longer than all before counts what is there when it is first named.
 *
 * <p><b>How it works.</b> A limiter is an immutable view, {@code grants[head..tail)}, of an array that it shares with
 * the views before and after it. A grant writes the first free slot and returns a view that is one longer; what fell
 * out of the window is left out of the new view by moving its head. No view ever looks at a slot that was free when it
 * was made, so a view that a reader or a snapshot holds stays as it was, for ever, and a grant copies nothing. Only
 * when the array is full, or much too large for what is left in the window, are the grants that count copied into a
 * fresh one, twice as large as needed: amortised O(1) a grant, and at most four slots for each grant that counts.
 *
 * <p><b>Threads.</b> {@link #grant} belongs to the store's writer thread, for all views of an array. Any thread may read
 * a view that was published to it safely, such as by {@link Store#get}. A grant on a view that is not the newest
 * one is allowed: the slot it would need is taken, so it gets an array of its own.
 */
public final class Limiter {

    /** Grants that are kept, at most: as many as the largest capacity that the protocol allows. */
    static final int GRANTS_MAX = 1_000_000;

    /** What a slot holds that no view has written. No clock ever stands there. */
    private static final long FREE = Long.MIN_VALUE;

    private static final long[] NO_SLOTS = {};

    /** An array longer than this many times what it must hold is given up for a smaller one. */
    private static final int SLACK_MAX = 4;

    /** Instants of the grants, never descending from {@link #head} to {@link #tail}; {@link #FREE} beyond the newest. */
    private final long[] grants;

    private final int head;
    private final int tail;
    private final int capacity;
    private final long durationMillis;
    private final long keepMillis;

    private Limiter(long[] grants, int head, int tail, int capacity, long durationMillis, long keepMillis) {
        this.grants = grants;
        this.head = head;
        this.tail = tail;
        this.capacity = capacity;
        this.durationMillis = durationMillis;
        this.keepMillis = keepMillis;
    }

    /**
     * A limiter that has granted nothing yet.
     *
     * @param capacity grants in a window, 0 (refuses always) or more
     * @param durationMillis length of the window, 0 (remembers nothing) or more
     */
    public static Limiter of(int capacity, long durationMillis) {
        requireNotNegative(capacity, durationMillis);
        return new Limiter(NO_SLOTS, 0, 0, capacity, durationMillis, durationMillis);
    }

    /**
     * A limiter as it was, from a snapshot.
     *
     * @param keepMillis see {@link #keepMillis()}
     * @param grantsMillis the instants of its grants, oldest first; copied
     * @throws IllegalArgumentException if they are not in order
     */
    public static Limiter restore(int capacity, long durationMillis, long keepMillis, long[] grantsMillis) {
        requireNotNegative(capacity, durationMillis);
        for (int i = 1; i < grantsMillis.length; i++) {
            if (grantsMillis[i - 1] > grantsMillis[i]) {
                throw new IllegalArgumentException("grants are not in order");
            }
        }
        return new Limiter(grantsMillis.clone(), 0, grantsMillis.length, capacity, durationMillis, keepMillis);
    }

    private static void requireNotNegative(int capacity, long durationMillis) {
        if (capacity < 0 || durationMillis < 0) {
            throw new IllegalArgumentException("capacity " + capacity + ", duration " + durationMillis + " ms");
        }
    }

    /**
     * Asks for one token. Writer thread only.
     *
     * <p>The call's own capacity and duration decide, and are what the limiter has from then on. A refused call takes and
     * changes nothing; but see {@link #keepingFor}.
     *
     * @param clockMillis not before the last grant
     * @param keepMillis for how long the limiter after the grant keeps grants
     * @return the limiter after the grant, or null if refused
     * @throws IllegalArgumentException if the clock went back, or capacity or duration are negative
     */
    public @Nullable Limiter grant(long clockMillis, int capacity, long durationMillis, long keepMillis) {
        requireNotNegative(capacity, durationMillis);
        if (tail > head && clockMillis < grants[tail - 1]) {
            throw new IllegalArgumentException("the clock went back from " + grants[tail - 1] + " to " + clockMillis);
        }
        if (tail - firstInWindow(clockMillis, durationMillis) >= capacity) {
            return null;
        }
        int first = Math.max(firstInWindow(clockMillis, keepMillis), tail + 1 - GRANTS_MAX);
        int live = tail - first;
        int needed = live + 1;
        boolean fits = tail < grants.length && grants[tail] == FREE && grants.length / SLACK_MAX <= needed;
        if (fits) {
            grants[tail] = clockMillis;
            return new Limiter(grants, first, tail + 1, capacity, durationMillis, keepMillis);
        }
        long[] fresh = new long[2 * needed];
        System.arraycopy(grants, first, fresh, 0, live);
        fresh[live] = clockMillis;
        Arrays.fill(fresh, needed, fresh.length, FREE);
        return new Limiter(fresh, 0, needed, capacity, durationMillis, keepMillis);
    }

    /** The same limiter, keeping grants for so long, from now on. */
    public Limiter keepingFor(long keepMillis) {
        return new Limiter(grants, head, tail, capacity, durationMillis, keepMillis);
    }

    /** Tokens left at that instant, 0 to the capacity. */
    public int tokensLeftAt(long clockMillis) {
        return Math.max(0, capacity - (tail - firstInWindow(clockMillis, durationMillis)));
    }

    /**
     * The instant from which on no call needs any grant if nothing more is granted, which is the deadline of the limiter's
     * key; {@link Entry#NEVER} if that is beyond all time, and 0 if nothing was ever granted.
     */
    public long keptUntilMillis() {
        if (tail == head) {
            return 0;
        }
        long end = grants[tail - 1] + keepMillis;
        return end < keepMillis ? Entry.NEVER : end;
    }

    /** Grants in any window; of the last call that was granted. */
    public int capacity() {
        return capacity;
    }

    /** Length of the window; of the last call that was granted. */
    public long durationMillis() {
        return durationMillis;
    }

    /** For how long grants are kept: the longest duration of all calls so far. */
    public long keepMillis() {
        return keepMillis;
    }

    /**
     * Grants that are kept: those that some call could need at the time of the last one. Their number depends on the calls alone; a
     * snapshot writes them all.
     */
    public int grantCount() {
        return tail - head;
    }

    /** The instant of a grant that is kept, 0 being the oldest, {@link #grantCount()} - 1 the last. */
    public long grantMillis(int position) {
        if (position < 0 || position >= tail - head) {
            throw new IndexOutOfBoundsException(position);
        }
        return grants[head + position];
    }

    /** Grants that are in the window at that instant: the last so many of those that are kept. */
    public int grantCountAt(long clockMillis) {
        return tail - firstInWindow(clockMillis, durationMillis);
    }

    /** The same for those that are still to be kept at that instant. */
    int keptCountAt(long clockMillis) {
        return tail - firstInWindow(clockMillis, keepMillis);
    }

    /** Slots of the array behind this view, used or not: what it costs in memory. */
    int slotCount() {
        return grants.length;
    }

    /**
     * The place of the oldest grant that counts. A grant at t counts while {@code clock - t < duration}: at exactly t +
     * duration it is out of the window.
     */
    private int firstInWindow(long clockMillis, long durationMillis) {
        int from = head;
        int to = tail;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (clockMillis - grants[middle] < durationMillis) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return from;
    }
}
