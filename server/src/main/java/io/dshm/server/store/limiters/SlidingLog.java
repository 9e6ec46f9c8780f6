package io.dshm.server.store.limiters;

import java.util.Arrays;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A sliding window log: it remembers the instant of every grant. A call is granted if it and the grants within its
 * period are at most its limit, whatever numbers other calls have. All instants are of the cluster clock, in
 * milliseconds.
 *
 * <p><b>What is kept.</b> Grants of the last {@link #keepMillis}, which is the longest period that any call has named
 * since the limiter was made, and of those the newest {@value #GRANTS_MAX}. A RATE_LIMITER has no larger capacity, so
 * none needs to count further; a TAKE that would have to is refused. A period longer than all before counts what is
 * there when it is first named.
 *
 * <p><b>How it works.</b> A limiter is an immutable view, {@code grants[head..tail)}, of an array that it shares with
 * the views before and after it. A grant writes the first free slot and returns a view that is one longer; what fell
 * out of the window is left out of the new view by moving its head. No view ever looks at a slot that was free when it
 * was made, so a view that a reader or a snapshot holds stays as it was, for ever, and a grant copies nothing. Only
 * when the array is full, or much too large for what is left in the window, are the grants that count copied into a
 * fresh one, twice as large as needed: amortised O(1) a grant, and at most four slots for each grant that counts. An
 * array has at most {@value #CHUNK_SLOTS} slots, so that no grant takes long: when such a one is full, it is put beside
 * those that were full before ({@link #full}), and the next one is begun.
 *
 * <p>Grants are of one token each, until one is of more or fewer: then {@link Amounts} are kept beside them.
 *
 * <p>A refund gives back the oldest tokens in the call's window: no later window of that length then holds less than
 * if the refunded tokens had never been taken. Grants before that window stay, for calls with longer periods; then the
 * refunded grants are cut out of the middle, which copies a few arrays at most.
 *
 * <p><b>Threads.</b> {@link #grant} and {@link #take} belong to the store's writer thread, for all views of an array.
 * Any thread may read a view that was published to it safely, such as by the store. A grant on a view that is not the
 * newest one is allowed: the slot it would need is taken, so it gets an array of its own.
 */
public final class SlidingLog implements PlainLimiter {

    /** Grants that are kept, at most: as many as the largest capacity of a RATE_LIMITER. */
    public static final int GRANTS_MAX = 1_000_000;

    /** Bytes of a limiter without its grants. */
    private static final long BYTES = 40;

    /** Bytes of a grant, at most: the array behind a limiter has up to four slots for each. */
    public static final long GRANT_BYTES = 4 * Long.BYTES;

    /** Marks a slot that no view has written. The clock never has this value. */
    private static final long FREE = Long.MIN_VALUE;

    private static final long[] NO_SLOTS = {};

    /** An array more than so many times as long as needed is replaced by a smaller one. */
    private static final int SLACK_MAX = 4;

    static final int CHUNK_SLOTS = Chunks.SLOTS;

    /** The arrays that are full, with the oldest grants. */
    private final Chunks full;

    /**
     * The newest grants, behind those of {@link #full}. Places are counted over both. Instants never descend from
     * {@link #head} to {@link #tail}; {@link #FREE} beyond the newest.
     */
    private final long[] grants;

    /** Null as long as all grants are of one token. */
    private final @Nullable Amounts amounts;

    private final int head;
    private final int tail;
    private final long limit;
    private final long periodMillis;
    private final long keepMillis;

    private SlidingLog(
            Chunks full,
            long[] grants,
            @Nullable Amounts amounts,
            int head,
            int tail,
            long limit,
            long periodMillis,
            long keepMillis) {
        this.full = full;
        this.grants = grants;
        this.amounts = amounts;
        this.head = head;
        this.tail = tail;
        this.limit = limit;
        this.periodMillis = periodMillis;
        this.keepMillis = keepMillis;
    }

    /**
     * A limiter that has granted nothing yet.
     *
     * @param limit tokens in a window, 0 (refuses always) or more
     * @param periodMillis length of the window, 0 (remembers nothing) or more
     */
    public static SlidingLog of(long limit, long periodMillis) {
        requireNotNegative(limit, periodMillis);
        return new SlidingLog(Chunks.NONE, NO_SLOTS, null, 0, 0, limit, periodMillis, periodMillis);
    }

    /**
     * A limiter as it was, from a snapshot.
     *
     * @param keepMillis see {@link #keepMillis()}
     * @param grantsMillis the instants of its grants, oldest first; copied
     * @param amounts of tokens, one for each grant; null if all are 1
     * @throws IllegalArgumentException if the instants are not in order, or an amount is not positive
     */
    public static SlidingLog restore(
            long limit, long periodMillis, long keepMillis, long[] grantsMillis, long @Nullable [] amounts) {
        requireNotNegative(limit, periodMillis);
        for (int i = 1; i < grantsMillis.length; i++) {
            if (grantsMillis[i - 1] > grantsMillis[i]) {
                throw new IllegalArgumentException("grants are not in order");
            }
        }
        int count = grantsMillis.length;
        long[] sums = amounts == null ? null : Amounts.sumsOf(amounts, count);
        Chunks full = Chunks.of(grantsMillis, sums);
        long[] rest = Arrays.copyOfRange(grantsMillis, full.end(), count);
        Amounts restored = sums == null ? null : new Amounts(Arrays.copyOfRange(sums, full.end(), count), 0);
        return new SlidingLog(full, rest, restored, 0, count, limit, periodMillis, keepMillis);
    }

    /** The same, of grants of one token each. */
    public static SlidingLog restore(long limit, long periodMillis, long keepMillis, long[] grantsMillis) {
        return restore(limit, periodMillis, keepMillis, grantsMillis, null);
    }

    private static void requireNotNegative(long limit, long periodMillis) {
        if (limit < 0 || periodMillis < 0) {
            throw new IllegalArgumentException("limit " + limit + ", period " + periodMillis + " ms");
        }
    }

    @Override
    public Algorithm algorithm() {
        return Algorithm.LOG;
    }

    /**
     * Asks for one token. Writer thread only.
     *
     * <p>The call's own limit and period decide, and are what the limiter has from then on. A refused call takes and
     * changes nothing; but see {@link #keepingFor}.
     *
     * @param clockMillis not before the last grant
     * @param keepMillis for how long the limiter after the grant keeps grants
     * @return the limiter after the grant, or null if refused
     * @throws IllegalArgumentException if the clock went back, or limit or period are negative
     */
    public @Nullable SlidingLog grant(long clockMillis, long limit, long periodMillis, long keepMillis) {
        requireNotNegative(limit, periodMillis);
        requireNoStepBack(clockMillis);
        boolean refused = tokensFrom(firstInWindow(clockMillis, periodMillis)) >= limit;
        return refused ? null : granted(clockMillis, 1, limit, periodMillis, keepMillis);
    }

    private void requireNoStepBack(long clockMillis) {
        if (tail > head && clockMillis < at(tail - 1)) {
            throw new IllegalArgumentException("the clock went back from " + at(tail - 1) + " to " + clockMillis);
        }
    }

    @Override
    public Taking take(Quota quota, long clockMillis, long cost) {
        requireNoStepBack(clockMillis);
        if (quota.limit() == 0) {
            return new Taking(Decision.ofNothing(cost), this);
        }
        long period = quota.periodMillis();
        int first = firstInWindow(clockMillis, period);
        long room = quota.limit() - tokensFrom(first);
        boolean allowed = cost <= 0 || cost <= room;
        boolean isFull = cost > 0 && tail - first >= GRANTS_MAX;
        if (allowed && isFull) {
            return new Taking(null, this);
        }
        SlidingLog after = allowed ? charged(quota, clockMillis, first, cost) : withNumbers(quota);
        int firstAfter = after.firstInWindow(clockMillis, period);
        long resetMillis = firstAfter == after.tail ? 0 : after.at(after.tail - 1) + period - clockMillis;
        Decision decision = new Decision(
                allowed,
                quota.limit(),
                Math.max(0, quota.limit() - after.tokensFrom(firstAfter)),
                resetMillis,
                allowed ? 0 : retryMillis(quota, clockMillis, first, cost - room),
                Decision.NO_DELAY);
        return new Taking(decision, after);
    }

    @Override
    public Quota quota() {
        // Those of a RATE_LIMITER may be out of the ranges of a TAKE's.
        long period = Math.min(Math.max(periodMillis, 1), Quota.PERIOD_MILLIS_MAX);
        return new Quota(Math.min(limit, Quota.TOKENS_MAX), period, 0);
    }

    @Override
    public SlidingLog renumbered(Quota quota, long clockMillis) {
        return withNumbers(quota);
    }

    @Override
    public SlidingLog spend(long clockMillis, long amount) {
        requireNoStepBack(clockMillis);
        return granted(clockMillis, amount, limit, periodMillis, keepMillis);
    }

    @Override
    public boolean hasRoomFor(int uses) {
        return grantCount() + uses <= GRANTS_MAX;
    }

    /** Milliseconds until that many more tokens have left the window, whose first grant is {@code first}. */
    private long retryMillis(Quota quota, long clockMillis, int first, long tokens) {
        if (tokens > tokensFrom(first)) {
            return Decision.NEVER;
        }
        int last = placeAfter(first, tokens) - 1;
        return at(last) + quota.periodMillis() - clockMillis;
    }

    private SlidingLog charged(Quota quota, long clockMillis, int first, long cost) {
        long keep = Math.max(keepMillis, quota.periodMillis());
        if (cost > 0) {
            return granted(clockMillis, cost, quota.limit(), quota.periodMillis(), keep);
        }
        if (cost == 0) {
            return this;
        }
        if (first == tail) {
            return withNumbers(quota);
        }
        return withNumbers(quota).without(first, -cost);
    }

    /** The limiter after the oldest tokens from {@code first} on were given back: that many, or all there are. */
    private SlidingLog without(int first, long tokens) {
        int place = placeAfter(first, tokens);
        if (amounts == null) {
            return first == head ? from(place, null) : cut(first, place, 0);
        }
        long given = Math.min(tokens, tokensFrom(first));
        // A part of the last grant may remain.
        int end = upTo(place - 1) - before(first) > given ? place - 1 : place;
        return first == head ? from(end, amounts.startingAt(before(first) + given)) : cut(first, end, given);
    }

    private SlidingLog from(int place, @Nullable Amounts left) {
        return new SlidingLog(full, grants, left, place, tail, limit, periodMillis, keepMillis);
    }

    /** The limiter without the grants from {@code from} to {@code to}; there are grants before {@code from}. */
    private SlidingLog cut(int from, int to, long given) {
        int left = tail - head - (to - from);
        if (2 * left <= CHUNK_SLOTS) {
            return compacted(head, from, to, given, 2 * left);
        }
        int end = full.end();
        int shift = full.startOf(head);
        Amounts counted = amounts;
        int before = Math.max(0, from - end);
        Chunks kept = full.cut(
                head,
                from,
                to,
                given,
                Arrays.copyOf(grants, before),
                counted == null ? null : Arrays.copyOf(counted.sums(), before));
        boolean sameLast = to <= end;
        int start = Math.max(to, end) - end;
        long[] last = sameLast ? grants : moved(grants, start, tail - end);
        if (counted != null) {
            long[] sums = sameLast ? counted.sums() : moved(counted.sums(), start, tail - end);
            counted = new Amounts(sums, counted.base() + given);
        }
        return new SlidingLog(
                kept, last, counted, head - shift, kept.end() + tail - end - start, limit, periodMillis, keepMillis);
    }

    /** These slots in a new array of full size; the rest is free. */
    private static long[] moved(long[] slots, int from, int to) {
        long[] fresh = new long[CHUNK_SLOTS];
        System.arraycopy(slots, from, fresh, 0, to - from);
        Arrays.fill(fresh, to - from, CHUNK_SLOTS, FREE);
        return fresh;
    }

    private SlidingLog withNumbers(Quota quota) {
        boolean same = limit == quota.limit() && periodMillis == quota.periodMillis();
        return same
                ? this
                : new SlidingLog(
                        full,
                        grants,
                        amounts,
                        head,
                        tail,
                        quota.limit(),
                        quota.periodMillis(),
                        Math.max(keepMillis, quota.periodMillis()));
    }

    private SlidingLog granted(long clockMillis, long amount, long limit, long periodMillis, long keepMillis) {
        int first = Math.max(firstInWindow(clockMillis, keepMillis), tail + 1 - GRANTS_MAX);
        int needed = tail - first + 1;
        int next = tail - full.end();
        boolean fits = next < grants.length && grants[next] == FREE && slotCount() / SLACK_MAX <= needed;
        SlidingLog roomy = fits
                ? this
                : 2 * needed <= CHUNK_SLOTS ? compacted(first, tail, tail, 0, 2 * needed) : extended(first, next);
        int start = fits ? first : roomy.head;
        int slot = roomy.tail - roomy.full.end();
        roomy.grants[slot] = clockMillis;
        Amounts written = roomy.amounts;
        Chunks chunks = roomy.full;
        if (written != null) {
            long sum = roomy.tail == roomy.head ? written.base() : roomy.upTo(roomy.tail - 1);
            written = written.with(slot, sum + amount, roomy.before(start));
        } else if (amount != 1) {
            written = Amounts.ofOnes(chunks.end(), roomy.grants.length, start, slot)
                    .with(slot, (long) roomy.tail + amount, start);
            chunks = chunks.counted();
        }
        return new SlidingLog(chunks, roomy.grants, written, start, roomy.tail + 1, limit, periodMillis, keepMillis);
    }

    /** The grants from {@code first} on, without those of the gap, in a new array of that many slots. */
    private SlidingLog compacted(int first, int from, int to, long given, int slots) {
        long[] fresh = new long[slots];
        long[] sums = amounts == null ? null : new long[slots];
        int count = 0;
        for (int place = first; place < tail; place = place + 1 == from ? to : place + 1) {
            fresh[count] = at(place);
            if (sums != null) {
                sums[count] = upTo(place) + (place < from ? given : 0);
            }
            count++;
        }
        Arrays.fill(fresh, count, slots, FREE);
        Amounts kept = sums == null ? null : new Amounts(sums, before(first) + given);
        return new SlidingLog(Chunks.NONE, fresh, kept, 0, count, limit, periodMillis, keepMillis);
    }

    /** The limiter without the arrays that end before {@code first}, with a last array of full size that has room. */
    private SlidingLog extended(int first, int next) {
        boolean isFull = next == CHUNK_SLOTS;
        int shift = full.startOf(first);
        Amounts counted = amounts;
        Chunks kept = full.extended(first, isFull ? grants : null, isFull && counted != null ? counted.sums() : null);
        int start = isFull ? CHUNK_SLOTS : 0;
        long[] last = moved(grants, start, next);
        Amounts moved = counted == null ? null : new Amounts(moved(counted.sums(), start, next), before(first));
        return new SlidingLog(kept, last, moved, first - shift, tail - shift, limit, periodMillis, keepMillis);
    }

    private long at(int place) {
        int end = full.end();
        return place < end ? full.instant(place) : grants[place - end];
    }

    /** Sum of the tokens up to and with the grant at that place. */
    private long upTo(int place) {
        int end = full.end();
        return amounts == null ? place + 1L : place < end ? full.sum(place) : amounts.sums()[place - end];
    }

    /** Tokens of the grants from that place on. */
    private long tokensFrom(int place) {
        if (place == tail) {
            return 0;
        }
        return amounts == null ? tail - place : upTo(tail - 1) - before(place);
    }

    /** Sum of the tokens of the grants before that place. */
    private long before(int place) {
        Amounts counted = amounts;
        return counted == null ? place : place == head ? counted.base() : upTo(place - 1);
    }

    /** The place behind the grants that add up to that many tokens, from {@code first} on; at most the end of all. */
    private int placeAfter(int first, long tokens) {
        int from = first;
        int to = tail;
        long wanted = before(first) + tokens;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (upTo(middle) >= wanted) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return Math.min(tail, from + 1);
    }

    /** The same limiter; from now on it keeps grants for that long. */
    public SlidingLog keepingFor(long keepMillis) {
        return new SlidingLog(full, grants, amounts, head, tail, limit, periodMillis, keepMillis);
    }

    /** Tokens left at that instant, 0 to the limit. */
    @Override
    public long remainingAt(long clockMillis) {
        return Math.max(0, limit - tokensFrom(firstInWindow(clockMillis, periodMillis)));
    }

    /**
     * From this instant on no call needs any of the grants, if no more are made; 0 if there are none.
     */
    @Override
    public long freshAtMillis() {
        if (tail == head) {
            return 0;
        }
        long end = at(tail - 1) + keepMillis;
        return end < keepMillis ? Long.MAX_VALUE : end;
    }

    /** The limit of the last call that was granted. */
    public long limit() {
        return limit;
    }

    /** The period of the last call that was granted. */
    public long periodMillis() {
        return periodMillis;
    }

    /** How long grants are kept: the longest period that a call has named so far. */
    public long keepMillis() {
        return keepMillis;
    }

    /** Whether grants may be of more than one token. */
    public boolean hasAmounts() {
        return amounts != null;
    }

    /**
     * Grants that are kept: those that some call could need at the time of the last one. Their number depends on the
     * calls alone; a snapshot writes them all.
     */
    public int grantCount() {
        return tail - head;
    }

    /** The instant of a grant that is kept, 0 being the oldest, {@link #grantCount()} - 1 the last. */
    public long grantMillis(int position) {
        return at(placeOf(position));
    }

    /** The tokens of that grant that were not given back. */
    public long grantAmount(int position) {
        int place = placeOf(position);
        return upTo(place) - before(place);
    }

    private int placeOf(int position) {
        if (position < 0 || position >= tail - head) {
            throw new IndexOutOfBoundsException(position);
        }
        return head + position;
    }

    /** Grants that are in the window at that instant: the last so many of those that are kept. */
    public int grantCountAt(long clockMillis) {
        return tail - firstInWindow(clockMillis, periodMillis);
    }

    @Override
    public long bytes() {
        return BYTES + grantBytes() * grantCount();
    }

    /** Bytes that one more grant takes. */
    public long grantBytes() {
        return amounts == null ? GRANT_BYTES : 2 * GRANT_BYTES;
    }

    /** Bytes of a limiter after its first grant, of one token or of more. */
    public static long bytesOfOne(boolean withAmounts) {
        return BYTES + (withAmounts ? 2 * GRANT_BYTES : GRANT_BYTES);
    }

    @Override
    public void forEachNumber(long clockMillis, LongConsumer consumer) {
        consumer.accept(limit);
        consumer.accept(periodMillis);
        if (keepMillis != periodMillis) {
            consumer.accept(keepMillis);
        }
        int first = firstInWindow(clockMillis, keepMillis);
        consumer.accept(tail - first);
        for (int place = first; place < tail; place++) {
            consumer.accept(at(place));
            if (amounts != null) {
                consumer.accept(grantAmount(place - head));
            }
        }
    }

    /** Slots of the arrays behind this view, used or not: what it costs in memory. */
    int slotCount() {
        return full.end() + grants.length;
    }

    /** Slots of this view's arrays that the other view does not share: what was copied. */
    int slotsNotOf(SlidingLog other) {
        return full.slotsNotOf(other.full) + (grants == other.grants ? 0 : grants.length);
    }

    /**
     * The place of the oldest grant that counts. A grant at t counts while {@code clock - t < period}: at exactly t +
     * period it is out of the window.
     */
    private int firstInWindow(long clockMillis, long periodMillis) {
        int from = head;
        int to = tail;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (clockMillis - at(middle) < periodMillis) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return from;
    }
}
