package io.dshm.server.store.limiters;

/**
 * Estimates a sliding window from two windows that begin at multiples of the period: what was used in the current one,
 * and of the one before the part that a sliding window would still overlap, rounded up. {@link #atMillis} is the
 * beginning of the current window, {@link #used} what was used in it, {@link #more} what was used in the one before.
 *
 * <p>No aligned window admits more than the limit, and no window of the same length twice as much or more. If the calls
 * of the window before came evenly, none admits more than the limit.
 *
 * <p>If a call has another period, the estimate of that moment is what was used in the call's window.
 */
final class SlidingCounter extends Meter {

    SlidingCounter(Quota quota, long startMillis, long current, long previous) {
        super(quota, startMillis, current, previous);
    }

    static SlidingCounter fresh(Quota quota, long clockMillis) {
        return new SlidingCounter(quota, startOf(clockMillis, quota.periodMillis()), 0, 0);
    }

    @Override
    public Algorithm algorithm() {
        return Algorithm.COUNTER;
    }

    /** The same at that instant, with these numbers. */
    private SlidingCounter at(Quota quota, long clockMillis) {
        long period = quota.periodMillis();
        long startMillis = startOf(clockMillis, period);
        if (period != periodMillis()) {
            return new SlidingCounter(quota, startMillis, usedAt(clockMillis), 0);
        }
        long windows = (startMillis - atMillis()) / period;
        if (windows == 0) {
            return has(quota) ? this : new SlidingCounter(quota, startMillis, used(), more());
        }
        return new SlidingCounter(quota, startMillis, 0, windows == 1 ? used() : 0);
    }

    /** The estimate, by the period of the last call. */
    private long usedAt(long clockMillis) {
        long period = periodMillis();
        long windows = Math.max(0, (startOf(clockMillis, period) - atMillis()) / period);
        long current = windows == 0 ? used() : 0;
        long previous = windows == 0 ? more() : windows == 1 ? used() : 0;
        return current + weighted(previous, clockMillis, period);
    }

    /** What still counts of the window before. */
    private static long weighted(long previous, long clockMillis, long period) {
        return previous == 0 ? 0 : Wide.ceil(previous, period - Math.floorMod(clockMillis, period), 0, period);
    }

    @Override
    public Taking take(Quota quota, long clockMillis, long cost) {
        if (quota.limit() == 0) {
            return new Taking(Decision.ofNothing(cost), this);
        }
        SlidingCounter now = at(quota, clockMillis);
        boolean allowed = cost <= 0 || cost <= quota.limit() - now.usedAt(clockMillis);
        SlidingCounter after = allowed && cost != 0 ? now.charged(quota, cost) : now;
        Decision decision = new Decision(
                allowed,
                quota.limit(),
                after.remainingAt(clockMillis),
                Math.max(0, after.freshAtMillis() - clockMillis),
                allowed ? 0 : now.retryMillis(clockMillis, cost),
                Decision.NO_DELAY);
        boolean same = cost == 0 || (!allowed && has(quota));
        return new Taking(decision, same ? this : after);
    }

    @Override
    public SlidingCounter renumbered(Quota quota, long clockMillis) {
        return has(quota) ? this : at(quota, clockMillis);
    }

    @Override
    public SlidingCounter spend(long clockMillis, long amount) {
        return at(quota(), clockMillis).charged(quota(), amount);
    }

    /** What is given back is what was used last. */
    private SlidingCounter charged(Quota quota, long cost) {
        long current = used() + cost;
        long previous = current < 0 ? Math.max(0, more() + current) : more();
        return new SlidingCounter(quota, atMillis(), Math.max(0, current), previous);
    }

    /** Until the estimate has room for a cost for which it has none now. */
    private long retryMillis(long clockMillis, long cost) {
        long period = periodMillis();
        long room = limit() - used() - cost;
        long elapsed = clockMillis - atMillis();
        if (cost > limit()) {
            return Decision.NEVER;
        }
        if (room >= 0) {
            return period - Wide.floor(room, period, 0, more()) - elapsed;
        }
        // Not in this window: in the next one, this one is the window before.
        return period - elapsed + period - Wide.floor(limit() - cost, period, 0, used());
    }

    @Override
    public long remainingAt(long clockMillis) {
        return Math.max(0, limit() - usedAt(clockMillis));
    }

    @Override
    public long freshAtMillis() {
        return used() > 0 ? atMillis() + 2 * periodMillis() : more() > 0 ? atMillis() + periodMillis() : atMillis();
    }
}
