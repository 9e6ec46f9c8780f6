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
 * fresh one, twice as large as needed: amortised O(1) a grant, and at most four slots for each grant that counts. An array
 * has at most {@value #CHUNK_SLOTS} slots, so that no grant takes long: when such a one is full, it is put beside those that
 * were full before ({@link #full}), and the next one is begun.
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

    static final int CHUNK_SLOTS = 8192;

    private static final long[][] NO_CHUNKS = {};

    /** The first grants of many: arrays of {@value #CHUNK_SLOTS} slots, all of them written. Nobody changes it. */
    private final long[][] full;

    /**
     * The newest grants, behind those of {@link #full}. Places are counted over both. Instants never descend from
     * {@link #head} to {@link #tail}; {@link #FREE} beyond the newest.
     */
    private final long[] grants;

    private final int head;
    private final int tail;
    private final int capacity;
    private final long durationMillis;
    private final long keepMillis;

    private Limiter(
            long[][] full, long[] grants, int head, int tail, int capacity, long durationMillis, long keepMillis) {
        this.full = full;
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
        return new Limiter(NO_CHUNKS, NO_SLOTS, 0, 0, capacity, durationMillis, durationMillis);
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
        int count = grantsMillis.length;
        long[][] full = new long[count / CHUNK_SLOTS][];
        for (int i = 0; i < full.length; i++) {
            full[i] = Arrays.copyOfRange(grantsMillis, i * CHUNK_SLOTS, (i + 1) * CHUNK_SLOTS);
        }
        long[] rest = Arrays.copyOfRange(grantsMillis, full.length * CHUNK_SLOTS, count);
        return new Limiter(full, rest, 0, count, capacity, durationMillis, keepMillis);
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
        if (tail > head && clockMillis < at(tail - 1)) {
            throw new IllegalArgumentException("the clock went back from " + at(tail - 1) + " to " + clockMillis);
        }
        if (tail - firstInWindow(clockMillis, durationMillis) >= capacity) {
            return null;
        }
        int first = Math.max(firstInWindow(clockMillis, keepMillis), tail + 1 - GRANTS_MAX);
        int needed = tail - first + 1;
        int next = tail - full.length * CHUNK_SLOTS;
        boolean fits = next < grants.length && grants[next] == FREE && slotCount() / SLACK_MAX <= needed;
        if (fits) {
            grants[next] = clockMillis;
            return new Limiter(full, grants, first, tail + 1, capacity, durationMillis, keepMillis);
        }
        Limiter roomier = 2 * needed <= CHUNK_SLOTS ? compacted(first, 2 * needed) : extended(first, next);
        roomier.grants[roomier.tail - roomier.full.length * CHUNK_SLOTS] = clockMillis;
        return new Limiter(
                roomier.full, roomier.grants, roomier.head, roomier.tail + 1, capacity, durationMillis, keepMillis);
    }

    /** The grants from that place on, in a fresh array of so many slots. */
    private Limiter compacted(int first, int slots) {
        long[] fresh = new long[slots];
        for (int place = first; place < tail; place++) {
            fresh[place - first] = at(place);
        }
        Arrays.fill(fresh, tail - first, slots, FREE);
        return new Limiter(NO_CHUNKS, fresh, 0, tail - first, capacity, durationMillis, keepMillis);
    }

    /** The same without the arrays that end before that place, and with a last one of full size that has room. */
    private Limiter extended(int first, int next) {
        int dropped = first / CHUNK_SLOTS;
        boolean isFull = next == CHUNK_SLOTS;
        long[][] kept = Arrays.copyOfRange(full, dropped, full.length + (isFull ? 1 : 0));
        if (isFull) {
            kept[kept.length - 1] = grants;
        }
        long[] fresh = new long[CHUNK_SLOTS];
        int copied = isFull ? 0 : next;
        System.arraycopy(grants, 0, fresh, 0, copied);
        Arrays.fill(fresh, copied, CHUNK_SLOTS, FREE);
        int shift = dropped * CHUNK_SLOTS;
        return new Limiter(kept, fresh, first - shift, tail - shift, capacity, durationMillis, keepMillis);
    }

    private long at(int place) {
        int chunk = place / CHUNK_SLOTS;
        return chunk < full.length ? full[chunk][place % CHUNK_SLOTS] : grants[place - full.length * CHUNK_SLOTS];
    }

    /** The same limiter, keeping grants for so long, from now on. */
    public Limiter keepingFor(long keepMillis) {
        return new Limiter(full, grants, head, tail, capacity, durationMillis, keepMillis);
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
        long end = at(tail - 1) + keepMillis;
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
        return at(head + position);
    }

    /** Grants that are in the window at that instant: the last so many of those that are kept. */
    public int grantCountAt(long clockMillis) {
        return tail - firstInWindow(clockMillis, durationMillis);
    }

    /** The same for those that are still to be kept at that instant. */
    int keptCountAt(long clockMillis) {
        return tail - firstInWindow(clockMillis, keepMillis);
    }

    /** Slots of the arrays behind this view, used or not: what it costs in memory. */
    int slotCount() {
        return full.length * CHUNK_SLOTS + grants.length;
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
            if (clockMillis - at(middle) < durationMillis) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return from;
    }
}
