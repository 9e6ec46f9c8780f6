package io.dshm.server.store.limiters;

/**
 * Counts in windows of the cluster clock that begin at multiples of the period: at most the limit in each of them.
 * {@link #atMillis} is the beginning of the window, {@link #used} what was used in it.
 *
 * <p>If a call has another period, what was used in the window that has not ended counts in the call's window.
 */
final class FixedWindow extends Meter {

    FixedWindow(Quota quota, long startMillis, long used) {
        super(quota, startMillis, used, 0);
    }

    static FixedWindow fresh(Quota quota, long clockMillis) {
        return new FixedWindow(quota, startOf(clockMillis, quota.periodMillis()), 0);
    }

    @Override
    public Algorithm algorithm() {
        return Algorithm.FIXED;
    }

    private long usedAt(long clockMillis) {
        return clockMillis < atMillis() + periodMillis() ? used() : 0;
    }

    @Override
    public Taking take(Quota quota, long clockMillis, long cost) {
        long limit = quota.limit();
        if (limit == 0) {
            return new Taking(Decision.ofNothing(cost), this);
        }
        long before = usedAt(clockMillis);
        boolean allowed = cost <= 0 || cost <= limit - before;
        long after = allowed ? Math.max(0, before + cost) : before;
        long startMillis = startOf(clockMillis, quota.periodMillis());
        long leftMillis = startMillis + quota.periodMillis() - clockMillis;
        long retryMillis = allowed ? 0 : cost > limit ? Decision.NEVER : leftMillis;
        Decision decision = new Decision(
                allowed,
                limit,
                Math.max(0, limit - after),
                after == 0 ? 0 : leftMillis,
                retryMillis,
                Decision.NO_DELAY);
        boolean same = cost == 0 || (after == before && has(quota));
        return new Taking(decision, same ? this : new FixedWindow(quota, startMillis, after));
    }

    @Override
    public FixedWindow renumbered(Quota quota, long clockMillis) {
        return has(quota)
                ? this
                : new FixedWindow(quota, startOf(clockMillis, quota.periodMillis()), usedAt(clockMillis));
    }

    @Override
    public FixedWindow spend(long clockMillis, long amount) {
        return new FixedWindow(quota(), startOf(clockMillis, periodMillis()), usedAt(clockMillis) + amount);
    }

    @Override
    public long remainingAt(long clockMillis) {
        return Math.max(0, limit() - usedAt(clockMillis));
    }

    @Override
    public long freshAtMillis() {
        return used() == 0 ? atMillis() : atMillis() + periodMillis();
    }
}
