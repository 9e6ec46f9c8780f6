package io.dshm.server.store.limiters;

import java.util.function.LongConsumer;

/**
 * The state of the algorithms that count: some numbers, packed into five fields, so that a limiter takes hardly more
 * memory than a counter. 48 bytes on the usual JVM.
 */
public abstract sealed class Meter implements PlainLimiter permits FixedWindow, SlidingCounter, TokenBucket {

    /** What it takes in the store, where it is no object but some numbers of a few bytes each. */
    public static final long BYTES = 18;

    /** A limit, a burst, a period, and {@link #more} have so many bits. */
    private static final int BITS = 40;

    private static final int HIGH_BITS = Long.SIZE - BITS;
    private static final long MASK = (1L << BITS) - 1;

    /** The most that {@link #more} can be. */
    static final long MORE_MAX = MASK;

    /** The most that {@link #used} can be. It is never reached by TAKE. */
    static final long USED_MAX = (1L << (HIGH_BITS + Integer.SIZE)) - 1;

    private final long atMillis;

    /** The limit, and the low 24 bits of the burst above it. */
    private final long limitAndBurst;

    /** The period, and the other bits of the burst above it. */
    private final long periodAndBurst;

    /** The other number, and the high 24 bits of what is used above it. */
    private final long moreAndUsed;

    private final int usedLow;

    /**
     * A meter.
     *
     * @param atMillis an instant
     * @param used tokens, 0 or more; the most that fits is {@link #USED_MAX}
     * @param more a number, 0 or more; the most that fits is {@link #MORE_MAX}
     */
    Meter(Quota quota, long atMillis, long used, long more) {
        long fittingUsed = Math.min(used, USED_MAX);
        this.atMillis = atMillis;
        this.limitAndBurst = quota.limit() | quota.burst() << BITS;
        this.periodAndBurst = quota.periodMillis() | quota.burst() >>> HIGH_BITS << BITS;
        this.moreAndUsed = Math.min(more, MORE_MAX) | fittingUsed >>> Integer.SIZE << BITS;
        this.usedLow = (int) fittingUsed;
    }

    /**
     * A limiter as it was, from a snapshot.
     *
     * @throws IllegalArgumentException if it is of an algorithm that is no meter, or a number is out of its range
     */
    public static Meter restore(Algorithm algorithm, Quota quota, long atMillis, long used, long more) {
        if (used < 0 || used > USED_MAX || more < 0 || more > MORE_MAX) {
            throw new IllegalArgumentException("used " + used + " and " + more);
        }
        return switch (algorithm) {
            case FIXED -> new FixedWindow(quota, atMillis, used);
            case COUNTER -> new SlidingCounter(quota, atMillis, used, more);
            case GCRA -> new TokenBucket(quota, atMillis, used, more);
            case LEAKY -> new TokenBucket.Leaky(quota, atMillis, used, more);
            case LOG -> throw new IllegalArgumentException("a log is no meter");
        };
    }

    /** The numbers of the last call that took or changed anything. */
    @Override
    public final Quota quota() {
        return new Quota(limit(), periodMillis(), burst());
    }

    final long limit() {
        return limitAndBurst & MASK;
    }

    final long periodMillis() {
        return periodAndBurst & MASK;
    }

    final long burst() {
        return limitAndBurst >>> BITS | periodAndBurst >>> BITS << HIGH_BITS;
    }

    final boolean has(Quota quota) {
        return limit() == quota.limit() && periodMillis() == quota.periodMillis() && burst() == quota.burst();
    }

    /** The instant that the state is of; each algorithm says what that means. */
    public final long atMillis() {
        return atMillis;
    }

    /** Tokens used, at {@link #atMillis}. */
    public final long used() {
        return moreAndUsed >>> BITS << Integer.SIZE | Integer.toUnsignedLong(usedLow);
    }

    /** Another number; each algorithm says what it means. */
    public final long more() {
        return moreAndUsed & MASK;
    }

    @Override
    public final boolean hasRoomFor(int uses) {
        return true;
    }

    @Override
    public final long bytes() {
        return BYTES;
    }

    @Override
    public final void forEachNumber(long clockMillis, LongConsumer consumer) {
        consumer.accept(algorithm().code);
        consumer.accept(limit());
        consumer.accept(periodMillis());
        consumer.accept(burst());
        consumer.accept(atMillis);
        consumer.accept(used());
        consumer.accept(more());
    }

    /** Where the window of that length begins that holds this instant. */
    static long startOf(long clockMillis, long periodMillis) {
        return clockMillis - Math.floorMod(clockMillis, periodMillis);
    }
}
