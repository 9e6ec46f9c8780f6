package io.dshm.server.store.limiters;

import java.util.function.LongConsumer;

/**
 * How many may do something at a time: permits, each with a holder, an end, and a number that no permit before it had
 * (a fence). One whose end has come is free again; it is dropped by the next call.
 */
public final class Permits implements Limiter {

    public static final Permits NONE = new Permits(0, Holds.NONE);

    private static final long BYTES = 40;

    private final long limit;

    /** Their numbers are the fences. */
    private final Holds holders;

    private Permits(long limit, Holds holders) {
        this.limit = limit;
        this.holders = holders;
    }

    /** As they were, from a snapshot. */
    public static Permits restore(long limit, Holds holders) {
        return new Permits(limit, holders);
    }

    /** Those that are held at that instant. */
    public Permits at(long clockMillis) {
        Holds held = holders.at(clockMillis);
        return held == holders ? this : new Permits(limit, held);
    }

    /** The limit of the last call that got a permit. */
    public long limit() {
        return limit;
    }

    public Holds holders() {
        return holders;
    }

    /** The same with a permit more, or with another end of the one that this holder has. */
    public Permits with(long limit, byte[] holder, long fence, long endMillis) {
        int place = holders.placeOf(holder);
        Holds others = place < 0 ? holders : holders.without(place);
        return new Permits(limit, others.with(holder, fence, endMillis));
    }

    /** The same without that holder's; the same object if it has none. */
    public Permits without(byte[] holder) {
        int place = holders.placeOf(holder);
        return place < 0 ? this : new Permits(limit, holders.without(place));
    }

    /** What a holder is told that has that permit. */
    public Permit granted(long fence) {
        return new Permit(true, limit, Math.max(0, limit - holders.size()), 0, fence);
    }

    /** What somebody is told for whom there is none by that limit. All are held at that instant. */
    public Permit refused(long limit, long clockMillis) {
        long retryMillis =
                limit == 0 ? Decision.NEVER : holders.endMillis((int) (holders.size() - limit)) - clockMillis;
        return new Permit(false, limit, 0, retryMillis, 0);
    }

    @Override
    public long remainingAt(long clockMillis) {
        return Math.max(0, limit - holders.size() + holders.endedAt(clockMillis));
    }

    @Override
    public long freshAtMillis() {
        return holders.lastEndMillis();
    }

    @Override
    public long bytes() {
        return BYTES + holders.bytes();
    }

    /** What those of one holder take, whose identity has that length. */
    public static long bytesOfOne(int holderBytes) {
        return BYTES + Holds.bytesOf(holderBytes);
    }

    @Override
    public void forEachNumber(long clockMillis, LongConsumer consumer) {
        consumer.accept(CODE);
        consumer.accept(limit);
        holders.forEachNumber(consumer);
    }

    /** Stands for permits in a digest, beside the {@linkplain Algorithm#code algorithms}. */
    private static final int CODE = 100;
}
