package io.dshm.server.store.limiters;

/**
 * Tokens that come back evenly, {@code limit} in each period, up to {@code burst + 1}: the generic cell rate algorithm,
 * written as a leaky bucket that is used as a meter, which decides the same. {@link #atMillis} is the instant of the
 * last change, {@link #used} the whole tokens in the bucket then, and {@link #more} the fraction beside them, in parts
 * of {@code 1 / periodMillis}: what runs out in a millisecond is {@code limit} of these parts, so nothing is ever
 * rounded.
 *
 * <p>In no window of the length of the period more than {@code limit + burst} are admitted. Where the limit or the
 * burst changes, the bucket holds what it held; where the period changes, the fraction is rounded up once.
 */
sealed class TokenBucket extends Meter permits TokenBucket.Leaky {

    TokenBucket(Quota quota, long atMillis, long used, long fraction) {
        super(quota, atMillis, used, fraction);
    }

    static TokenBucket fresh(boolean leaky, Quota quota, long clockMillis) {
        return leaky ? new Leaky(quota, clockMillis, 0, 0) : new TokenBucket(quota, clockMillis, 0, 0);
    }

    /** The same, but who is admitted early is to wait until what was in the bucket has run out. */
    static final class Leaky extends TokenBucket {

        Leaky(Quota quota, long atMillis, long used, long fraction) {
            super(quota, atMillis, used, fraction);
        }

        @Override
        public Algorithm algorithm() {
            return Algorithm.LEAKY;
        }

        @Override
        TokenBucket with(Quota quota, long atMillis, long used, long fraction) {
            return new Leaky(quota, atMillis, used, fraction);
        }

        @Override
        long delayMillis(boolean admitted) {
            return admitted ? emptyMillis() : 0;
        }
    }

    @Override
    public Algorithm algorithm() {
        return Algorithm.GCRA;
    }

    TokenBucket with(Quota quota, long atMillis, long used, long fraction) {
        return new TokenBucket(quota, atMillis, used, fraction);
    }

    /** How long who is admitted is to wait, of the bucket before. */
    long delayMillis(boolean admitted) {
        return Decision.NO_DELAY;
    }

    private long capacity() {
        return burst() + 1;
    }

    /** The same at that instant, with its own numbers. */
    private TokenBucket at(long clockMillis) {
        long passed = clockMillis - atMillis();
        if (passed <= 0 || (used() == 0 && more() == 0)) {
            return this;
        }
        long period = periodMillis();
        long out = Wide.floor(passed, limit(), 0, period);
        if (out > used()) {
            return with(quota(), clockMillis, 0, 0);
        }
        long used = used() - out;
        long fraction = more() - Wide.rest(passed, limit(), 0, period, out);
        if (fraction < 0) {
            used--;
            fraction += period;
        }
        return used < 0 ? with(quota(), clockMillis, 0, 0) : with(quota(), clockMillis, used, fraction);
    }

    /** The same with other numbers, at the same instant. */
    private TokenBucket withNumbers(Quota quota) {
        long period = quota.periodMillis();
        long fraction = period == periodMillis() ? more() : Wide.ceil(more(), period, 0, periodMillis());
        return fraction == period ? with(quota, atMillis(), used() + 1, 0) : with(quota, atMillis(), used(), fraction);
    }

    @Override
    public Taking take(Quota quota, long clockMillis, long cost) {
        if (quota.limit() == 0) {
            return new Taking(Decision.ofNothing(cost), this);
        }
        TokenBucket drained = at(clockMillis);
        TokenBucket now = has(quota) ? drained : drained.withNumbers(quota);
        boolean allowed = cost <= 0 || cost <= now.left();
        TokenBucket after = allowed && cost != 0 ? now.charged(quota, clockMillis, cost) : now;
        Decision decision = new Decision(
                allowed,
                now.capacity(),
                Math.max(0, after.left()),
                after.emptyMillis(),
                allowed ? 0 : now.retryMillis(cost),
                now.delayMillis(allowed && cost > 0));
        boolean same = cost == 0 || (!allowed && has(quota));
        return new Taking(decision, same ? this : after);
    }

    @Override
    public TokenBucket renumbered(Quota quota, long clockMillis) {
        return has(quota) ? this : at(clockMillis).withNumbers(quota);
    }

    @Override
    public TokenBucket spend(long clockMillis, long amount) {
        TokenBucket drained = at(clockMillis);
        return drained.with(quota(), clockMillis, drained.used() + amount, drained.more());
    }

    private TokenBucket charged(Quota quota, long clockMillis, long cost) {
        long used = used() + cost;
        return used < 0 ? with(quota, clockMillis, 0, 0) : with(quota, clockMillis, used, more());
    }

    /** Whole tokens that fit into the bucket; negative if it holds more than it may, as after a change of numbers. */
    private long left() {
        return capacity() - used() - (more() > 0 ? 1 : 0);
    }

    /** Until the bucket is empty. */
    final long emptyMillis() {
        return outMillis(used());
    }

    /** Until so many whole tokens and the fraction have run out. */
    private long outMillis(long tokens) {
        return limit() == 0 ? Long.MAX_VALUE : Wide.ceil(tokens, periodMillis(), more(), limit());
    }

    private long retryMillis(long cost) {
        return cost > capacity() ? Decision.NEVER : outMillis(used() + cost - capacity());
    }

    @Override
    public long remainingAt(long clockMillis) {
        return Math.max(0, at(clockMillis).left());
    }

    @Override
    public long freshAtMillis() {
        long instant = atMillis() + emptyMillis();
        return instant < 0 ? Long.MAX_VALUE : instant;
    }
}
